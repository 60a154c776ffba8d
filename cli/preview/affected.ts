/** Finds the environments that a change can affect, by their files; in doubt, it can. */
import fs from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { environmentNames, fileOf, readEnvironment } from "../../environment/files";
import { DEFAULT_LOCK } from "../../environment/lockFile";

/** Files of every environment; a folder ends with a slash. */
const SHARED = [
  "index.ts",
  "components/",
  "environment/",
  "providers/",
  "shared/",
  "services/",
  "policy/",
  "templates/",
  "Pulumi.yaml",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "bundle/",
  "lab/toolchain/versions.json",
  "lab/toolchain/go/",
];

/** The lab's stack is not an environment. */
const LEFT_OUT = "local";

export interface Affected {
  name: string;
  /** Changed files of the environment; empty: not affected. */
  because: string[];
}

/** Environments of both sides, sorted, without the lab's. */
export function allEnvironments(trees: string[]): string[] {
  const names = trees.filter((tree) => fs.existsSync(path.join(tree, "stacks"))).flatMap(environmentNames);
  return [...new Set(names)].filter((name) => name !== LEFT_OUT).sort();
}

/** @param trees both sides; an environment has the files that either names */
export function affected(changed: string[], trees: string[]): Affected[] {
  return allEnvironments(trees).map((name) => {
    const made = [...SHARED, ...trees.flatMap((tree) => inputsOf(name, tree))];
    return { name, because: changed.filter((file) => made.some((input) => within(file, input))) };
  });
}

function within(file: string, input: string): boolean {
  if (input === EVERYTHING) return true;
  return input.endsWith("/") ? file.startsWith(input) : file === input;
}

/** The project's own folder. */
const EVERYTHING = "./";

/** An environment's file and the files that it names: base, lock file, host keys, folders of functions. */
export function inputsOf(name: string, tree: string): string[] {
  const own = fileOf(name);
  if (!fs.existsSync(path.join(tree, own))) return [own];
  const { written, layers } = readEnvironment(name, tree);
  const lock = (written.images as { lock?: unknown } | null | undefined)?.lock ?? DEFAULT_LOCK;
  const stacks = stacksOf(written.functions).flatMap((stack) => [stack, ...filesOf(stack, tree)]);
  const named = [
    ...layers.map(({ file }) => file),
    ...(typeof lock === "string" ? [lock] : []),
    ...keyFiles(written.host),
    ...stacks,
  ];
  return [own, ...named.map((file) => path.posix.normalize(file))];
}

/** Keys of the host and of its jump host. */
function keyFiles(host: unknown): string[] {
  if (typeof host !== "object" || host === null) return [];
  return Object.entries(host).flatMap(([key, value]) => {
    if (typeof value === "string") return /(File|Path)$/.test(key) ? [value] : [];
    return keyFiles(value);
  });
}

/** Accepts one entry or a list; each is a path or a mapping with one. */
function stacksOf(functions: unknown): string[] {
  const entries = Array.isArray(functions) ? (functions as unknown[]) : [functions];
  return entries
    .map((entry) =>
      typeof entry === "string" ? entry : (entry as { stack?: unknown } | null | undefined)?.stack,
    )
    .filter((stack): stack is string => typeof stack === "string");
}

/** Folders and files that functions are built from. If the function file cannot be read, its whole folder. */
function filesOf(stack: string, tree: string): string[] {
  const beside = path.posix.dirname(path.posix.normalize(stack));
  try {
    // Like the program: every scalar is a text, and mappings can be merged.
    const options = { schema: "failsafe", merge: true } as const;
    const file = parse(fs.readFileSync(path.join(tree, stack), "utf8"), options) as StackYaml | null;
    const functions = Object.values(file?.functions ?? {}).flatMap((one) => [
      ...(typeof one?.handler === "string" ? [folder(beside, one.handler)] : []),
      ...[one?.environment_file ?? []].flat().flatMap((name) => fileOrFolder(beside, name)),
    ]);
    const copied = [file?.configuration?.copy ?? []].flat();
    return [...functions, ...copied.flatMap((name) => fileOrFolder(beside, name))];
  } catch {
    return [folder(beside, ".")];
  }
}

const fileOrFolder = (beside: string, name: string): string[] => [
  path.posix.join(beside, name),
  folder(beside, name),
];

/** With a slash at the end. A path with a variable can be anything, and a path above the project contains all of it. */
function folder(beside: string, below: string): string {
  const known = below.includes("$") ? path.posix.dirname(below.slice(0, below.indexOf("$") + 1)) : below;
  const joined = path.posix.join(beside, known, "/");
  return joined === "/" || joined.startsWith("../") ? EVERYTHING : joined;
}

interface StackYaml {
  functions?: Record<string, { handler?: unknown; environment_file?: string | string[] } | null>;
  configuration?: { copy?: string | string[] } | null;
}
