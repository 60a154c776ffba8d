/** Reads a stack.yml in OpenFaaS's own format. Whatever of it is not supported is an error that names the key. */
import type * as z from "zod";
import { inputs as deployable, WAIT_ANNOTATION } from "../../providers/openfaas/src/resources/functionSpec";
import { clean, pathName } from "../../environment/legible";
import { nearest } from "../../environment/nearest";
import { parseImage } from "../../shared/image";
import {
  environmentFileSchema,
  type FunctionKeys,
  keysAt,
  NAMESPACE,
  REFUSED,
  type StackKeys,
  stackSchema,
} from "./format";
import { substitute } from "./substitute";
import { unusedBuildKeys } from "./unused";
import { type Problem, readYaml, type Yaml } from "./yaml";

/** One function as the provider API takes it. */
export interface FunctionSpec {
  name: string;
  image: string;
  envProcess?: string;
  env: Record<string, string>;
  secrets: string[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  constraints: string[];
  limits?: { memory?: string; cpu?: string };
  requests?: { memory?: string; cpu?: string };
  readOnlyRootFilesystem: boolean;
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
  /** `configuration.copy`: files and folders beside the stack file that go into the handler's folder. */
  copy: string[];
}

/** A function of a stack.yml: what runs, what it is built from, and whose variables it has as well. */
export interface StackFunction {
  spec: FunctionSpec;
  /** Undefined: the image is made elsewhere (`skip_build`, or no handler). */
  build?: FunctionBuild;
  /** Relative to the stack file; a later one goes before an earlier one, and all of them before `environment`. */
  environmentFiles: string[];
  /** Line of the function's name, and of a key of it. */
  line(...path: string[]): number | undefined;
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

/**
 * @param source the file's text
 * @param file its name, for messages
 * @param variables what `${NAME}` and `${NAME:-default}` stand for
 * @throws StackFileError naming every problem with its path
 */
export function parseStack(
  source: string,
  file: string,
  variables: Record<string, string | undefined> = {},
): StackFunction[] {
  const { text, problems } = substitute(source, variables);
  const read = readYaml(text);
  // faas-cli's own address of a gateway, which is not used here: a variable in it need not be set.
  const unused = read.line(["provider", "gateway"]);
  const found = [...problems.filter(({ line, missing }) => !missing || line !== unused), ...read.problems];
  // What is no YAML has no keys to speak of.
  if (read.problems.length > 0) throw new StackFileError(file, found);
  const result = stackSchema.safeParse(read.value);
  const issues = result.success ? [] : result.error.issues.flatMap((issue) => describe(issue, read));
  const functions = functionsOf(read.value);
  issues.push(...functions.flatMap(([name, keys]) => checkFunction(name, keys, read)));
  issues.push(...checkConfiguration(read, functions));
  found.push(...issues.filter((one, at) => issues.findIndex(({ text: same }) => same === one.text) === at));
  if (found.length > 0 || !result.success) throw new StackFileError(file, sorted(found));
  const copy = result.data.configuration?.copy ?? [];
  return Object.entries(result.data.functions).map(([name, keys]) => ({
    spec: toSpec(name, keys),
    build: toBuild(keys, copy),
    environmentFiles: keys.environment_file,
    line: (...path) => read.line(["functions", name, ...path]),
  }));
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

function describe(issue: z.core.$ZodIssue, read: Yaml): Problem[] {
  const at = issue.path.map(String);
  const problem = (path: string[], text: string): Problem => ({
    line: read.line(path),
    text: `${pathName(path) || "the file"}: ${text}`,
  });
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

/** Each function by itself, so that one with a mistake hides no mistake of another. */
function functionsOf(value: unknown): [string, FunctionKeys][] {
  const functions = valueAt(value, ["functions"]);
  if (typeof functions !== "object" || functions === null) return [];
  const schema = stackSchema.shape.functions.valueType;
  return Object.entries(functions).flatMap(([name, keys]): [string, FunctionKeys][] => {
    const { data } = schema.safeParse(keys);
    return data ? [[name, data]] : [];
  });
}

const CONSTRAINT = /^\s*[a-zA-Z][\w.-]*\s*(==|!=)\s*\S.*$/;
const SECRET = /^[a-zA-Z0-9]([\w.-]{0,62}[a-zA-Z0-9])?$/;

/** What the types of the format do not say, and what the deployment would be refused for. */
function checkFunction(name: string, keys: FunctionKeys, read: Yaml): Problem[] {
  const problems: Problem[] = [];
  const say = (path: PropertyKey[], text: string) => {
    const at = ["functions", name, ...path.map(String)];
    problems.push({ line: read.line(at), text: `${pathName(at)}: ${text}` });
  };
  try {
    parseImage(keys.image);
  } catch (error) {
    say(["image"], (error as Error).message);
  }
  if (keys.namespace !== undefined && keys.namespace !== NAMESPACE)
    say(["namespace"], `is ${keys.namespace}, and there is only ${NAMESPACE}; leave it out`);
  keys.constraints.forEach((text, at) => {
    if (!CONSTRAINT.test(text))
      say(["constraints", at], `"${text}" is not like node.role==worker or node.labels.disk!=slow`);
  });
  keys.secrets.forEach((secret, at) => {
    if (!SECRET.test(secret)) say(["secrets", at], `"${secret}" is no name of a secret`);
    else if (keys.secrets.indexOf(secret) < at) say(["secrets", at], `${secret} is there twice`);
  });
  const wait = keys.annotations[WAIT_ANNOTATION];
  if (wait !== undefined && !deployable.shape.waitSeconds.safeParse(Number(wait)).success)
    say(["annotations", WAIT_ANNOTATION], `"${wait}" is not whole seconds from 5 to 1800, such as 600`);
  for (const [key, text] of unusedBuildKeys(keys)) say([key], text);
  for (const issue of deployable.safeParse(toSpec(name, keys)).error?.issues ?? [])
    if (issue.path[0] !== "name" && issue.path[0] !== "waitSeconds")
      say(issue.path.map(keyOf), issue.message);
  return problems;
}

/** From what the deployment calls a thing to what stack.yml calls it. */
const keyOf = (key: PropertyKey): PropertyKey =>
  ({ env: "environment", envProcess: "fprocess", readOnlyRootFilesystem: "readonly_root_filesystem" })[
    String(key)
  ] ?? key;

/** Templates come with this project; those of a repository elsewhere are not fetched. */
function checkConfiguration(read: Yaml, functions: [string, FunctionKeys][]): Problem[] {
  const problems: Problem[] = [];
  const say = (path: string[], text: string) => {
    const at = ["configuration", ...path];
    problems.push({ line: read.line(at), text: `${at.join(".")}: ${text}` });
  };
  const list = (key: string): unknown[] => {
    const value = valueAt(read.value, ["configuration", key]);
    return Array.isArray(value) ? value : [];
  };
  list("templates").forEach((template, at) => {
    const name = valueAt(template, ["name"]);
    if (valueAt(template, ["source"]) !== undefined)
      say(
        ["templates", String(at), "source"],
        "is not supported: templates are those of this project's templates/; for another use lang: dockerfile",
      );
    else if (
      typeof name === "string" &&
      !functions.some(([, { lang }]) => lang?.toLowerCase() === name.toLowerCase())
    )
      say(["templates", String(at), "name"], `would be ignored: ${name} is the lang of no function`);
  });
  if (list("copy").length > 0 && !functions.some(([, keys]) => toBuild(keys, [])))
    say(["copy"], "would be ignored: no function of this file is built");
  return problems;
}

function sorted(problems: Problem[]): Problem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function toSpec(name: string, keys: FunctionKeys): FunctionSpec {
  const { [WAIT_ANNOTATION]: wait, ...annotations } = keys.annotations;
  return {
    name,
    image: keys.image,
    envProcess: keys.fprocess,
    env: keys.environment,
    secrets: keys.secrets,
    labels: keys.labels,
    annotations,
    constraints: keys.constraints,
    limits: keys.limits,
    requests: keys.requests,
    readOnlyRootFilesystem: keys.readonly_root_filesystem,
    ...(wait === undefined ? {} : { waitSeconds: Number(wait) }),
  };
}

function toBuild(keys: FunctionKeys, copy: string[]): FunctionBuild | undefined {
  if (keys.skip_build || !keys.lang || !keys.handler) return undefined;
  return { lang: keys.lang.toLowerCase(), handler: keys.handler, args: keys.build_args, copy };
}

export type { StackKeys };
