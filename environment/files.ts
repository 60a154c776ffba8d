/** Reads an environment from its files, without an engine, a passphrase or a host. */
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
  /** The values of all files together, without defaults. */
  written: Record<string, unknown>;
  /** Undefined if there are problems. */
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
 * Files under stacks/ that look like an environment's but are not read: the engine reads only files with Pulumi.yaml's extension.
 * Maps a file to its remedy.
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
 * @throws an Error if the environment does not exist; mistakes in it are in `problems`
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
      `There is no environment "${name}": ${file} does not exist.${others} Environments: ${environmentNames(root).join(", ")}.`,
    );
  }
  return environmentFrom(text, { name, root, file });
}

/** Reads an environment from a text, which need not be on disk. */
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

/** If a file cannot be read as YAML, its missing keys are not reported as further mistakes. */
function visible(own: StackFile): Problem[] {
  const unreadable = own.problems.length > 0 && Object.keys(own.values).length === 0;
  return [...own.problems.map((p) => (unreadable ? { ...p, covers: true } : p)), ...bareKeys(own)];
}
