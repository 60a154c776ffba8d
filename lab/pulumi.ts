/** The lab's stack, through the Pulumi command. Its output goes whole into a log, and condensed to the terminal. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import type { Lab } from "./config";
import { waitFor } from "./docker";
import { LabError } from "./errors";
import { startTimeOf } from "./engine";
import type { Progress } from "./progress";
import { lastLines } from "../programs/run";
import { run, type RunResult } from "./run";

/** What toolchain/ resolves: where the engine is and what environment it wants. */
export interface Engine {
  pulumi: string;
  env: NodeJS.ProcessEnv;
}

export interface StackState {
  resources: number;
  /** Operations of a run that was killed in the middle: nobody knows whether they took place. */
  pending: number;
}

const PROJECT = "oslo-faas";
const MINUTE = 60_000;

export class Stack {
  constructor(
    private readonly lab: Lab,
    private readonly engine: Engine,
    private readonly progress: Progress,
  ) {}

  /** Log of everything that the engine prints in this lab. */
  get log(): string {
    return join(this.lab.cacheDir, "up.log");
  }

  /** Makes the stack where it is missing. A run that was killed may have left its lock, which is taken away. */
  async ensure(): Promise<void> {
    await this.releaseStaleLock();
    if (await this.exists()) return;
    await this.pulumi(["stack", "init", this.lab.stack, "--no-select", "--secrets-provider", "passphrase"], {
      step: `make the stack ${this.lab.stack}`,
    });
    this.removeSalt();
  }

  /** The engine notes a salt in the stack's file under stacks/; a lab with a derived file has one of its own in that. */
  private removeSalt(): void {
    if (!this.lab.derivedStackFile) return;
    rmSync(join(this.lab.cloneDir, "stacks", `Pulumi.${this.lab.stack}.yaml`), { force: true });
  }

  async exists(): Promise<boolean> {
    if (this.stateFile()) return existsSync(this.stateFile()!);
    const { stdout } = await this.pulumi(["stack", "ls", "--json"], { step: "list the stacks" });
    return (JSON.parse(stdout) as { name: string }[]).some(
      (stack) => basename(stack.name) === this.lab.stack,
    );
  }

  async state(): Promise<StackState> {
    const { stdout } = await this.pulumi(["stack", "export", "--stack", this.lab.stack], {
      step: "read the stack's state",
    });
    const { deployment } = JSON.parse(stdout) as {
      deployment?: { resources?: { type: string }[]; pending_operations?: unknown[] };
    };
    const resources = (deployment?.resources ?? []).filter(
      (resource) => !resource.type.startsWith("pulumi:"),
    );
    return { resources: resources.length, pending: deployment?.pending_operations?.length ?? 0 };
  }

  /** Forgets the stack without touching any host: for a host that is gone. The committed stack file stays. */
  async drop(): Promise<void> {
    await this.releaseStaleLock();
    if (await this.exists()) {
      await this.pulumi(["stack", "rm", this.lab.stack, "--force", "--yes", "--preserve-config"], {
        step: `forget the stack ${this.lab.stack}`,
      });
    }
    this.removeSalt();
    if (!this.stateFile()) return;
    for (const kind of ["history", "backups", "locks/organization"]) {
      rmSync(join(this.backendDir(), kind, PROJECT, this.lab.stack), { recursive: true, force: true });
    }
    for (const name of readdirIfThere(join(this.backendDir(), "stacks", PROJECT))) {
      if (name.startsWith(`${this.lab.stack}.json`)) rmSync(join(this.backendDir(), "stacks", PROJECT, name));
    }
  }

  /** True when a preview shows nothing to do. */
  async unchanged(): Promise<boolean> {
    const result = await this.pulumi(["preview", "--expect-no-changes", ...this.target()], {
      step: "compare the host with the program",
      // 1: something would change, or the preview failed; `up` shows which.
      allow: "any",
      limitMs: 5 * MINUTE,
      onLine: condense(this.progress),
    });
    return result.code === 0;
  }

