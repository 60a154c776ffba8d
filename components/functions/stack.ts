/** Reads a stack.yml in OpenFaaS's own format. Whatever of it is not supported is an error that names the key. */
import type * as z from "zod";
import { clean, pathName } from "../../environment/legible";
import { nearest } from "../../environment/nearest";
import { type FunctionCore, functionProblems } from "../../shared/functionSpec";
import { WAIT_ANNOTATION } from "../../shared/labels";
import { NAMESPACE } from "../../shared/names";
import {
  environmentFileSchema,
  type FunctionKeys,
  keysAt,
  readableKeys,
  REFUSED,
  type StackKeys,
  stackSchema,
} from "./format";
import { substitute } from "./substitute";
import { unusedBuildKeys } from "./unused";
import { type Problem, readYaml, type Yaml } from "./yaml";

/** One function as the provider `openfaas` takes it. */
export interface FunctionSpec extends FunctionCore {
  /** From the annotation com.oslo-faas.wait-seconds, which is for the `up` alone. */
  waitSeconds?: number;
}

/** How a function's image is built, where it is. */
export interface FunctionBuild {
  /** Name of the template, in lower case; "dockerfile" for a folder with a Dockerfile of its own. */
  lang: string;
  /** Its folder, relative to the stack file. */
  handler: string;
  args: Record<string, string>;
  /** `build_options`: packages that a template of OpenFaaS's installs. Default: none. */
  options?: string[];
  /** Where `configuration.templates` says that the template comes from. */
  source?: string;
  /** `configuration.copy`: files and folders beside the stack file that go into the handler's folder. */
  copy: string[];
}

/** A function of a stack.yml: what runs, what it is built from, and whose variables it has as well. */
export interface StackFunction {
  spec: FunctionSpec;
  /** Undefined: the image is made elsewhere (`skip_build`, or no handler). */
  build?: FunctionBuild;
  /** Relative to the function file. Later files override earlier ones, and all of them override `environment`. */
  environmentFiles: string[];
  /** Line of the function's name, and of a key of it. */
  line: (...path: string[]) => number | undefined;
}

export class StackFileError extends Error {
  /** One line for each, without the file's name. */
  readonly problems: string[];

  constructor(
    file: string,
    readonly details: Problem[],
  ) {
    super(
      `${file}: ${details.length === 1 ? "one error" : `${details.length} errors`}\n` +
        details.map((problem) => `  ${located(file, problem)}`).join("\n"),
    );
    this.name = "StackFileError";
    this.problems = details.map(({ text }) => text);
  }
}

/** "functions/stack.yml:12: what is wrong". */
export const located = (file: string, { line, text }: Problem): string =>
  clean(`${file}${line === undefined ? "" : `:${line}`}: ${text}`);

/** Where a template of OpenFaaS's comes from: a git repository, with `#branch`, `#tag` or `#sha-<commit>` behind it. */
export interface TemplateSource {
  name: string;
  source: string;
}

/** What could be read of a file. */
export interface StackRead {
  /** Those with mistakes as well, so that whatever else is wrong with them can be said; without problems all of them can be deployed. */
  functions: StackFunction[];
  /** Templates of `configuration.templates` that have a source. */
  templates?: TemplateSource[];
  /** In the file's order. */
  problems: Problem[];
  /** True if the text is not YAML, so that its functions are unknown. */
  isUnreadable?: boolean;
}

/**
 * @param source the file's text
 * @param variables what `${NAME}` and `${NAME:-default}` stand for
 */
