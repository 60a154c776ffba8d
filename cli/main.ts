/** `oslo-faas`: the one command. Each verb is a folder here, whose index.ts registers it. */
import type { Command } from "commander";
import { version } from "../package.json";
import * as completion from "./completion";
import { type Context, engineOnPath, projectRoot } from "./context";
import * as env from "./env";
import { ending, EXIT_CODES, UsageError } from "./errors";
import * as functions from "./functions";
import { examples, newProgram, note, pointToHelp, whereHelpIs } from "./help";
import * as images from "./images";
import * as init from "./init";
import * as preview from "./preview";
import * as queue from "./queue";
import * as repair from "./repair";
import * as report from "./report";
import * as status from "./status";

/** In the order in which help lists them. */
const VERBS = [init, env, functions, images, preview, status, queue, report, repair, completion];

export function makeProgram(context: Context): Command {
  const program = newProgram(context.name)
    .description("Environments of OpenFaaS on hosts of your own, with Pulumi: docs/ says more.")
    .version(version, "-V, --version", "show the version");
  for (const { register } of VERBS) register(program, context);
  note(program, EXIT_CODES);
  examples(program, "env validate", "preview --base main", "status oslo-prod");
  pointToHelp(program);
  return program;
}

/** @returns the exit code */
export async function main(words: string[], surroundings: Partial<Context> = {}): Promise<number> {
  const context: Context = {
    name: "oslo-faas",
    root: projectRoot(),
    engine: engineOnPath,
    ...surroundings,
    code: 0,
  };
  const program = makeProgram(context);
  let running = program;
  program.hook("preAction", (_, command) => void (running = command));
  try {
    await program.parseAsync(words, { from: "user" });
    return context.code;
  } catch (error) {
    const { code, text } = await ending(error);
    if (text !== undefined) process.stderr.write(`error: ${text}\n`);
    if (error instanceof UsageError) process.stderr.write(`${whereHelpIs(running)}\n`);
    return code;
  }
}

if (require.main === module)
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
