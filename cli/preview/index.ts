/** `oslo-faas preview`: the command line. */
import { type Command, Option } from "commander";
import { act, type Context, type Register } from "../context";
import { gathered, stacksOption } from "../environment";
import { Unusable, UsageError } from "../errors";
import { examples, note } from "../help";
import { masker, secretsOfEnvironment } from "./mask";
import type { Options } from "./run";

type Flags = Partial<Options> & { base: string; stack?: string[]; env?: string[] };

const OFF = { refresh: false, repair: false, whole: false, list: false };

export const register: Register = (parent, context) =>
  registerPreview(parent, context, async (options) => (await import("./run")).run(options, context));

/** @param preview what is done with a command line that can be used */
export function registerPreview(
  parent: Command,
  context: Context,
  preview: (options: Options, context: Context) => Promise<number>,
): void {
  const command = parent
    .command("preview")
    .option("--base <ref>", "branch, tag or commit to compare with", filled("--base"), "main")
    .option("--head <name>", "name of the work tree in the report (default: its commit)")
    .addOption(stacksOption())
    // What -s was called before there was one way to name an environment.
    .addOption(new Option("--env <environment>").argParser(gathered).hideHelp())
    .option(
      "--refresh",
      "ask the hosts and show drift; needs the stacks' state (PULUMI_BACKEND_URL) and a way to the hosts",
    )
    .option("--out <file>", "file for the report (default: standard output)")
    .option("--whole", "do not shorten the report to the size of a comment")
    .option("--comments <folder>", "also write one report per environment, FOLDER/NAME.md")
    .option(
      "--plans <folder>",
      "save each plan as FOLDER/NAME.json, for `pulumi up --plan`; needs the stacks' state",
    )
    .option(
      "--repair",
      "the plans also revert drift, for `pulumi up --refresh --plan`; needs --plans and --refresh",
    )
    .option("--list", "only print the names of the environments whose inputs changed, as JSON")
    .description("report what the work tree changes in each environment, compared with a branch, as Markdown")
    .action(
      act(context, async ({ stack = [], env = [], ...flags }: Flags) => {
        if (flags.repair && !(flags.plans && flags.refresh))
          throw new UsageError("--repair needs --plans and --refresh.");
        try {
          return await preview({ ...OFF, ...flags, environments: [...new Set([...stack, ...env])] }, context);
        } catch (error) {
          throw withoutSecrets(error as Error);
        }
      }),
    );
  note(
    command,
    `Exit code: 0 report written; 1 an error (in a configuration, the program, a mandatory policy), which the report names;
2 the command line or the base cannot be used, and no report was written.`,
  );
  examples(command, "--base main", "--base main -s oslo-prod --whole --out report.md");
}

const filled = (option: string) => (value: string) => {
  if (value.trim() === "") throw new UsageError(`${option} needs a branch, a tag or a commit.`);
  return value;
};

/** No report is written then. */
function withoutSecrets(error: Error): Error {
  const hide = masker(secretsOfEnvironment(process.env));
  if (error instanceof UsageError) return new UsageError(hide(error.message));
  return new Unusable(hide((error.constructor === Error ? error.message : error.stack) ?? ""));
}