  /** `pulumi up`. Resolves to true when it changed something. */
  async up(options: { preview: boolean }): Promise<boolean> {
    const args = [
      "up",
      "--yes",
      options.preview ? "--skip-preview=false" : "--skip-preview",
      ...this.target(),
    ];
    const result = await this.pulumi(args, {
      step: `bring up the stack ${this.lab.stack}`,
      limitMs: 30 * MINUTE,
      onLine: condense(this.progress),
    });
    return !/^\s+\d+ unchanged$/m.test(lastResourcesBlock(result.stdout));
  }

  async destroy(limitMs: number): Promise<void> {
    await this.pulumi(["destroy", "--yes", "--skip-preview", ...this.target()], {
      step: `destroy the stack ${this.lab.stack}`,
      limitMs,
      onLine: condense(this.progress),
    });
  }

  /** The stack's outputs, secrets in the clear: never to be printed. */
  async outputs(): Promise<Record<string, unknown>> {
    const { stdout } = await this.pulumi(
      ["stack", "output", "--json", "--show-secrets", "--stack", this.lab.stack],
      {
        step: "read the stack's outputs",
        secret: true,
      },
    );
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  private target(): string[] {
    const file = this.lab.derivedStackFile;
    return ["--stack", this.lab.stack, ...(file ? ["--config-file", file] : [])];
  }

  private async pulumi(
    args: string[],
    options: {
      step: string;
      limitMs?: number;
      allow?: number[] | "any";
      onLine?: (line: string) => void;
      secret?: boolean;
    },
  ): Promise<RunResult> {
    const result = await run(this.engine.pulumi, [...args, "--non-interactive", "--color", "never"], {
      step: options.step,
      limitMs: options.limitMs ?? 2 * MINUTE,
      cwd: this.lab.cloneDir,
      env: this.environment(),
      log: options.secret ? undefined : this.log,
      onLine: options.onLine,
      allow: "any",
      // A Ctrl-C is passed on once, by signalAll; a second one would make the engine leave its work half-done.
      group: true,
    });
    const allowed = options.allow ?? [0];
    if (allowed === "any" || allowed.includes(result.code)) return result;
    throw new LabError(
      `Could not ${options.step}.\n${diagnostics(result.output) || lastLines(result.output)}`,
      `All that the engine printed: ${this.log}`,
    );
  }

  private environment(): NodeJS.ProcessEnv {
    const env: NodeJS.ProcessEnv = { ...process.env, ...this.engine.env, NO_COLOR: "1" };
    // The lab's state is protected by a constant, whatever passphrase this shell has for real environments.
    delete env.PULUMI_CONFIG_PASSPHRASE;
    env.PULUMI_CONFIG_PASSPHRASE_FILE = this.lab.passphraseFile;
    return env;
  }

  private backendDir(): string {
    return join(this.lab.cloneDir, ".pulumi");
  }

  /** The stack's file in the clone's own backend; undefined where another backend was chosen. */
  private stateFile(): string | undefined {
    if (process.env.PULUMI_BACKEND_URL) return undefined;
    return join(this.backendDir(), "stacks", PROJECT, `${this.lab.stack}.json`);
  }

  /**
   * A killed engine leaves its lock in the backend, which is taken away. A living one is waited for, bounded: after an `up` that was
   * killed its engine may still be finishing.
   */
  async releaseStaleLock(): Promise<void> {
    if (!this.stateFile()) return;
    const folder = join(this.backendDir(), "locks", "organization", PROJECT, this.lab.stack);
    for (const name of readdirIfThere(folder)) {
      const file = join(folder, name);
      const holder = lockHolder(file);
      if (holder === undefined) continue;
      this.progress.status(`waiting for the engine that works on the stack (process ${holder})`);
      await waitFor(async () => !existsSync(file) || startTimeOf(holder) === undefined, {
        what: `another Pulumi (process ${holder}) to be done with the stack ${this.lab.stack}`,
        limitMs: 5 * MINUTE,
        remedy: `See what it is; \`kill ${holder}\` ends it, then run this again.`,
      });
      rmSync(file, { force: true });
    }
  }
}

/** The process that a lock names, if the lock is of this machine. */
function lockHolder(file: string): number | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, "utf8")) as { pid?: number; hostname?: string };
    return holder.hostname === hostname() ? holder.pid : undefined;
  } catch {
    return undefined; // Gone in the meantime, or of a version of the engine that writes it otherwise.
  }
}

