/** The build context of a function's image: its template, its handler and what `configuration.copy` names, laid out once per change. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { FunctionBuild } from "./stack";
import ignore from "@balena/dockerignore";
import { makeFolder } from "../../shared/atomicFile";
import { withRegistry } from "../../shared/image";
import { type ImageLock, resolve } from "../images/lock";
import { argumentsOf, isOwnTemplate, PACKAGES, packagesOf, templateOf } from "./templates";

/** Never part of an image, whatever folder they lie in. */
const LEFT_OUT = /^(node_modules|\.git|\.gitignore|__pycache__|\.venv|\.DS_Store)$/;
/** No part of an image at the handler's top: the first two are faas-cli's own folders, the third is Go's for tests. */
const LEFT_OUT_AT_TOP = /^(build|template|testdata)$/;
/** Files for tests of a handler, by the template that it is written for. */
const TESTS: Readonly<Record<string, RegExp>> = {
  go: /_test\.go$/,
  node: /\.(test|spec)\.[cm]?js$/,
  python: /^(test_.*|.*_test|conftest)\.py$/,
};
/** The newest time that a file of a context may have: 2020-01-01, so that the same content is the same layer. */
const EPOCH = 1_577_836_800;

export interface BuildContext {
  /** Relative to the project, so that no machine's path gets into the state. */
  folder: string;
  /** First 12 hexadecimal digits of what is in it, of the arguments and of the base images. */
  hash: string;
  args: Record<string, string>;
}

export type BasePart = "node" | "python" | "go";

/** The part of the environment's `images` that is the base of a template's image. */
export const BASES: Readonly<Record<string, BasePart>> = { node: "node", python: "python", go: "go" };

/** The argument of a Dockerfile that takes a base, such as NODE_IMAGE. */
export const baseArgument = (part: BasePart): string => `${part.toUpperCase()}_IMAGE`;

/** The bases that a function takes from the environment: its template's, or those that another Dockerfile has an argument for. */
export function baseParts(build: FunctionBuild, stackFile: string, root = "."): BasePart[] {
  const own = isOwnTemplate(build, stackFile, root) ? BASES[build.lang] : undefined;
  if (own) return [own];
  const taken = argumentsOf(build, stackFile, root) ?? [];
  return Object.values(BASES).filter((part) => {
    const name = baseArgument(part);
    return taken.includes(name) && !Object.hasOwn(build.args, name);
  });
}

/** Images of the environment by the argument that takes them. */
export function basesOf(
  parts: BasePart[],
  images: Record<BasePart, string> & { registry?: string },
  lock: ImageLock,
): Record<string, string> {
  const image = (part: BasePart) => resolve(withRegistry(images[part], images.registry), lock).reference;
  return Object.fromEntries(parts.map((part) => [baseArgument(part), image(part)]));
}

/** Whether an environment's functions are built from their handlers, by whatever engine, and not pulled. */
export const buildsFunctions = ({ own, functions }: { own: string; functions: string }): boolean =>
  own === "build" || functions === "loaded";

/**
 * @param bases what `basesOf` gives
 * @throws an Error for what a context cannot hold
 */
export function packFunction(
  name: string,
  build: FunctionBuild,
  stackFile: string,
  bases: Record<string, string>,
): BuildContext {
  const content = contentOf(build, stackFile);
  const packages = packagesOf(build, stackFile);
  // BuildKit gives this time to what it writes by itself.
  const args = {
    SOURCE_DATE_EPOCH: String(EPOCH),
    ...bases,
    ...build.args,
    ...(packages === undefined ? {} : { [PACKAGES]: packages }),
  };
  const hash = hashOf(content, args);
  const folder = path.join(".cache", "images", `fn-${name}-${hash}`);
  makeFolder(folder, (draft) => layOut(content, draft));
  return { folder, hash, args };
}

/** From a path in the context to the file that is copied there. */
export function contentOf(build: FunctionBuild, stackFile: string, root = "."): Map<string, string> {
  const at = (folder: string) => path.join(root, folder);
  const beside = path.dirname(stackFile);
  const template = templateOf(build.lang, stackFile, root);
  const into = template?.handlerFolder ?? "";
  const content = new Map<string, string>();
  // The sample handler of a template of this project is no part of it; OpenFaaS's overlay theirs.
  const sample = template?.openfaas ? /^meta\.json$/ : /^function$/;
  if (template) add(content, at(template.folder), "", (name, top) => top && sample.test(name));
  const tests = template?.openfaas ? undefined : TESTS[build.lang];
  const leave = (name: string, top: boolean) =>
    (top && LEFT_OUT_AT_TOP.test(name)) || (tests?.test(name) ?? false);
  add(content, at(path.join(beside, build.handler)), into, leave);
  for (const extra of build.copy) add(content, at(path.join(beside, extra)), path.posix.join(into, extra));
  return withoutIgnored(content);
}

/** Folders of the handler that stay out of the image although their names do not say so. */
export function leftOutFolders({ handler }: FunctionBuild, stackFile: string, root = "."): string[] {
  const folder = path.join(path.dirname(stackFile), handler);
  const entries = fs.existsSync(path.join(root, folder))
    ? fs.readdirSync(path.join(root, folder), { withFileTypes: true })
    : [];
  return entries
    .filter((entry) => entry.isDirectory() && LEFT_OUT_AT_TOP.test(entry.name))
    .map(({ name }) => path.join(folder, name));
}

type Leave = (name: string, isTop: boolean) => boolean;

function add(content: Map<string, string>, from: string, to: string, leave?: Leave, isTop = true): void {
  const stat = fs.lstatSync(from);
  if (stat.isSymbolicLink())
    throw new Error(`${from} is a symbolic link, which a build would not follow: put the file itself there`);
  if (stat.isFile()) return void content.set(path.posix.normalize(to), from);
  for (const entry of fs.readdirSync(from).sort())
    if (!LEFT_OUT.test(entry) && !leave?.(entry, isTop))
      add(content, path.join(from, entry), path.posix.join(to, entry), leave, false);
}

/** What a .dockerignore names goes into no image, and so is no reason for another one. */
function withoutIgnored(content: Map<string, string>): Map<string, string> {
  const file = content.get(".dockerignore");
  if (!file) return content;
  const rules = ignore({ ignorecase: false }).add(fs.readFileSync(file, "utf8"));
  const isKept = (name: string) =>
    name === "Dockerfile" || !(name === ".dockerignore" || rules.ignores(name));
  return new Map([...content].filter(([name]) => isKept(name)));
}

function hashOf(content: Map<string, string>, args: Record<string, string>): string {
  const hash = createHash("sha256").update(JSON.stringify(Object.entries(args).sort()));
  for (const [to, from] of [...content].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash
      .update(`\0${to}\0${modeOf(from)}\0`)
      .update(fs.readFileSync(from))
      .update("\0");
  return hash.digest("hex").slice(0, 12);
}

/** What git keeps of a mode, so that the umask of a machine is in no image. */
const modeOf = (file: string) => (fs.statSync(file).mode & 0o100 ? 0o755 : 0o644);

/** Copies the files of a context, with the times and modes that it has on every machine. */
export function layOut(content: Map<string, string>, folder: string): void {
  for (const [to, from] of content) {
    const target = path.join(folder, to);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.copyFileSync(from, target);
    fs.chmodSync(target, modeOf(from));
    fs.utimesSync(target, EPOCH, EPOCH);
  }
}
