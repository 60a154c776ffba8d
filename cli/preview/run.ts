/** `oslo-faas preview`: what the work tree changes in each environment, as one Markdown report. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Engine, workspaceOf } from "../../programs/pulumi";
import { endAll } from "../../programs/run";
import type { Context } from "../context";
import { UsageError } from "../errors";
import { inParallel } from "../../shared/inParallel";
import { affected, allEnvironments } from "./affected";
import { type EnvironmentPreview, isWrong, previewEnvironment, type Sides } from "./environment";
import { baseCommit, changedFiles, extract, isEdited, shortName } from "./git";
import { masker, secretsOfEnvironment } from "./mask";
import { policyOptions } from "./policy";
import { report, type ReportInput } from "./report";

export interface Options {
  /** Branch, tag or commit to compare with. */
  base: string;
  /** Name of the work tree in the report. Default: its commit. */
  head?: string;
  /** Environments to preview. Default: those whose inputs changed. */
  environments: string[];
  /** Ask the hosts and show drift. Default: false. */
  refresh: boolean;
  /** File for the report. Default: stdout. */
  out?: string;
  /** Folder for one comment per environment, NAME.md. Default: none. */
  comments?: string;
  /** Folder for the saved plans, NAME.json. Needs the state. Default: none. */
  plans?: string;
  /** The saved plans also revert drift. Default: false. */
  repair: boolean;
  /** Do not shorten the report (never the comments). Default: false. */
  whole: boolean;
  /** Only print the names of environments whose inputs changed, as JSON. */
  list: boolean;
}

type Surroundings = Pick<Context, "root" | "engine">;

/** @returns the exit code */
export async function run(options: Options, context: Surroundings): Promise<number> {
  const { root } = context;
  const commit = baseCommit(root, options.base);
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-preview-"));
  const clean = () => fs.rmSync(scratch, { recursive: true, force: true });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => {
      void endAll().finally(() => {
        clean();
        process.exit(128 + os.constants.signals[signal]);
      });
    });
  try {
    return await compare(options, commit, { base: path.join(scratch, "tree"), head: root, scratch }, context);
  } finally {
    clean();
  }
}

async function compare(
  options: Options,
  commit: string,
  sides: Sides,
  context: Surroundings,
): Promise<number> {
  const { root } = context;
  extract(root, commit, sides.base);
  const trees = [sides.base, sides.head];
  const judged = affected(changedFiles(root, commit), trees);
  const touched = judged.filter(({ because }) => because.length > 0).map(({ name }) => name);
  if (options.list) {
    const there = allEnvironments([sides.head]);
    process.stdout.write(`${JSON.stringify(touched.filter((name) => there.includes(name)))}\n`);
    return 0;
  }
  const names = options.environments.length > 0 ? options.environments : touched;
  const known = allEnvironments(trees);
  const unknown = names.filter((name) => name !== "local" && !known.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`${unknown.join(", ")}: no such environment. Environments: ${known.join(", ")}.`);
  const because = (name: string) => judged.find((one) => one.name === name)?.because ?? [];
  const environments = await previewAll(
    options,
    names.map((name) => ({ name, because: because(name) })),
    sides,
    context,
  );
  const input = {
    base: { commit: shortName(root, commit), ref: options.base },
    head: { name: options.head ?? shortName(root, "HEAD"), edited: isEdited(root) },
    untouched: judged.map(({ name }) => name).filter((name) => ![...names, ...touched].includes(name)),
    skipped: touched.filter((name) => !names.includes(name)),
  };
  publish(options, input, environments);
  return environments.some(isWrong) ? 1 : 0;
}

async function previewAll(
  options: Options,
  targets: { name: string; because: string[] }[],
  sides: Sides,
  context: Surroundings,
): Promise<EnvironmentPreview[]> {
  if (targets.length === 0) return [];
  const engine = await context.engine(["preview", "--stack", targets[0]!.name]);
  const policy = policyOptions(engine.kind ?? "official", context.root, sides.scratch, engine.env);
  // Engine and plugins leave files there when they are killed.
  const temporary = path.join(sides.scratch, "tmp");
  fs.mkdirSync(temporary);
  const settings = {
    engine: { ...engine, env: { ...engine.env, ...policy.env, TMPDIR: temporary } },
    stacks: await reachableStacks(engine, context.root),
    refresh: options.refresh,
    plans: options.plans,
    repair: options.repair,
    policy: policy.options,
  };
  // Results keep the order of the list. Each run has its own processes and folders, so only the machine limits their number.
  const results: EnvironmentPreview[] = [];
  await inParallel([...targets.entries()], os.availableParallelism(), async ([index, target]) => {
    process.stderr.write(`preview: ${target.name}\n`);
    results[index] = await previewEnvironment(target, sides, settings);
  });
  return results;
}

/** Only a backend that was named explicitly counts: a clone's own `.pulumi` has what somebody tried, not what is deployed. */
async function reachableStacks(engine: Engine, root: string): Promise<Set<string>> {
  if (!process.env.PULUMI_BACKEND_URL) return new Set();
  const workspace = await workspaceOf(engine, { cwd: root });
  const stacks = await workspace.listStacks().catch((error: Error) => {
    throw new Error(`the stacks at PULUMI_BACKEND_URL cannot be listed: ${error.message}`, { cause: error });
  });
  return new Set(stacks.map(({ name }) => name.split("/").at(-1)!));
}

function publish(
  { out, comments, whole }: Options,
  input: Omit<ReportInput, "environments">,
  environments: EnvironmentPreview[],
): void {
  const hide = masker(secretsOfEnvironment(process.env));
  const text = report({ ...input, environments }, { hide, ...(whole ? { limit: Infinity } : {}) });
  if (out) write(out, text);
  else process.stdout.write(text);
  if (!comments) return;
  for (const one of environments)
    write(
      path.join(comments, `${one.name}.md`),
      report({ ...input, skipped: [], environments: [one] }, { hide }),
    );
}

function write(file: string, text: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}