/** Whether the clone has a state of the lab's stack, told without starting the engine. */
export function mayHaveState(lab: Lab, env: NodeJS.ProcessEnv = process.env): boolean {
  return (
    Boolean(env.PULUMI_BACKEND_URL) ||
    existsSync(join(lab.cloneDir, ".pulumi", "stacks", PROJECT, `${lab.stack}.json`))
  );
}

function readdirIfThere(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

const DONE =
  /^\s*(?:[+~<=-]+)?\s*(\S+:\S+:\S+)\s+(.+?)\s+(created|updated|deleted|replaced|read|refreshed|\*\*.*failed\*\*)\s*(\([^)]*\))?/;
const DOING =
  /^\s*(?:[+~<=-]+)?\s*(\S+:\S+:\S+)\s+(.+?)\s+(creating|updating|deleting|replacing|refreshing|reading) \(/;

/** Turns the engine's lines into progress: what was done, at most a line a second, and what is being done. */
export function condense(progress: Progress, now: () => number = Date.now): (line: string) => void {
  const doing = new Map<string, string>();
  let done = 0;
  let last = 0;
  const update = () => {
    const [first, ...others] = [...doing.values()];
    if (first) progress.status(others.length > 0 ? `${first} and ${others.length} more` : first);
  };
  return (line) => {
    const begun = DOING.exec(line);
    if (begun) {
      // The stack and the components last as long as what is in them, which says more.
      if (!/^(pulumi|oslo-faas):/.test(begun[1]!))
        doing.set(`${begun[1]} ${begun[2]}`, `${begun[3]} ${begun[1]} ${begun[2]}`);
      return update();
    }
    const ended = DONE.exec(line);
    if (ended) {
      const [, type, name, what, time] = ended;
      if (/^pulumi:pulumi:/.test(type!)) return;
      done += 1;
      doing.delete(`${type} ${name}`);
      update();
      const slow = Number(/\((\d+)s\)/.exec(time ?? "")?.[1] ?? 0) >= 3;
      if (!slow && !what!.startsWith("**") && now() - last < 1000) return;
      last = now();
      return progress.say(
        `${String(done).padStart(3)} done: ${type} ${name} ${what} ${time ?? ""}`.trimEnd(),
      );
    }
    if (/no changes were expected/.test(line)) return progress.say("something is to be changed");
    // What is repeated under "Diagnostics:" is indented and shown from there.
    if (/^\s*(error|warning): /.test(line)) progress.say(line.trim());
  };
}

/** The part of the engine's output that says what went wrong. */
export function diagnostics(output: string): string {
  const start = output.lastIndexOf("\nDiagnostics:");
  if (start < 0) return "";
  const rest = output.slice(start + 1);
  const end = rest.search(/\n(Outputs|Resources|Duration|Policies):?/);
  return (end < 0 ? rest : rest.slice(0, end)).trimEnd();
}

/** The counts at the end: "Resources:", then a line for each kind of change. */
function lastResourcesBlock(output: string): string {
  const start = output.lastIndexOf("\nResources:");
  if (start < 0) return "";
  const lines = output.slice(start + "\nResources:\n".length).split("\n");
  const end = lines.findIndex((line) => !/^\s+\S/.test(line));
  const block = lines.slice(0, end < 0 ? undefined : end);
  // "12 unchanged" next to "+ 1 created" is a change.
  return block.length === 1 ? block[0]! : "";
}
