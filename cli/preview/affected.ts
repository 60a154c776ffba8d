/** Which environments a change can touch, judged by the files they are made of; in doubt, it can. */
import fs from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { environmentNames, fileOf, readEnvironment } from "../../environment/files";
import { DEFAULT_LOCK } from "../../environment/lockFile";

/** What every environment is made of: a folder ends with a slash. */
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

function within(file: string, input: string): boolean {
  if (input === EVERYTHING) return true;
  return input.endsWith("/") ? file.startsWith(input) : file === input;
}

/** The project's own folder. */
const EVERYTHING = "./";

/** An environment's own file and what that names: its base, its lock file, its host's keys, the folders of its functions. */
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

/** Keys of the host, and of one on the way to it. */
function keyFiles(host: unknown): string[] {
  if (typeof host !== "object" || host === null) return [];
  return Object.entries(host).flatMap(([key, value]) => {
    if (typeof value === "string") return /(File|Path)$/.test(key) ? [value] : [];
    return keyFiles(value);
  });
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
  try {
    // As the program reads it: every scalar is a text, and mappings can be merged.
    const options = { schema: "failsafe", merge: true } as const;
    const file = parse(fs.readFileSync(path.join(tree, stack), "utf8"), options) as StackYaml | null;
    const functions = Object.values(file?.functions ?? {}).flatMap((one) => [
      ...(typeof one?.handler === "string" ? [folder(beside, one.handler)] : []),
      ...[one?.environment_file ?? []].flat().flatMap((name) => fileOrFolder(beside, String(name))),
    ]);
    const copied = [file?.configuration?.copy ?? []].flat();
    return [...functions, ...copied.flatMap((name) => fileOrFolder(beside, String(name)))];
  } catch {
    return [folder(beside, ".")];
  }
}

const fileOrFolder = (beside: string, name: string): string[] => [
  path.posix.join(beside, name),
  folder(beside, name),
];

/** With a slash at the end. What only a variable says can be anything there, and what lies above the project holds all of it. */
function folder(beside: string, below: string): string {
  const known = below.includes("$") ? path.posix.dirname(below.slice(0, below.indexOf("$") + 1)) : below;
  const joined = path.posix.join(beside, known, "/");
  return joined === "/" || joined.startsWith("../") ? EVERYTHING : joined;
}

interface StackYaml {
  functions?: Record<string, { handler?: unknown; environment_file?: unknown } | null>;
  configuration?: { copy?: unknown } | null;
}
