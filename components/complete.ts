/** Arguments of components, completed with the defaults that an environment has. */
import * as pulumi from "@pulumi/pulumi";
import { describe, type Problem } from "../environment/describe";
import { disagreementsIn } from "../environment/parse";
import { type Environment, environmentSchema } from "../environment/schema";
import { keysAt } from "../environment/shape";

/** A section of an environment as a component takes it: any value may be an Output. */
export function complete<K extends keyof Environment>(
  section: K,
  args: pulumi.Input<object | undefined>,
): pulumi.Output<Environment[K]> {
  return pulumi.output(args).apply((values: unknown) => completeNow(section, values));
}

/** A path of an environment → the argument that stands for it; "" where the arguments themselves do. */
type Names = Readonly<Record<string, string>>;
type Section<Path> = Extract<Path extends `${infer S}.${string}` ? S : Path, keyof Environment>;

/**
 * Several sections at once, held to the rules across their keys. Whatever is wrong names the component and its argument.
 *
 * @param component e.g. "Nginx web"
 * @param names e.g. { nginx: "", "base.openFiles": "openFiles" }
 * @param secrets names of the secrets of an environment that are given. Default: none
 * @throws pulumi.RunError with every mistake, at once where no argument is an Output
 */
export function completeArgs<N extends Names>(
  component: string,
  args: object,
  names: N,
  secrets?: readonly string[],
): pulumi.Output<Pick<Environment, Section<keyof N>>> {
  const completed = (values: object): object => judge(component, values, names, secrets);
  const output: unknown = isLater(args)
    ? pulumi.output(args).apply(completed)
    : pulumi.output(completed(args));
  return output as pulumi.Output<Pick<Environment, Section<keyof N>>>;
}

function judge(component: string, args: object, names: Names, secrets?: readonly string[]): object {
  const raw = sections(args as Record<string, unknown>, names);
  const parsed = Object.entries(raw).map(([section, value]) => ({
    section,
    ...parse(section as keyof Environment, value),
  }));
  const problems = [
    ...parsed.flatMap((one) => one.problems),
    ...disagreementsIn(raw, Object.keys(names), secrets),
  ];
  if (problems.length > 0)
    throw new pulumi.RunError(
      problems.map(({ text }) => `${component}: ${inArguments(text, names)}`).join("\n"),
    );
  return Object.fromEntries(parsed.map(({ section, data }) => [section, data]));
}

/** Whether a part of it is known only later. */
function isLater(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return pulumi.Output.isInstance(value) || value instanceof Promise || Object.values(value).some(isLater);
}

/** Arguments as an environment would have them. */
function sections(args: Record<string, unknown>, names: Names): Record<string, unknown> {
  const raw: Record<string, unknown> = {};
  for (const [path, name] of Object.entries(names)) {
    const [section = "", ...keys] = path.split(".");
    if (name === "") {
      const others = Object.values(names);
      raw[section] = Object.fromEntries(Object.entries(args).filter(([key]) => !others.includes(key)));
    } else if (keys.length === 0) raw[section] = args[name];
    else if (args[name] !== undefined) {
      const value = keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), args[name]);
      raw[section] = { ...(raw[section] as object), ...(value as object) };
    } else raw[section] ??= undefined;
  }
  return raw;
}

/** A message with each path of an environment under the argument's name, the longest first. */
function inArguments(text: string, names: Names): string {
  const paths = Object.keys(names).sort((a, b) => b.length - a.length);
  return paths.reduce((line, path) => {
    const [from, to] = names[path] === "" ? [`${path}.`, ""] : [path, names[path]!];
    return line.replaceAll(new RegExp(`(?<![\\w.])${from.replaceAll(".", "\\.")}`, "g"), to);
  }, text);
}

/**
 * One section of values that are known.
 * @throws pulumi.RunError with every mistake
 */
export function completeNow<K extends keyof Environment>(section: K, values: unknown): Environment[K] {
  const { data, problems } = parse(section, values);
  if (problems.length > 0) throw new pulumi.RunError(problems.map(({ text }) => text).join("\n"));
  return data as Environment[K];
}

function parse(section: keyof Environment, values: unknown): { data?: unknown; problems: Problem[] } {
  const result = environmentSchema.shape[section].safeParse(values);
  if (result.success) return { data: result.data, problems: [] };
  const raw = { [section]: values };
  const problems = result.error.issues.flatMap((issue) =>
    describe({ ...issue, path: [section, ...issue.path] }, raw, { secret: new Set() }),
  );
  return { problems };
}

/** Those of a component's arguments that a section of an environment has too. */
export function onlyOf(section: keyof Environment, args: object): object {
  const keys = keysAt([section]);
  return Object.fromEntries(Object.entries(args).filter(([key]) => keys.includes(key)));
}
