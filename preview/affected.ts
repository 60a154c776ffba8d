/** Which environments a change can touch, judged by the files they are made of; in doubt, it can. */
import fs from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { environmentNames, fileOf, readEnvironment } from "../components/environment/files";

/** What every environment is made of: a folder ends with a slash. */
const SHARED = [
  "index.ts",
  "components/",
  "plugin/",
  "services/",
  "policy/",
  "templates/",
  "Pulumi.yaml",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "toolchain/program.cjs",
  "toolchain/preload.cjs",
  "toolchain/load.cjs",
  "toolchain/versions.json",
  "toolchain/go/",
];

/** The lab's stack is nobody's environment. */
const LEFT_OUT = "local";

export interface Affected {
  name: string;
  /** Changed files that it is made of; empty: untouched. */
  because: string[];
}

/** Environments of either side, in order, without the lab's. */
export function allEnvironments(trees: string[]): string[] {
  const names = trees.filter((tree) => fs.existsSync(path.join(tree, "stacks"))).flatMap(environmentNames);
  return [...new Set(names)].filter((name) => name !== LEFT_OUT).sort();
}

/** @param trees both sides: an environment is made of the files that either names */
export function affected(changed: string[], trees: string[]): Affected[] {
  return allEnvironments(trees).map((name) => {
    const made = [...SHARED, ...trees.flatMap((tree) => inputsOf(name, tree))];
    return { name, because: changed.filter((file) => made.some((input) => within(file, input))) };
  });
}

const within = (file: string, input: string) =>
  input.endsWith("/") ? file.startsWith(input) : file === input;

/** An environment's own file and what that names: its base, its lock file, the folders of its functions. */
export function inputsOf(name: string, tree: string): string[] {
  const own = fileOf(name);
  if (!fs.existsSync(path.join(tree, own))) return [own];
  const { written, layers } = readEnvironment(name, tree);
  const lock = (written.images as { lock?: unknown } | undefined)?.lock ?? "stacks/images.lock.json";
  const stacks = stacksOf(written.functions).flatMap((stack) => [stack, ...filesOf(stack, tree)]);
  const named = [...layers.map(({ file }) => file), ...(typeof lock === "string" ? [lock] : []), ...stacks];
  return [own, ...named.map((file) => path.posix.normalize(file))];
}

/** As it may be written: one or a list, each a path or a mapping with one. */
function stacksOf(functions: unknown): string[] {
  const entries = Array.isArray(functions) ? (functions as unknown[]) : [functions];
  return entries
    .map((entry) =>
      typeof entry === "string" ? entry : (entry as { stack?: unknown } | null | undefined)?.stack,
    )
    .filter((stack): stack is string => typeof stack === "string");
}

/** The folders that functions are built from, and the files that they read. Where their file cannot be read, everything beside it is one. */
function filesOf(stack: string, tree: string): string[] {
  const beside = path.posix.dirname(path.posix.normalize(stack));
  const inFolder = (below: string) => path.posix.join(beside, below);
  try {
    const file = parse(fs.readFileSync(path.join(tree, stack), "utf8")) as StackYaml | null;
    const functions = Object.values(file?.functions ?? {}).flatMap((one) => [
      ...(typeof one?.handler === "string" ? [`${inFolder(one.handler)}/`] : []),
      ...[one?.environment_file ?? []].flat().map((name) => inFolder(String(name))),
    ]);
    // Each may be a file or a folder.
    const copied = [file?.configuration?.copy ?? []].flat().map((name) => inFolder(String(name)));
    return [...functions, ...copied, ...copied.map((name) => `${name}/`)];
  } catch {
    return beside === "." ? [] : [`${beside}/`];
  }
}

interface StackYaml {
  functions?: Record<string, { handler?: unknown; environment_file?: unknown } | null>;
  configuration?: { copy?: unknown } | null;
}
