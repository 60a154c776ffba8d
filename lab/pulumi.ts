/** The lab's stack. What the engine prints goes whole into a log, and what it does condensed to the terminal. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import type { EngineEvent, OpType } from "@pulumi/pulumi/automation";
import { EngineError, type Operation, pulumi, stackOf, workspaceOf } from "../programs/pulumi";
import { lastLines } from "../programs/run";
import type { Lab } from "./config";
import { waitFor } from "./docker";
import { LabError } from "./errors";
import { startTimeOf } from "./engine";
import type { Progress } from "./progress";

/** What toolchain/ resolves: where the engine is and what environment it wants. */
export interface Engine {
  pulumi: string;
  env: NodeJS.ProcessEnv;
  version: string;
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
    await this.step(`make the stack ${this.lab.stack}`, async () =>
      (await this.workspace()).createStack(this.lab.stack),
    );
    this.removeSalt();
  }

  /** The engine notes a salt in the stack's file under stacks/; a lab with a derived file has one of its own in that. */
  private removeSalt(): void {
    if (!this.lab.derivedStackFile) return;
    rmSync(join(this.lab.cloneDir, "stacks", `Pulumi.${this.lab.stack}.yaml`), { force: true });
  }

  async exists(): Promise<boolean> {
    if (this.stateFile()) return existsSync(this.stateFile()!);
    const stacks = await this.step("list the stacks", async () => (await this.workspace()).listStacks());
    return stacks.some(({ name }) => basename(name) === this.lab.stack);
  }

  async state(): Promise<StackState> {
    const args = ["stack", "export", "--stack", this.lab.stack];
    const { stdout } = await this.step("read the stack's state", async () => {
      const ended = await pulumi(this.driven(), args, this.operation());
      if (ended.problem) throw new EngineError(args, ended);
      return ended;
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
      const options = { force: true, preserveConfig: true };
      await this.step(`forget the stack ${this.lab.stack}`, async () =>
        (await this.workspace()).removeStack(this.lab.stack, options),
      );
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
    this.progress.status("comparing the host with the program");
    const stack = await this.stack(5 * MINUTE);
    try {
      await stack.preview({ ...this.options(), expectNoChanges: true });
      return true;
    } catch (error) {
      // Something would change, or the preview failed; `up` shows which.
      if (!(error instanceof EngineError)) throw error;
      if (/no changes were expected/.test(error.ended.output))
        this.progress.say("something is to be changed");
      return false;
    }
  }

  /** `pulumi up`. Resolves to true when it changed something. */
  async up({ preview }: { preview: boolean }): Promise<boolean> {
    const stack = await this.stack(30 * MINUTE);
    return this.step(`bring up the stack ${this.lab.stack}`, async (onEvent) => {
      this.progress.status("previewing");
      if (preview) await stack.preview({ ...this.options(), onEvent });
      const { summary } = await stack.up({ ...this.options(), onEvent });
      return Object.keys(summary.resourceChanges ?? {}).some((op) => op !== "same");
    });
  }

  async destroy(limitMs: number): Promise<void> {
    const stack = await this.stack(limitMs);
    await this.step(`destroy the stack ${this.lab.stack}`, (onEvent) =>
      stack.destroy({ ...this.options(), onEvent }),
    );
  }

  /** The stack's outputs, secrets in the clear: never to be printed. */
  async outputs(): Promise<Record<string, unknown>> {
    const outputs = await this.step("read the stack's outputs", async () => (await this.stack()).outputs());
    return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value as unknown]));
  }

  private driven = () => ({
    program: this.engine.pulumi,
    env: this.environment(),
    version: this.engine.version,
  });

  private operation = (limitMs = 2 * MINUTE): Operation => ({ cwd: this.lab.cloneDir, limitMs });

  private stack = (limitMs?: number) => stackOf(this.driven(), this.lab.stack, this.operation(limitMs));

  private workspace = () => workspaceOf(this.driven(), this.operation());

  /** What every operation is given. Outputs, with their secrets, are asked for apart and do not get into the log. */
  private options() {
    mkdirSync(dirname(this.log), { recursive: true });
    const onOutput = (text: string) => appendFileSync(this.log, text, { mode: 0o600 });
    return { onOutput, configFile: this.lab.derivedStackFile };
  }

  /** Says what is being done, and on failure what the engine found wrong. */
  private async step<T>(
    what: string,
    work: (onEvent: (event: EngineEvent) => void) => Promise<T>,
  ): Promise<T> {
    const wrong: string[] = [];
    const show = condense(this.progress);
    try {
      return await work((event) => {
        show(event);
        const { severity, message, urn } = event.diagnosticEvent ?? {};
        if (severity === "error") wrong.push(`  ${urn ? `${typeAndName(urn)}: ` : ""}${message?.trim()}`);
      });
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      throw new LabError(
        `Could not ${what}.\n${wrong.join("\n") || lastLines(error.ended.output)}`,
        existsSync(this.log) ? `All that the engine printed: ${this.log}` : undefined,
      );
    }
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

const WORDS: Partial<Record<OpType, [doing: string, done: string]>> = {
  create: ["creating", "created"],
  "create-replacement": ["creating", "created"],
  update: ["updating", "updated"],
  delete: ["deleting", "deleted"],
  "delete-replaced": ["deleting", "deleted"],
  replace: ["replacing", "replaced"],
  refresh: ["refreshing", "refreshed"],
  read: ["reading", "read"],
};

/** "urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME" → "TYPE NAME". */
function typeAndName(urn: string): string {
  const [, , types = "", ...name] = urn.split("::");
  return `${types.split("$").at(-1)} ${name.join("::")}`;
}

/** Turns the engine's events into progress: what was done, at most a line a second, and what is being done. */
export function condense(progress: Progress, now: () => number = Date.now): (event: EngineEvent) => void {
  const doing = new Map<string, { text: string; since: number }>();
  let done = 0;
  let last = 0;
  const update = () => {
    const [first, ...others] = [...doing.values()];
    if (first) progress.status(others.length > 0 ? `${first.text} and ${others.length} more` : first.text);
  };
  const ended = ({ op, urn }: { op: OpType; urn: string }, failed: boolean) => {
    const words = WORDS[op];
    if (!words || /^pulumi:pulumi:/.test(typeAndName(urn))) return;
    const at = now();
    const seconds = Math.round((at - (doing.get(urn)?.since ?? at)) / 1000);
    done += 1;
    doing.delete(urn);
    update();
    if (!failed && seconds < 3 && at - last < 1000) return;
    last = at;
    const what = failed ? `**${words[0]} failed**` : `${words[1]} (${seconds}s)`;
    progress.say(`${String(done).padStart(3)} done: ${typeAndName(urn)} ${what}`);
  };
  return ({
    resourcePreEvent: begun,
    resOutputsEvent: after,
    resOpFailedEvent: failed,
    diagnosticEvent: told,
  }) => {
    if (begun && !begun.planning && WORDS[begun.metadata.op]) {
      const { op, urn } = begun.metadata;
      const what = typeAndName(urn);
      // The stack and the components last as long as what is in them, which says more.
      if (/^(pulumi|oslo-faas):/.test(what)) return;
      doing.set(urn, { text: `${WORDS[op]![0]} ${what}`, since: now() });
      update();
    }
    if (after && !after.planning) ended(after.metadata, false);
    if (failed) ended(failed.metadata, true);
    if (told && (told.severity === "error" || told.severity === "warning"))
      progress.say(`${told.severity}: ${told.message.trim().split("\n")[0]}`);
  };
}
