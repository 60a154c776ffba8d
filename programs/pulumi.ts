/**
 * Drives Pulumi through its Automation API, with the engine that was resolved and the one runner of programs.
 *
 * `pulumi` below is the command line, for what the API has no way for: a state without its secrets in the clear (`stack export`), values
 * for a config file elsewhere (`config set-all --config-file`), an `up` that does not ask for outputs and history afterwards, which is
 * three more starts of the engine, and a terminal that is asked for a passphrase (cli/env/preview.ts).
 */
import type { LocalWorkspace, Stack } from "@pulumi/pulumi/automation";
import { SemVer } from "semver";
import { type Ended, lastLines, run } from "./run";

/** A Pulumi that can be started. */
export interface Engine {
  program: string;
  /** The whole environment that it is started with. */
  env: NodeJS.ProcessEnv;
  /** Default: it is asked. */
  version?: string;
  /** A `built` engine cannot start a policy pack by itself. Default: "official" */
  kind?: "official" | "downloaded" | "built";
}

export interface Operation {
  /** The project's folder. */
  cwd: string;
  /** Default: 10 min. */
  limitMs?: number;
  /** Each piece of what the command prints. An operation of the API has its own. */
  onOutput?: (piece: string) => void;
}

const LIMIT_MS = 10 * 60_000;

/** An operation that failed, with what the engine printed. */
export class EngineError extends Error {
  constructor(
    args: string[],
    readonly ended: Ended,
  ) {
    super(
      `pulumi ${args.slice(0, 2).join(" ")} ${ended.problem}\n${lastLines(ended.stderr || ended.stdout)}`,
    );
    this.name = "EngineError";
  }
}

/**
 * Runs the engine's command, as the head of a process group. Never rejects for an engine that fails: `problem` says so.
 * @throws an Error when it cannot be started or takes longer than `limitMs`
 */
export async function pulumi(
  engine: Engine,
  args: string[],
  { cwd, limitMs, onOutput }: Operation,
): Promise<Ended> {
  const ended = await run(engine.program, [...args, "--non-interactive", "--color", "never"], {
    cwd,
    env: engine.env,
    limitMs: limitMs ?? LIMIT_MS,
    group: true,
    onOutput: onOutput && ((piece) => onOutput(piece.toString())),
  });
  if (ended.code === undefined)
    throw new Error(`pulumi ${args.slice(0, 2).join(" ")} ${ended.problem}, in ${cwd}`);
  return ended;
}

const versions = new Map<string, Promise<string>>();

function versionOf({ program, env, version }: Engine, cwd: string): Promise<string> {
  if (version) return Promise.resolve(version);
  const known = versions.get(program);
  if (known) return known;
  const asked = pulumi({ program, env }, ["version"], { cwd }).then(({ stdout }) => stdout.trim());
  versions.set(program, asked);
  return asked;
}

/** A project's stacks. The same stays selected: a person's choice is not ours to change. */
export async function workspaceOf(engine: Engine, operation: Operation): Promise<LocalWorkspace> {
  // Loaded here: the SDK takes longer than most commands.
  const { LocalWorkspace } = await import("@pulumi/pulumi/automation");
  const command = {
    command: engine.program,
    version: new SemVer(await versionOf(engine, operation.cwd)),
    /** What the API's own PulumiCommand has, but bounded, in a group, and with the engine's environment alone. */
    async run(args: string[], cwd: string, more: Record<string, string>, onOutput?: (text: string) => void) {
      const verb = args.slice(0, 2).join(" ");
      // Every command of a Stack names it.
      if (verb === "stack select") return { stdout: "", stderr: "", code: 0 };
      const all = verb === "stack init" ? [...args, "--no-select"] : args;
      const own = { ...engine, env: { ...engine.env, ...more } };
      const ended = await pulumi(own, all, { ...operation, cwd, onOutput });
      if (ended.problem) throw new EngineError(args, ended);
      return ended;
    },
  };
  return LocalWorkspace.create({
    workDir: operation.cwd,
    secretsProvider: "passphrase",
    pulumiCommand: command,
  });
}

/** A stack, for one operation. */
export async function stackOf(engine: Engine, name: string, operation: Operation): Promise<Stack> {
  const { Stack } = await import("@pulumi/pulumi/automation");
  return Stack.select(name, await workspaceOf(engine, operation));
}
