/**
 * A real Session without SSH: scripts run on this machine, or in a container when a prefix such as ["docker", "exec", "-i", NAME]
 * is given. For tests of what resources do on a host; the transport has its own tests.
 */
import { spawn } from "node:child_process";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import type { Context } from "../../../../providers/host/src/resource";
import { command, quote } from "../../../../shared/quote";
import {
  HostError,
  type RunOptions,
  type RunResult,
  type Session,
  type WriteFileOptions,
} from "../../../../providers/host/src/session";

export class LocalSession implements Session {
  readonly name = "root@local:22";
  /** Every script that was run, newest last. */
  readonly scripts: string[] = [];

  constructor(private readonly prefix: string[] = []) {}

  async run(script: string, options: RunOptions): Promise<RunResult> {
    this.scripts.push(script);
    const [file, ...args] = [...this.prefix, "sh", "-c", script];
    const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.stdin ?? "");
    const limit = setTimeout(() => child.kill("SIGKILL"), (options.timeoutSeconds ?? 120) * 1000);
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (status, signal) => resolve(status ?? (signal ? 137 : 1)));
    });
    clearTimeout(limit);
    const result = { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
    const allowed = options.allow ?? [0];
    if (allowed !== "any" && !allowed.includes(code)) {
      const output = `${result.stdout}\n${result.stderr}`.trim().slice(-4000);
      throw new HostError(`${options.step} failed with exit code ${code}: ${output}`, {
        host: this.name,
        step: options.step,
        code,
        output,
      });
    }
    return result;
  }

  async writeFile(path: string, content: string | Buffer, options: WriteFileOptions): Promise<void> {
    const temporary = `${path}.new`;
    await this.run(
      `mkdir -p -- "$(dirname -- ${quote(path)})" && cat > ${quote(temporary)} && ` +
        `${command("chmod", options.mode, "--", temporary)} && ${command("mv", "--", temporary, path)}`,
      { step: options.step, stdin: content },
    );
  }

  async forward(host: string, port: number): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(port, host, () => resolve(socket));
      socket.on("error", reject);
    });
  }
}

/** A Session that answers from a function: for what no machine at hand can be (an OpenVZ container, a worker of a swarm). */
export class ScriptedSession implements Session {
  readonly name = "root@scripted:22";
  readonly runs: { script: string; options: RunOptions }[] = [];
  readonly written: Record<string, string> = {};

  constructor(
    private readonly answer: (script: string, options: RunOptions) => Partial<RunResult> | undefined,
  ) {}

  async run(script: string, options: RunOptions): Promise<RunResult> {
    this.runs.push({ script, options });
    const result = this.answer(script, options);
    if (!result) throw new Error(`unexpected step "${options.step}": ${script.slice(-400)}`);
    return { code: 0, stdout: "", stderr: "", ...result };
  }

  async writeFile(path: string, content: string | Buffer): Promise<void> {
    this.written[path] = content.toString();
  }

  async forward(): Promise<Duplex> {
    throw new Error("no forwarding here");
  }
}

export interface TestContext extends Context {
  logged: { message: string; severity: string }[];
}

export function contextOf(session: Session | (() => Promise<Session>)): TestContext {
  const logged: TestContext["logged"] = [];
  return {
    logged,
    preview: false,
    isSecret: () => false,
    session: async () => (typeof session === "function" ? session() : session),
    log: (message, severity = "info") => void logged.push({ message, severity }),
  };
}
