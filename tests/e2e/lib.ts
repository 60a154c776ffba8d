/** What the end-to-end tests need: an instance of the lab of their own, and the commands a person would type. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as path from "node:path";
import { parse, stringify } from "yaml";
import { loadLab } from "../../lab/config";
import { ownLab } from "./ownLab";

Object.assign(process.env, ownLab("journey"));
export const lab = loadLab();
export const CLONE = lab.cloneDir;
export const FRONT_DOOR = `http://127.0.0.1:${lab.ports.http}`;

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Both, in the order they came. */
  all: string;
}

export interface RunOptions {
  timeoutSeconds?: number;
  env?: NodeJS.ProcessEnv;
  input?: string;
  /** Also shown as it comes; for what takes minutes. */
  echo?: boolean;
}

export function run(command: string[], options: RunOptions = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), {
      cwd: CLONE,
      env: { ...process.env, ...options.env },
      stdio: "pipe",
    });
    const result = { stdout: "", stderr: "", all: "" };
    const collect = (name: "stdout" | "stderr") => (data: Buffer) => {
      result[name] += data.toString();
      result.all += data.toString();
      if (options.echo) process.stderr.write(data);
    };
    child.stdout.on("data", collect("stdout"));
    child.stderr.on("data", collect("stderr"));
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    const timer = setTimeout(
      () => {
        child.kill("SIGTERM");
        reject(
          new Error(
            `${command.join(" ")}: no end after ${options.timeoutSeconds ?? 300} s\n${result.all.slice(-4000)}`,
          ),
        );
      },
      (options.timeoutSeconds ?? 300) * 1000,
    );
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, ...result });
    });
  });
}

/** As `run`, and an exit code other than 0 is an error that shows what was printed. */
export async function ok(command: string[], options: RunOptions = {}): Promise<Result> {
  const result = await run(command, options);
  if (result.code !== 0)
    throw new Error(`${command.join(" ")} ended with ${result.code}\n${result.all.slice(-8000)}`);
  return result;
}

export const npm = (script: string, ...args: string[]) => [
  "npm",
  "run",
  "--silent",
  script,
  ...(args.length > 0 ? ["--", ...args] : []),
];

const STACKED = ["preview", "up", "refresh", "destroy"];

/** The engine on the stack of this lab, with its derived file or a variant of it. */
export function pulumi(args: string[], options: RunOptions & { config?: string } = {}): Promise<Result> {
  const config = STACKED.includes(args[0]!)
    ? ["--config-file", options.config ?? lab.derivedStackFile!, "--non-interactive"]
    : [];
  return run(npm("pulumi", ...args, "--stack", lab.stack, ...config), {
    ...options,
    env: { PULUMI_CONFIG_PASSPHRASE_FILE: lab.passphraseFile, NO_COLOR: "1", ...options.env },
  });
}

export async function pulumiOk(
  args: string[],
  options: RunOptions & { config?: string } = {},
): Promise<Result> {
  const result = await pulumi(args, options);
  if (result.code !== 0)
    throw new Error(`pulumi ${args.join(" ")} ended with ${result.code}\n${result.all.slice(-8000)}`);
  return result;
}

/**
 * Command lines of all processes of this machine, those in the lab's host among them (its kernel is this machine's), until `stop`.
 * A program that ends within a fifth of a second may be missed.
 */
export function watchProcesses(): { stop(): string[] } {
  const seen = new Set<string>();
  const look = () => {
    for (const id of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
      try {
        seen.add(fs.readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " "));
      } catch {
        // It has ended.
      }
  };
  const timer = setInterval(look, 200);
  return {
    stop: () => {
      clearInterval(timer);
      return [...seen];
    },
  };
}

/** A copy of the lab's stack file with some values changed; "nginx.keepalive" is a path below the project's namespace. */
export function variant(name: string, changes: Record<string, unknown>): string {
  const document = parse(fs.readFileSync(lab.derivedStackFile!, "utf8"));
  for (const [key, value] of Object.entries(changes)) {
    const [section, ...rest] = key.split(".");
    const holder = { value: document.config };
    let at: any = holder.value;
    for (const part of [`oslo-faas:${section}`, ...rest].slice(0, -1)) at = at[part] ??= {};
    const last = [`oslo-faas:${section}`, ...rest].at(-1)!;
    if (value === undefined) delete at[last];
    else at[last] = value;
  }
  const file = path.join(lab.cacheDir, `variant-${name}.yaml`);
  fs.writeFileSync(file, stringify(document));
  return file;
}

/** A command on the lab's host, as root, over ssh with the pinned key. */
export function onHost(script: string, options: RunOptions = {}): Promise<Result> {
  return run(sshCommand(script), options);
}

export async function onHostOk(script: string, options: RunOptions = {}): Promise<string> {
  return (await ok(sshCommand(script), options)).stdout;
}

function sshCommand(script: string): string[] {
  const key = fs.readFileSync(lab.ssh.hostPublicKey, "utf8").trim().split(/\s+/).slice(0, 2).join(" ");
  const options = [
    "BatchMode=yes",
    "UserKnownHostsFile=/dev/null",
    "StrictHostKeyChecking=yes",
    `KnownHostsCommand=/bin/echo %H ${key}`,
    "LogLevel=ERROR",
  ];
  return [
    "ssh",
    "-i",
    lab.ssh.privateKey,
    "-p",
    String(lab.ports.ssh),
    ...options.flatMap((o) => ["-o", o]),
    "root@127.0.0.1",
    script,
  ];
}

export function stateFile(): string {
  return path.join(CLONE, ".pulumi", "stacks", "oslo-faas", `${lab.stack}.json`);
}

/** The lines of a `--diff` that change something, without their indentation. */
export function changedLines(output: string): string[] {
  return output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^[+-] /.test(line))
    .map((line) => line.replace(/\s+/g, " "));
}

/** Calls one after the other, on connections kept and new in turn, until stopped. */
export function startLoad(url: string): { stop(): Promise<{ answered: number; failures: string[] }> } {
  let going = true;
  const failures: string[] = [];
  let answered = 0;
  const agent = new http.Agent({ keepAlive: true });
  const call = (keep: boolean) =>
    new Promise<void>((done) => {
      const request = http.get(url, { agent: keep ? agent : undefined, timeout: 10_000 }, (response) => {
        response.resume();
        response.on("end", () => {
          if (response.statusCode === 200) answered++;
          else failures.push(`HTTP ${response.statusCode}`);
          done();
        });
      });
      request.on("timeout", () => request.destroy(new Error("no answer in 10 s")));
      request.on("error", (error: NodeJS.ErrnoException & { reused?: boolean }) => {
        // A kept connection that the old worker closed as the request left is retried by every client (RFC 9110, 9.2.2).
        if (!(request.reusedSocket && error.code === "ECONNRESET")) failures.push(error.message);
        done();
      });
    });
  const loop = (async () => {
    for (let i = 0; going; i++) {
      await call(i % 2 === 0);
      await new Promise((next) => setTimeout(next, 20));
    }
    agent.destroy();
  })();
  return {
    stop: async () => {
      going = false;
      await loop;
      return { answered, failures };
    },
  };
}