export function readStack(source: string, variables: Record<string, string | undefined> = {}): StackRead {
  const { text, problems } = substitute(source, variables);
  const read = readYaml(text);
  // faas-cli's own address of a gateway, which is not used here: a variable in it need not be set.
  const unused = read.line(["provider", "gateway"]);
  const demanded = problems.filter(({ line, missing }) => !missing || line !== unused);
  const found: Located[] = [...demanded, ...read.problems].map((problem) => ({ ...problem, path: [] }));
  if (read.value === undefined && read.problems.length > 0)
    return { functions: [], problems: found, isUnreadable: true };
  const result = stackSchema.safeParse(read.value);
  found.push(...(result.error?.issues ?? []).flatMap((issue) => describe(issue, read)));
  const functions = functionsOf(read.value);
  const more = [
    ...functions.flatMap(([name, keys]) => checkFunction(name, keys, read)),
    ...checkConfiguration(read, functions),
  ];
  // Where a value is of the wrong type, that is all there is to say of it.
  const wrong = new Set(found.map(({ path }) => path.join("\n")).filter(Boolean));
  found.push(...more.filter(({ path }) => !wrong.has(path.join("\n"))));
  const copy = valueAt(read.value, ["configuration", "copy"]);
  const templates = sourcesOf(valueAt(read.value, ["configuration", "templates"]));
  return {
    templates,
    functions: functions.map(([name, keys]) => ({
      spec: toSpec(name, keys),
      build: toBuild(keys, textsOf(copy), templates),
      environmentFiles: keys.environment_file ?? [],
      line: (...path) => read.line(["functions", name, ...path]),
    })),
    problems: sorted(found.filter((one, at) => found.findIndex((other) => other.text === one.text) === at)),
  };
}

/**
 * @param file its name, for messages
 * @throws StackFileError naming every problem with its path
 */
export function parseStack(
  source: string,
  file: string,
  variables: Record<string, string | undefined> = {},
): StackFunction[] {
  const { functions, problems } = readStack(source, variables);
  if (problems.length > 0) throw new StackFileError(file, problems);
  return functions;
}

/** The variables of an environment file: the key `environment` and nothing else. @throws StackFileError */
export function parseEnvironmentFile(source: string, file: string): Record<string, string> {
  const read = readYaml(source);
  if (read.problems.length > 0) throw new StackFileError(file, read.problems);
  const result = environmentFileSchema.safeParse(read.value);
  if (result.success) return result.data.environment;
  const unknown = (key: string) => ({
    line: read.line([key]),
    text: `${key}: unknown; an environment file has the key environment, with the variables below it`,
  });
  const problems = result.error.issues.flatMap((issue): Problem[] =>
    issue.code === "unrecognized_keys" ? issue.keys.map(unknown) : describe(issue, read),
  );
  throw new StackFileError(file, problems);
}

/** A problem and the keys that lead to it. */
interface Located extends Problem {
  path: string[];
}

const problemAt = (read: Yaml, path: string[], text: string): Located => ({
  line: read.line(path),
  text: `${pathName(path) || "the file"}: ${text}`,
  path,
});

function describe(issue: z.core.$ZodIssue, read: Yaml): Located[] {
  const at = issue.path.map(String);
  const problem = (path: string[], text: string) => problemAt(read, path, text);
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => problem([...at, key], unknownKey(at, key)));
  if (issue.code === "invalid_key") return [problem(at, issue.issues[0]?.message ?? "is no name")];
  const missing = read.value !== undefined && valueAt(read.value, at) === undefined;
  if (missing && at.at(-1) === "image") return [problem(at, "is required: the image to run")];
  return [problem(at, missing ? `is required: ${issue.message}` : issue.message)];
}

function unknownKey(at: string[], key: string): string {
  if (at[0] === "functions" && at.length === 2 && Object.hasOwn(REFUSED, key))
    return `is not supported: ${REFUSED[key]}`;
  const known = keysAt(at);
  const guess = nearest(key, [...known, ...(at.length === 2 ? Object.keys(REFUSED) : [])]);
  return guess
    ? `is not supported, did you mean ${[...at, guess].join(".")}?`
    : `is not supported; known here: ${known.join(", ")}`;
}

function valueAt(value: unknown, path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<string, unknown>)[key]
        : undefined,
    value,
  );
}

function sourcesOf(value: unknown): TemplateSource[] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (one: Partial<Record<keyof TemplateSource, unknown>> | null): one is TemplateSource =>
      typeof one?.name === "string" && typeof one.source === "string",
  );
}

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];

