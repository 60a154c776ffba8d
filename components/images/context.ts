/** The build context of a function's image: its template, its handler and what `configuration.copy` names, laid out once per change. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { FunctionOfFile } from "../functions/functionOfFile";
import type { FunctionBuild } from "../functions/stack";
import { makeFolder } from "../../shared/atomicFile";
import { withRegistry } from "../../shared/image";
import { inPackage } from "../../shared/packageFolder";
import { type ImageLock, resolve } from "./lock";

const TEMPLATES = "templates";
/** A handler with a Dockerfile of its own. */
export const DOCKERFILE = "dockerfile";
/** Never part of an image, whatever folder they lie in. */
const LEFT_OUT = new Set(["node_modules", ".git", "__pycache__", ".venv", "testdata", "build", "template"]);
/** The newest time that a file of a context may have: 2020-01-01, so that the same content is the same layer. */
const EPOCH = 1_577_836_800;

export interface BuildContext {
  /** Relative to the project, so that no machine's path gets into the state. */
  folder: string;
  /** First 12 hexadecimal digits of what is in it, of the arguments and of the base images. */
  hash: string;
  args: Record<string, string>;
}

/** What handlers can be written in: the folders of templates/ of the project and of this package, and a Dockerfile. */
export function languages(root = "."): string[] {
  const folders = [path.join(root, TEMPLATES), inPackage(TEMPLATES)]
    .filter((folder) => fs.existsSync(folder))
    .flatMap((folder) => fs.readdirSync(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory());
  return [...new Set([DOCKERFILE, ...folders.map(({ name }) => name)])].sort();
}

/** A template's folder, relative to the project: one of the project's own overrides the package's. */
export function templateFolder(lang: string, root = "."): string {
  const own = path.join(TEMPLATES, lang);
  return fs.existsSync(path.join(root, own)) ? own : path.relative(root, inPackage(TEMPLATES, lang));
}

export type BasePart = "node" | "python" | "go";

/** The part of the environment's `images` that is the base of a template's image. */
export const BASES: Readonly<Record<string, BasePart>> = { node: "node", python: "python", go: "go" };

/** The argument of a Dockerfile that takes a base, such as NODE_IMAGE. */
export const baseArgument = (part: BasePart): string => `${part.toUpperCase()}_IMAGE`;

/** The bases that a function takes from the environment: its template's, or those that its own Dockerfile has an argument for. */
export function baseParts({ lang, handler, args }: FunctionBuild, stackFile: string, root = "."): BasePart[] {
  if (lang !== DOCKERFILE) return BASES[lang] ? [BASES[lang]] : [];
  const file = path.join(root, dockerfileOf(lang, path.join(path.dirname(stackFile), handler), root));
  if (!fs.existsSync(file)) return [];
  const taken = argumentsOf(fs.readFileSync(file, "utf8"));
  return Object.values(BASES).filter((part) => {
    const name = baseArgument(part);
    return taken.includes(name) && !Object.hasOwn(args, name);
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

const argumentsOf = (dockerfile: string): string[] =>
  [...dockerfile.matchAll(/^\s*ARG\s+(\w+)/gim)].map(([, name]) => name!);

/** Whether an environment's functions are built from their handlers, by whatever engine, and not pulled. */
export const buildsFunctions = ({ own, functions }: { own: string; functions: string }): boolean =>
  own === "build" || functions === "loaded";

/** Why a function cannot be built, before anything is; nothing where it can. */
export function buildProblems({ build, spec, file, line }: FunctionOfFile, root = "."): string[] {
  if (!build) return [];
  const at = (key: string) => `${file}:${line(key) ?? line()}: functions.${spec.name}.${key}`;
  const known = languages(root);
  const isKnown = known.includes(build.lang);
  const handler = handlerProblem(build, file, root);
  return [
    ...(isKnown
      ? []
      : [
          `${at("lang")}: "${build.lang}" is no template; there is ${known.join(", ")}. An image that is built elsewhere says skip_build: true`,
        ]),
    ...(handler ? [`${at("handler")}: ${handler}`] : []),
    ...(isKnown ? argumentProblems(build, file, root) : []).map(
      ([name, problem]) => `${at("build_args")}.${name}: ${problem}`,
    ),
    ...build.copy.flatMap((extra) => copyProblems(extra, file, root)),
  ];
}

/** What each template runs; in Go any file of the package will do. */
const HANDLERS: Readonly<Record<string, { file: RegExp; name: string }>> = {
  node: { file: /^handler\.js$/, name: "handler.js" },
  python: { file: /^handler\.py$/, name: "handler.py" },
  go: { file: /(?<!_test)\.go$/, name: "handler.go" },
  [DOCKERFILE]: { file: /^Dockerfile$/, name: "Dockerfile" },
};

function handlerProblem({ lang, handler }: FunctionBuild, file: string, root: string): string | undefined {
  const folder = path.join(path.dirname(file), handler);
  const isFolder = (one: string) =>
    fs.statSync(path.join(root, one), { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isFolder(folder)) {
    const meant = isFolder(handler) ? path.relative(path.dirname(file), handler) : undefined;
    const hint = meant ? `; paths are relative to ${file}: write ${meant.replace(/^(?!\.)/, "./")}` : "";
    return `there is no folder ${folder}${hint}`;
  }
  const wanted = HANDLERS[lang];
  if (!wanted || fs.readdirSync(path.join(root, folder)).some((name) => wanted.file.test(name)))
    return undefined;
  return `there is no ${path.join(folder, wanted.name)}, which \`lang: ${lang}\` is built from`;
}

function argumentProblems({ lang, handler, args }: FunctionBuild, file: string, root: string): string[][] {
  const dockerfile = dockerfileOf(lang, path.join(path.dirname(file), handler), root);
  if (!fs.existsSync(path.join(root, dockerfile))) return [];
  const taken = argumentsOf(fs.readFileSync(path.join(root, dockerfile), "utf8"));
  return Object.keys(args)
    .filter((name) => !taken.includes(name))
    .map((name) => [name, `${dockerfile} takes no such argument; it has ${taken.join(", ") || "none"}`]);
}

/** Relative to the project. @param handler its folder, relative to the project */
export const dockerfileOf = (lang: string, handler: string, root = ".") =>
  path.join(lang === DOCKERFILE ? handler : templateFolder(lang, root), "Dockerfile");

function copyProblems(extra: string, file: string, root: string): string[] {
  const beside = path.dirname(file);
  const relative = path.relative(beside, path.join(beside, extra));
  const problem = (text: string) => [`${file}: configuration.copy: ${extra}: ${text}`];
  if (relative === "" || relative.startsWith("..") || path.isAbsolute(extra))
    return problem(`is not below ${beside}`);
  return fs.existsSync(path.join(root, beside, extra)) ? [] : problem("there is no such file or folder");
}

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
  const beside = path.dirname(stackFile);
  const handler = path.join(beside, build.handler);
  const into = build.lang === DOCKERFILE ? "" : "function";
  const content = new Map<string, string>();
  if (into) add(content, templateFolder(build.lang), "", new Set(["function"]));
  add(content, handler, into);
  for (const extra of build.copy) add(content, path.join(beside, extra), path.posix.join(into, extra));
  // BuildKit gives this time to what it writes by itself.
  const args = { SOURCE_DATE_EPOCH: String(EPOCH), ...bases, ...build.args };
  const hash = hashOf(content, args);
  const folder = path.join(".cache", "images", `fn-${name}-${hash}`);
  makeFolder(folder, (draft) => lay(content, draft));
  return { folder, hash, args };
}

/** From a path in the context to the file that is copied there. */
function add(
  content: Map<string, string>,
  from: string,
  to: string,
  skip: ReadonlySet<string> = new Set(),
): void {
  const stat = fs.lstatSync(from);
  if (stat.isSymbolicLink())
    throw new Error(`${from} is a symbolic link, which a build would not follow: put the file itself there`);
  if (stat.isFile()) return void content.set(to, from);
  for (const entry of fs.readdirSync(from).sort())
    if (!LEFT_OUT.has(entry) && !skip.has(entry))
      add(content, path.join(from, entry), path.posix.join(to, entry));
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

function lay(content: Map<string, string>, folder: string): void {
  for (const [to, from] of content) {
    const target = path.join(folder, to);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.copyFileSync(from, target);
    fs.chmodSync(target, modeOf(from));
    fs.utimesSync(target, EPOCH, EPOCH);
  }
}
