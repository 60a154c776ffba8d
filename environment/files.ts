/** Reads an environment from its files alone: without an engine, a passphrase or a host. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { Problem } from "./describe";
import { readBase } from "./layers";
import { EnvironmentError, parseEnvironment } from "./parse";
import type { Environment } from "./schema";
import { located } from "./sources";
import { bareKeys, readStackFile, type StackFile } from "./stackfile";

export interface EnvironmentFiles {
  name: string;
  /** The environment's own file first, then its base. */
  layers: StackFile[];
  /** What the files say together, without defaults. */
  written: Record<string, unknown>;
  /** Complete; undefined where there are problems. */
  environment?: Environment;
  /** One line for each mistake, with file and line. */
  problems: string[];
}

export const fileOf = (name: string) => `stacks/Pulumi.${name}.yaml`;

/** Names of the environments under stacks/, in order. */
export function environmentNames(root: string): string[] {
  return stackFiles(root).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
}

/**
 * Files under stacks/ that look like an environment's and are none: the engine reads a stack's file with the ending that Pulumi.yaml
 * has, and no other. File → what to do about it.
 */
export function strayFiles(root: string): Map<string, string> {
  const found = stackFiles(root).flatMap((file): [string, string][] => {
    const name = /^Pulumi\.(.+)\.(ya?ml|json)$/i.exec(file)?.[1];
    if (name === undefined || file === path.basename(fileOf(name))) return [];
    return [[`stacks/${file}`, `the engine does not read it; rename it to ${fileOf(name)}`]];
  });
  return new Map(found);
}

const stackFiles = (root: string) => fs.readdirSync(path.join(root, "stacks")).sort();

/**
 * @param root the project's folder
 * @throws an Error with one clear message when there is no such environment; what is wrong in it is in `problems`
 */
export function readEnvironment(name: string, root: string): EnvironmentFiles {
  const file = fileOf(name);
  let text: string;
  try {
    text = fs.readFileSync(path.join(root, file), "utf8");
  } catch {
    const strays = [...strayFiles(root)].filter(([stray]) => stray.startsWith(`stacks/Pulumi.${name}.`));
    const others = strays.map(([stray, remedy]) => ` There is ${stray}: ${remedy}.`).join("");
    throw new Error(
      `There is no environment "${name}": ${file} is missing.${others} There is: ${environmentNames(root).join(", ")}.`,
    );
  }
  return environmentFrom(text, { name, root, file });
}

/** The same from a text that need not be on disk. */
export function environmentFrom(
  text: string,
  { name, root, file }: { name: string; root: string; file: string },
): EnvironmentFiles {
  const own = readStackFile(text, file);
  const base = readBase(own.values.extends, root);
  const layers = base.layer ? [own, base.layer] : [own];
  const result: EnvironmentFiles = { name, layers, written: base.merge(own.values), problems: [] };
  try {
    const secrets = own.secrets;
    result.environment = parseEnvironment(own.values, visible(own), { root, secrets });
    return result;
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    return { ...result, problems: located(error.details, layers) };
  }
}

/** A file that could not be read as YAML says nothing about a host; that it is missing is no second mistake. */
function visible(own: StackFile): Problem[] {
  const unreadable = own.problems.length > 0 && Object.keys(own.values).length === 0;
  return [...own.problems.map((p) => (unreadable ? { ...p, covers: true } : p)), ...bareKeys(own)];
}
