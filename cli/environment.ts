/** The one way to name an environment: `-s NAME`, or the first word where a command is about one. */
import fs from "node:fs";
import path from "node:path";
import { Option } from "commander";
import {
  environmentFrom,
  environmentNames,
  type EnvironmentFiles,
  fileOf,
  readEnvironment,
} from "../environment/files";
import type { Environment } from "../environment/schema";
import { Unusable, UsageError } from "./errors";

export const stackOption = (): Option =>
  new Option("-s, --stack <environment>", "the environment, as stacks/Pulumi.NAME.yaml names it");

export const stacksOption = (): Option =>
  new Option("-s, --stack <environment>", "an environment; may be repeated").argParser(gathered);

export const configFileOption = (): Option =>
  new Option("--config-file <file>", "a stack file elsewhere, as Pulumi takes it");

/** An environment, and where its files are. */
export interface Where {
  root: string;
  /** Name of the environment. */
  stack: string;
  /** A stack file elsewhere. Default: stacks/Pulumi.NAME.yaml. */
  configFile?: string;
}

export interface StackFlags {
  stack?: string;
  configFile?: string;
}

/** @throws UsageError unless an environment is named */
export const whereOf = (root: string, { stack, configFile }: StackFlags): Where => ({
  root,
  stack: theEnvironment(root, undefined, stack),
  configFile,
});

/** Parser of an option that may be repeated. */
export const gathered = (value: string, before: string[] = []): string[] => [...before, value];

/** @throws UsageError unless exactly one environment is named */
export function theEnvironment(root: string, word: string | undefined, stack: string | undefined): string {
  if (word !== undefined && stack !== undefined && word !== stack)
    throw new UsageError(`${word} and -s ${stack} are two environments; name one.`);
  const name = stack ?? word;
  if (name === undefined)
    throw new UsageError(`Which environment? -s NAME, with NAME one of: ${known(root)}.`);
  return name;
}

function known(root: string): string {
  return fs.existsSync(path.join(root, "stacks"))
    ? environmentNames(root).join(", ")
    : "(the folder stacks/ does not exist)";
}

/** @throws Unusable if the environment does not exist */
export function readFiles(name: string, root: string, configFile?: string): EnvironmentFiles {
  if (!configFile && !fs.existsSync(path.join(root, "stacks")))
    throw new Unusable(`${root} has no folder stacks/, so it is not a project of oslo-faas.`);
  try {
    if (!configFile) return readEnvironment(name, root);
    const text = fs.readFileSync(path.resolve(root, configFile), "utf8");
    return environmentFrom(text, { name, root, file: configFile });
  } catch (error) {
    throw new Unusable((error as Error).message);
  }
}

/** @throws Unusable with every mistake */
export function readComplete(
  name: string,
  root: string,
  configFile?: string,
): EnvironmentFiles & { environment: Environment } {
  const files = readFiles(name, root, configFile);
  const { environment, problems } = files;
  if (environment) return { ...files, environment };
  throw new Unusable(
    `${configFile ?? fileOf(name)} has errors\n${problems.map((line) => `  ${line}`).join("\n")}`,
  );
}
