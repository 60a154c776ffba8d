/** Runs a program of the machine with a limit, keeping its output in a log and its last lines for an error. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { LabError } from "./errors";

export interface RunOptions {
  /** What the program is run for, in the words of an error: "install docker.io". */
  step: string;
  limitMs: number;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** File to which all output is appended. */
  log?: string;
  onLine?: (line: string) => void;
  /** Exit codes that are no error. Default: [0]. A signal and a time-out always are. */
  allow?: number[] | "any";
  remedy?: string;
  /** Kept out of the lab's process group, so that Ctrl-C does not reach the program twice. Default: false. */
  detached?: boolean;
}

export interface RunResult {
  code: number;
  stdout: string;
  /** Both streams, as they came (the last megabytes of a very long one). */
  output: string;
  tail: string[];
}

const children = new Set<number>();

/** Asks whatever `run` started to end; for the handler of Ctrl-C. Gives back how many there are. */
export function endChildren(signal: NodeJS.Signals | 0): number {
  for (const pid of children) {
    try {
      process.kill(pid, signal);
    } catch {
      children.delete(pid); // It ended on its own in the meantime.
    }
  }
  return children.size;
}

export function run(command: string, args: string[], options: RunOptions): Promise<RunResult> {
  if (options.log) mkdirSync(dirname(options.log), { recursive: true });
  // Written at once: whoever reads an error that names the log finds all of it there.
  const log = options.log ? openSync(options.log, "a", 0o600) : undefined;
  return new Promise((done, fail) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: options.detached ?? false,
    });
    if (child.pid) children.add(child.pid);
    const tail: string[] = [];
    let stdout = "";
    let output = "";
    let timedOut = false;
    // A program that ignores TERM is killed ten seconds later: every wait of the lab ends.
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), 10_000).unref();
    }, options.limitMs);
    const take = lines((line) => {
      tail.push(line);
      if (tail.length > 40) tail.shift();
      options.onLine?.(line);
    });
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      output = bounded(output + chunk.toString());
      if (log !== undefined) writeSync(log, chunk);
      take(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      output = bounded(output + chunk.toString());
      if (log !== undefined) writeSync(log, chunk);
      take(chunk);
    });
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      if (child.pid) children.delete(child.pid);
      if (log !== undefined) closeSync(log);
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      end();
      const missing = error.code === "ENOENT";
      fail(
        new LabError(
          missing
            ? `To ${options.step}, the lab needs the program "${command}", which is not there.`
            : `${command}: ${error.message}`,
          missing ? (options.remedy ?? `Install ${command}.`) : options.remedy,
        ),
      );
    });
    child.on("close", (code, signal) => {
      end();
      const allow = options.allow ?? [0];
      if (!timedOut && code !== null && (allow === "any" || allow.includes(code))) {
        return done({ code, stdout, output, tail });
      }
      const why = timedOut
        ? `took longer than ${Math.round(options.limitMs / 1000)} s`
        : signal
          ? `was ended by ${signal}`
          : `failed with exit code ${code}`;
      const last = tail.slice(-12).map((line) => `    ${line}`);
      const where = options.log ? [`  All of its output: ${options.log}`] : [];
      fail(
        new LabError(
          [`Could not ${options.step}: ${command} ${why}.`, ...last, ...where].join("\n"),
          options.remedy,
        ),
      );
    });
  });
}

function bounded(text: string): string {
  return text.length > 4_000_000 ? text.slice(-2_000_000) : text;
}

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
