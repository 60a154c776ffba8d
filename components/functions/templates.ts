/**
 * What handlers are put into: templates of this project and of this package (templates/), and OpenFaaS's own where a folder
 * template/<lang> lies beside the stack.yml or in the project, which is what `faas-cli template pull` leaves.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { inPackage } from "../../shared/packageFolder";
import { readYaml } from "./yaml";
import type { FunctionBuild } from "./stack";

const OWN = "templates";
const OPENFAAS = "template";
/** A handler with a Dockerfile of its own. */
export const DOCKERFILE = "dockerfile";
/** The argument by which a Dockerfile of OpenFaaS's takes packages of the system. */
export const PACKAGES = "ADDITIONAL_PACKAGE";

export interface Template {
  /** Relative to the project. */
  folder: string;
  /** Where the handler goes, relative to it. */
  handlerFolder: string;
  /** Undefined for a template of this project. */
  openfaas?: OpenFaaSTemplate;
}

/** What a template.yml says. */
export interface OpenFaaSTemplate {
  fprocess?: string;
  welcome?: string;
  /** Packages by the name of the option that brings them. */
  options: Record<string, string[]>;
  /** Why it cannot be used. */
  problem?: string;
}

/** What handlers can be written in, where a stack.yml lies. */
export function languages(root = ".", stackFile = ""): string[] {
  const folders = [...openfaasFolders(stackFile, root), path.join(root, OWN), inPackage(OWN)];
  const found = folders
    .filter((folder) => fs.existsSync(folder))
    .flatMap((folder) => fs.readdirSync(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory());
  return [...new Set([DOCKERFILE, ...found.map(({ name }) => name)])].sort();
}

const openfaasFolders = (stackFile: string, root: string): string[] => [
  ...new Set([path.join(root, path.dirname(stackFile), OPENFAAS), path.join(root, OPENFAAS)]),
];

/** OpenFaaS's overrides the project's own, and that the package's. Undefined for `dockerfile` and for what is no template. */
export function templateOf(lang: string, stackFile: string, root = "."): Template | undefined {
  if (lang === DOCKERFILE || !/^[\w.@-]+$/.test(lang)) return undefined;
  const isFolder = (folder: string) => fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const pulled = openfaasFolders(stackFile, root)
    .map((folder) => path.join(folder, lang))
    .find(isFolder);
  if (pulled) return openfaasTemplate(path.relative(root, pulled), root);
  const own = [path.join(root, OWN, lang), inPackage(OWN, lang)].find(isFolder);
  return own ? { folder: path.relative(root, own), handlerFolder: "function" } : undefined;
}

function openfaasTemplate(folder: string, root: string): Template {
  const file = path.join(folder, "template.yml");
  const found = { folder, handlerFolder: "function" };
  const full = path.join(root, file);
  if (!fs.existsSync(full)) return { ...found, openfaas: { options: {}, problem: `there is no ${file}` } };
  const { value, problems } = readYaml(fs.readFileSync(full, "utf8"));
  const key = (name: string): unknown =>
    typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  const text = (name: string) => {
    const given = key(name);
    return typeof given === "string" && given !== "" ? given : undefined;
  };
  const handlerFolder = text("handler_folder") ?? found.handlerFolder;
  const openfaas: OpenFaaSTemplate = { options: optionsOf(key("build_options")) };
  const [fprocess, welcome] = [text("fprocess"), text("welcome_message")];
  if (fprocess) openfaas.fprocess = fprocess;
  if (welcome) openfaas.welcome = welcome;
  if (problems[0]) openfaas.problem = `${file}:${problems[0].line}: ${problems[0].text}`;
  else if (path.posix.normalize(`/${handlerFolder}`) !== `/${handlerFolder}`)
    openfaas.problem = `${file}: handler_folder: ${handlerFolder} must be a folder below the template`;
  else if (text("mount_ssh") === "true")
    openfaas.problem = `${file}: mount_ssh: the engine that builds gets no keys; build elsewhere, with skip_build: true`;
  else if (!fs.existsSync(path.join(root, folder, "Dockerfile")))
    openfaas.problem = `there is no ${path.join(folder, "Dockerfile")}`;
  return { folder, handlerFolder, openfaas };
}

function optionsOf(value: unknown): Record<string, string[]> {
  if (!Array.isArray(value)) return {};
  return Object.fromEntries(
    value.map((one: { name?: unknown; packages?: unknown }) => [
      String(one?.name),
      Array.isArray(one?.packages) ? one.packages.map(String) : [],
    ]),
  );
}

/** Whether it is built from a template of this project, whose limits and defaults are known. */
export const isOwnTemplate = ({ lang }: FunctionBuild, stackFile: string, root = "."): boolean =>
  lang !== DOCKERFILE && templateOf(lang, stackFile, root)?.openfaas === undefined;

/** Relative to the project; it need not be there. */
export const dockerfileOf = ({ lang, handler }: FunctionBuild, stackFile: string, root = "."): string =>
  path.join(
    templateOf(lang, stackFile, root)?.folder ?? path.join(path.dirname(stackFile), handler),
    "Dockerfile",
  );

/** Names of the arguments that a function's Dockerfile takes; undefined where there is none. */
export function argumentsOf(build: FunctionBuild, stackFile: string, root = "."): string[] | undefined {
  const file = path.join(root, dockerfileOf(build, stackFile, root));
  if (!fs.existsSync(file)) return undefined;
  return [...fs.readFileSync(file, "utf8").matchAll(/^\s*ARG\s+(\w+)/gim)].map(([, name]) => name!);
}

/** The value of ADDITIONAL_PACKAGE, as faas-cli makes it of `build_options` and `build_args`; undefined where nothing takes it. */
export function packagesOf(build: FunctionBuild, stackFile: string, root = "."): string | undefined {
  const template = templateOf(build.lang, stackFile, root)?.openfaas;
  if (!template || !argumentsOf(build, stackFile, root)?.includes(PACKAGES)) return undefined;
  const chosen = (build.options ?? []).flatMap((name) => template.options[name] ?? []);
  const given = (build.args[PACKAGES] ?? "").split(" ").map((name) => name.trim());
  return [...new Set([...chosen, ...given])].filter(Boolean).sort().join(" ");
}
