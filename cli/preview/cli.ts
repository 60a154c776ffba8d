/** `npm run preview:pr`: what the work tree changes in each environment, as one Markdown report. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { resolveToolchain } from "../../lab/toolchain/resolve";
import { affected, allEnvironments } from "./affected";
import { endAll } from "./children";
import { type Engine, run } from "./engine";
import { type EnvironmentPreview, isWrong, previewEnvironment, type Sides } from "./environment";
import { baseCommit, changedFiles, extract, isEdited, shortName } from "./git";
import { masker, secretsOfEnvironment } from "./mask";
import { type Options, parseOptions, USAGE, UsageError } from "./options";
import { policyOptions } from "./policy";
import { report, type ReportInput } from "./report";

const ROOT = path.resolve(__dirname, "../..");

/** @returns the exit code */
async function main(args: string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const commit = baseCommit(ROOT, options.base);
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
    return await compare(options, commit, { base: path.join(scratch, "tree"), head: ROOT, scratch });
  } finally {
    clean();
  }
}

async function compare(options: Options, commit: string, sides: Sides): Promise<number> {
  extract(ROOT, commit, sides.base);
  const trees = [sides.base, sides.head];
  const judged = affected(changedFiles(ROOT, commit), trees);
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
    throw new UsageError(
      `--env ${unknown.join(", ")}: there is no such environment. There is: ${known.join(", ")}.`,
    );
  const because = (name: string) => judged.find((one) => one.name === name)?.because ?? [];
  const environments = await previewAll(
    options,
    names.map((name) => ({ name, because: because(name) })),
    sides,
  );
  const input = {
    base: { commit: shortName(ROOT, commit), ref: options.base },
    head: { name: options.head ?? shortName(ROOT, "HEAD"), edited: isEdited(ROOT) },
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
): Promise<EnvironmentPreview[]> {
  if (targets.length === 0) return [];
  const toolchain = await resolveToolchain({ args: ["preview", "--stack", targets[0]!.name] });
  const engine: Engine = { program: toolchain.pulumi, env: toolchain.env };
  const policy = policyOptions(toolchain.kind, ROOT, sides.scratch, toolchain.env);
  // Engine and plugins leave files there when they are ended.
  const temporary = path.join(sides.scratch, "tmp");
  fs.mkdirSync(temporary);
  const settings = {
    engine: { ...engine, env: { ...engine.env, ...policy.env, TMPDIR: temporary } },
    stacks: await reachableStacks(engine),
    refresh: options.refresh,
    plans: options.plans,
    repair: options.repair,
    policy: policy.args,
  };
  return together(targets, os.availableParallelism(), (target) => {
    process.stderr.write(`preview: ${target.name}\n`);
    return previewEnvironment(target, sides, settings);
  });
}

/** In the order of the list, however they end. One has its own processes and folders, so only the machine limits how many run at once. */
async function together<A, B>(list: A[], limit: number, work: (one: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  const waiting = [...list.entries()];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: Math.min(limit, list.length) }, worker));
  return results;
}

/** Only a backend that was named on purpose is asked: a clone's own `.pulumi` says what somebody tried, not what is deployed. */
async function reachableStacks(engine: Engine): Promise<Set<string>> {
  if (!process.env.PULUMI_BACKEND_URL) return new Set();
  const { code, out, err } = await run(engine, ["stack", "ls", "--json"], ROOT);
  if (code !== 0) throw new Error(`the stacks at PULUMI_BACKEND_URL cannot be listed: ${err.trim()}`);
  const stacks = JSON.parse(out) as { name: string }[];
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

main(process.argv.slice(2))
  .then((code) => {
    process.exitCode = code;
  })
  .catch((error: Error) => {
    process.exitCode = 2;
    const known = error instanceof UsageError || error.constructor === Error;
    const hide = masker(secretsOfEnvironment(process.env));
    process.stderr.write(`${hide((known ? error.message : error.stack) ?? "")}\n`);
    if (error instanceof UsageError) process.stderr.write(`\n${USAGE}\n`);
  });
