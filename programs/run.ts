/**
 * Starts programs, the one way for everything that is TypeScript here: bounded in time, its output kept, ended with what it started.
 *
 * Secrets go through `input` or `env` and never through `args`, which every user of the machine can read. What runs on a fresh clone,
 * before there is a node_modules (dev/bootstrap.mjs, dev/*.cjs, lab/toolchain/lib), cannot import this and uses node:child_process.
 */
import type { ChildProcess } from "node:child_process";
import execa from "execa";

/** How long a program that is asked to end may take, before it is killed. */
const GRACE_MS = 10_000;
const BIGGEST = 256 << 20;

export interface Options {
  limitMs: number;
  cwd?: string;
  /** The whole environment. Default: that of this process. */
  env?: NodeJS.ProcessEnv;
  /** Its standard input. Default: none, or the terminal where it is shown. */
  input?: string | Buffer;
  /** Its standard streams are this process's own. Default: false, and then they are kept. */
  shown?: boolean;
  /** Each piece of its output as it comes. */
  onOutput?: (piece: Buffer) => void;
  /**
   * At the head of a process group of its own. A Ctrl-C then reaches it through `endAll` or `signalAll` alone (an engine takes a second
   * one for "at once", and leaves its state locked), and what it has started ends with it. Default: false.
   */
  group?: boolean;
}

export interface Ended {
  /** Undefined where a signal ended it, or it could not be started. */
  code?: number;
  stdout: string;
  stderr: string;
  /** Both, as they came. */
  output: string;
  /** "failed with exit code 3", "took longer than 60 s", "was ended by SIGTERM", "cannot be started: …". Undefined for exit code 0. */
  problem?: string;
  /** There is no such program. */
  missing: boolean;
}

export type Child = ChildProcess;

const running = new Set<Child>();
const groups = new WeakSet<Child>();
let ending = false;

type StartOptions = Pick<Options, "cwd" | "env" | "group" | "input"> &
  Pick<execa.Options, "stdio" | "all" | "buffer" | "cleanup">;

function launch(program: string, args: string[], options: StartOptions): [Child, execa.ExecaChildProcess] {
  if (ending) throw new Error("ended by a signal");
  const { group = false, env = process.env, ...rest } = options;
  const promise = execa(program, args, {
    buffer: false,
    maxBuffer: BIGGEST,
    stripFinalNewline: false,
    reject: false,
    extendEnv: false,
    ...rest,
    env,
    detached: group,
  });
  const child: Child = promise;
  running.add(child);
  if (group) groups.add(child);
  child.on("error", () => running.delete(child));
  child.on("exit", () => running.delete(child));
  return [child, promise];
}

/** A program whose streams the caller reads. @throws an Error when everything is about to end */
export function start(program: string, args: string[], options: StartOptions): Child {
  const [child, promise] = launch(program, args, options);
  promise.catch(() => undefined);
  return child;
}

/** Runs a program to its end, however it ends: `problem` says so. */
export async function run(program: string, args: string[], options: Options): Promise<Ended> {
  const { limitMs, shown = false, onOutput, ...rest } = options;
  const stdio = shown ? "inherit" : rest.input === undefined ? (["ignore", "pipe", "pipe"] as const) : "pipe";
  // On a terminal it hears a Ctrl-C by itself, and a second signal from here would be one too many.
  const [child, promise] = launch(program, args, {
    ...rest,
    stdio,
    all: !shown,
    buffer: !shown,
    cleanup: !shown,
  });
  let failure: { code?: string; message: string } | undefined;
  // Copied at once, since execa writes its own words into the error.
  child.on("error", ({ code, message }: NodeJS.ErrnoException) => (failure = { code, message }));
  if (onOutput) for (const stream of [child.stdout, child.stderr]) stream?.on("data", onOutput);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    // What it has started may hold its output open for ever.
    void end(child, "SIGTERM", GRACE_MS).then(() =>
      [child.stdout, child.stderr].map((one) => one?.destroy()),
    );
  }, limitMs);
  const { exitCode: code, signal, stdout = "", stderr = "", all = "" } = await promise;
  clearTimeout(timer);
  const kept = { stdout, stderr, output: all, missing: failure?.code === "ENOENT" };
  if (failure) return { ...kept, problem: `cannot be started: ${failure.message}` };
  if (late) return { ...kept, problem: `took longer than ${Math.round(limitMs / 1000)} s` };
  if (signal) return { ...kept, problem: `was ended by ${signal}` };
  return { ...kept, code, ...(code === 0 ? {} : { problem: `failed with exit code ${code}` }) };
}