/** What can be read of each function: a mistake hides no other, neither of its own function nor of another one. */
function functionsOf(value: unknown): [string, Partial<FunctionKeys>][] {
  const functions = valueAt(value, ["functions"]);
  if (typeof functions !== "object" || functions === null) return [];
  return Object.entries(functions).flatMap(([name, keys]): [string, Partial<FunctionKeys>][] =>
    typeof keys === "object" && keys !== null && !Array.isArray(keys)
      ? [[name, readableKeys(keys as object)]]
      : [],
  );
}

/** What the types of the format do not say, and what the deployment would be refused for. */
function checkFunction(name: string, keys: Partial<FunctionKeys>, read: Yaml): Located[] {
  const problems: Located[] = [];
  const say = (path: PropertyKey[], text: string) =>
    void problems.push(problemAt(read, ["functions", name, ...path.map(String)], text));
  if (keys.namespace && keys.namespace !== NAMESPACE)
    say(["namespace"], `is ${keys.namespace}, and there is only ${NAMESPACE}; leave it out`);
  for (const [key, text] of unusedBuildKeys(keys)) say([key], text);
  for (const { path, message } of functionProblems(coreOf(name, keys)))
    say(path[0] === "name" ? [] : [KEYS[String(path[0])] ?? path[0]!, ...path.slice(1)], message);
  return problems;
}

/** From what the core calls a thing to what stack.yml calls it. */
export const KEYS: Readonly<Record<string, string>> = {
  env: "environment",
  envProcess: "fprocess",
  readOnlyRootFilesystem: "readonly_root_filesystem",
};

/** What would be ignored of it. */
function checkConfiguration(read: Yaml, functions: [string, Partial<FunctionKeys>][]): Located[] {
  const problems: Located[] = [];
  const say = (path: string[], text: string) =>
    void problems.push(problemAt(read, ["configuration", ...path], text));
  const list = (key: string): unknown[] => {
    const value = valueAt(read.value, ["configuration", key]);
    return Array.isArray(value) ? value : [];
  };
  list("templates").forEach((template, at) => {
    const name = valueAt(template, ["name"]);
    if (
      typeof name === "string" &&
      !functions.some(([, { lang }]) => lang?.toLowerCase() === name.toLowerCase())
    )
      say(["templates", String(at), "name"], `would be ignored: ${name} is the lang of no function`);
  });
  if (list("copy").length > 0 && !functions.some(([, keys]) => toBuild(keys)))
    say(["copy"], "would be ignored: no function of this file is built");
  return problems;
}

function sorted(problems: Problem[]): Problem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** In the core's words. What is written and says nothing, such as `memory:` alone, is not there. */
function coreOf(name: string, keys: Partial<FunctionKeys>) {
  const amounts = (given: FunctionKeys["limits"]) =>
    given && Object.fromEntries(Object.entries(given).filter(([, amount]) => amount !== ""));
  return {
    name,
    image: keys.image,
    envProcess: keys.fprocess || undefined,
    env: keys.environment ?? {},
    secrets: keys.secrets ?? [],
    labels: keys.labels ?? {},
    annotations: keys.annotations ?? {},
    constraints: keys.constraints ?? [],
    limits: amounts(keys.limits),
    requests: amounts(keys.requests),
    readOnlyRootFilesystem: keys.readonly_root_filesystem ?? false,
  };
}

function toSpec(name: string, keys: Partial<FunctionKeys>): FunctionSpec {
  const core = coreOf(name, keys);
  const { [WAIT_ANNOTATION]: wait, ...annotations } = core.annotations;
  return {
    ...core,
    image: core.image ?? "",
    annotations,
    ...(wait === undefined ? {} : { waitSeconds: Number(wait) }),
  };
}

function toBuild(
  keys: Partial<FunctionKeys>,
  copy: string[] = [],
  templates: TemplateSource[] = [],
): FunctionBuild | undefined {
  if (keys.skip_build || !keys.lang || !keys.handler) return undefined;
  const lang = keys.lang.toLowerCase();
  const source = templates.find(({ name }) => name.toLowerCase() === lang)?.source;
  return {
    lang,
    handler: keys.handler,
    args: keys.build_args ?? {},
    ...(keys.build_options?.length ? { options: keys.build_options } : {}),
    ...(source ? { source } : {}),
    copy,
  };
}

export type { StackKeys };
