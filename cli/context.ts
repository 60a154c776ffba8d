/** What every verb gets. */
import fs from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import type { Engine } from "../programs/pulumi";

export type { Engine };

export interface Context {
  /** How the command is called, as help shows it: "oslo-faas". */
  name: string;
  /** The project: the folder with Pulumi.yaml. */
  root: string;
  /** @param args the engine's arguments */
  engine: (args: string[]) => Promise<Engine>;
  /** Makes the images that a stack's host pulls from a registry of this machine. Default: none are made here. */
  prepareImages?(stack: string): Promise<void>;
  /** The exit code of the action. */
  code: number;
}

/** The nearest folder above with a Pulumi.yaml. Outside of a project: the folder itself. */
export function projectRoot(from = process.cwd()): string {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, "Pulumi.yaml"))) return folder;
    if (folder === path.dirname(folder)) return from;
  }
}

/** Pulumi on PATH. @throws an Error that says how to install it */
export async function engineOnPath(): Promise<Engine> {
  const folders = (process.env.PATH ?? "").split(path.delimiter).filter(Boolean);
  const program = folders.map((folder) => path.join(folder, "pulumi")).find((file) => fs.existsSync(file));
  if (!program)
    throw new Error("pulumi is not on PATH. Install it: https://www.pulumi.com/docs/iac/download-install/");
  const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: process.env.PULUMI_SKIP_UPDATE_CHECK ?? "true" };
  // An engine that was built from modules starts a policy pack in another way.
  return { program, env, kind: process.env.OSLO_FAAS_TOOLCHAIN === "built" ? "built" : "official" };
}

/** An action for commander that may resolve to an exit code. */
export const act =
  <Args extends unknown[]>(context: Context, action: (...args: Args) => Promise<number | void>) =>
  async (...args: Args): Promise<void> => {
    context.code = (await action(...args)) ?? 0;
  };

/** Adds the verb's commands to `parent`. */
export type Register = (parent: Command, context: Context) => void;

export const say = (line: string): void => void process.stdout.write(`${line}\n`);