/** As `run`, for a program that takes no time. @throws an Error with what it printed to stderr, where it fails */
export function runSync(
  program: string,
  args: string[],
  options: {
    limitMs?: number;
    env?: NodeJS.ProcessEnv;
    cwd?: string;
    input?: Buffer;
    show?: "all" | "stderr";
  } = {},
): string {
  return runSyncRaw(program, args, options).toString();
}

/** As `runSync`, for an output that is no text. */
export function runSyncRaw(
  program: string,
  args: string[],
  { limitMs, show, input, ...options }: NonNullable<Parameters<typeof runSync>[2]> = {},
): Buffer {
  try {
    const { stdout } = execa.sync(program, args, {
      ...options,
      ...(input ? { input } : { stdin: "ignore" as const }),
      stdout: show === "all" ? "inherit" : "pipe",
      stderr: show ? "inherit" : "pipe",
      timeout: limitMs,
      maxBuffer: BIGGEST,
      stripFinalNewline: false,
      encoding: null,
    });
    return stdout ?? Buffer.alloc(0);
  } catch (error) {
    const { shortMessage, stderr } = error as execa.ExecaSyncError<Buffer>;
    throw new Error(`${shortMessage}\n${lastLines(String(stderr ?? ""))}`.trim(), { cause: error });
  }
}

/** A program that outlives this process and does not hear its Ctrl-C. @param log descriptor of the file for what it prints */
export function startDaemon(program: string, log: number): Child {
  const stdio: execa.StdioOption[] = ["ignore", log, log];
  const child = execa(program, [], {
    cwd: "/",
    detached: true,
    cleanup: false,
    buffer: false,
    reject: false,
    stdio,
  });
  child.catch(() => undefined);
  child.unref();
  return child;
}

/** Passes a signal on to all that runs; 0 only counts. @returns how many there are */
export function signalAll(name: NodeJS.Signals | 0): number {
  for (const child of running) send(child, name);
  return running.size;
}

/** An engine that is asked to end gives its lock on the state back; whatever is left after the grace is killed. Nothing starts any more. */
export async function endAll(graceMs = GRACE_MS): Promise<void> {
  ending = true;
  await Promise.all([...running].map((child) => end(child, "SIGINT", graceMs)));
}

/** The program and, where it leads a group, all that it has started. */
export function kill(child: Child): void {
  if (running.delete(child) && !groups.has(child)) child.kill("SIGKILL");
  if (child.pid === undefined || !groups.has(child)) return;
  try {
    // Also where the head of the group has ended already.
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
}

/** The signal alone: execa follows a SIGTERM up by itself, sooner than an engine may take. */
const send = (child: Child, name: NodeJS.Signals | 0): void =>
  (child as execa.ExecaChildProcess).kill(name as string, { forceKillAfterTimeout: false });

async function end(child: Child, first: NodeJS.Signals, graceMs: number): Promise<void> {
  if (running.has(child)) {
    const ended = new Promise<void>((done) => child.once("exit", () => done()));
    send(child, first);
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([ended, new Promise((done) => (timer = setTimeout(done, graceMs)))]);
    clearTimeout(timer);
  }
  kill(child);
}

export const lastLines = (text: string, count = 12): string =>
  text.trim().split("\n").slice(-count).join("\n").trim();

/** Cuts a stream of chunks into lines, without the colours and cursor movements that some programs print. */
export function lines(each: (line: string) => void): (chunk: Buffer) => void {
  let rest = "";
  return (chunk) => {
    const parts = (rest + chunk.toString()).split(/\r?\n|\r/);
    rest = parts.pop() ?? "";
    for (const part of parts) {
      // eslint-disable-next-line no-control-regex
      const clean = part.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "").trimEnd();
      if (clean) each(clean);
    }
  };
}
