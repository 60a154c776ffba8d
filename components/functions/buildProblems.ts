/** Why a function cannot be built, before anything is. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { FunctionOfFile } from "./functionOfFile";
import type { FunctionBuild } from "./stack";
import {
  argumentsOf,
  DOCKERFILE,
  dockerfileOf,
  languages,
  PACKAGES,
  type Template,
  templateOf,
} from "./templates";

/** One line each; nothing where it can be built. */
export function buildProblems({ build, spec, file, line }: FunctionOfFile, root = "."): string[] {
  if (!build) return [];
  const at = (key: string) => `${file}:${line(key) ?? line()}: functions.${spec.name}.${key}`;
  const template = templateOf(build.lang, file, root);
  const isKnown = template !== undefined || build.lang === DOCKERFILE;
  const lang = isKnown ? template?.openfaas?.problem : unknownTemplate(build, file, root);
  const handler = handlerProblem(build, file, root, template);
  return [
    ...(lang ? [`${at("lang")}: ${lang}`] : []),
    ...(handler ? [`${at("handler")}: ${handler}`] : []),
    ...(isKnown ? optionProblems(build, file, root, template) : []).map(
      (text) => `${at("build_options")}: ${text}`,
    ),
    ...(isKnown ? argumentProblems(build, file, root) : []).map(
      ([name, problem]) => `${at("build_args")}.${name}: ${problem}`,
    ),
    ...build.copy.flatMap((extra) => copyProblems(extra, file, root)),
  ];
}

function unknownTemplate({ lang, source }: FunctionBuild, file: string, root: string): string {
  if (source)
    return `there is no ${path.join(path.dirname(file), "template", lang)} yet: npx oslo-faas functions templates pull --file ${file}`;
  return (
    `there is no template "${lang}". Templates: ${languages(root, file).join(", ")}. One of OpenFaaS's is a folder template/${lang} beside ${file}, ` +
    "which `npx oslo-faas functions templates pull` fetches from a source under configuration.templates. " +
    "For an image that is built elsewhere, set skip_build: true"
  );
}

/** What each template runs; in Go any file of the package will do. */
const HANDLERS: Readonly<Record<string, { file: RegExp; name: string }>> = {
  node: { file: /^handler\.js$/, name: "handler.js" },
  python: { file: /^handler\.py$/, name: "handler.py" },
  go: { file: /(?<!_test)\.go$/, name: "handler.go" },
  [DOCKERFILE]: { file: /^Dockerfile$/, name: "Dockerfile" },
};

function handlerProblem(
  { lang, handler }: FunctionBuild,
  file: string,
  root: string,
  template: Template | undefined,
): string | undefined {
  const folder = path.join(path.dirname(file), handler);
  const isFolder = (one: string) =>
    fs.statSync(path.join(root, one), { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isFolder(folder)) {
    const meant = isFolder(handler) ? path.relative(path.dirname(file), handler) : undefined;
    const hint = meant ? `; paths are relative to ${file}: write ${meant.replace(/^(?!\.)/, "./")}` : "";
    return `the folder ${folder} does not exist${hint}`;
  }
  // What a template of OpenFaaS's takes is its own business.
  const wanted = template?.openfaas ? undefined : HANDLERS[lang];
  if (!wanted || fs.readdirSync(path.join(root, folder)).some((name) => wanted.file.test(name)))
    return undefined;
  return `${path.join(folder, wanted.name)} does not exist; \`lang: ${lang}\` needs it`;
}

function argumentProblems(build: FunctionBuild, file: string, root: string): string[][] {
  const taken = argumentsOf(build, file, root);
  if (!taken) return [];
  const dockerfile = dockerfileOf(build, file, root);
  return Object.keys(build.args)
    .filter((name) => !taken.includes(name))
    .map((name) => [name, `${dockerfile} takes no such argument; it has ${taken.join(", ") || "none"}`]);
}

function optionProblems(
  build: FunctionBuild,
  file: string,
  root: string,
  template: Template | undefined,
): string[] {
  const wanted = build.options ?? [];
  if (wanted.length === 0) return [];
  if (!template?.openfaas)
    return [
      "are options of OpenFaaS's templates, and this is none; install packages of the system with `lang: dockerfile`",
    ];
  const { options } = template.openfaas;
  const unknown = wanted.filter((name) => !Object.hasOwn(options, name));
  if (unknown.length > 0)
    return [
      `${path.join(template.folder, "template.yml")} has no ${unknown.join(", ")}; it has ${Object.keys(options).join(", ") || "none"}`,
    ];
  if (argumentsOf(build, file, root)?.includes(PACKAGES)) return [];
  return [`would be ignored: ${dockerfileOf(build, file, root)} has no argument ${PACKAGES}`];
}

function copyProblems(extra: string, file: string, root: string): string[] {
  const beside = path.dirname(file);
  const relative = path.relative(beside, path.join(beside, extra));
  const problem = (text: string) => [`${file}: configuration.copy: ${extra}: ${text}`];
  if (relative === "" || relative.startsWith("..") || path.isAbsolute(extra))
    return problem(`is not below ${beside}`);
  return fs.existsSync(path.join(root, beside, extra)) ? [] : problem("no such file or folder");
}
