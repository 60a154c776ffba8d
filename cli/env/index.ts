/** `oslo-faas env`: the files that describe environments. */
import type { Command } from "commander";
import { act, type Context, type Register } from "../context";
import { gathered, readFiles, stackOption, stacksOption, theEnvironment } from "../environment";
import { EXIT, Unusable } from "../errors";
import { examples } from "../help";
import { isOwnRepository } from "./editor";
import { registerNew } from "./new";

export const register: Register = (parent, context) => {
  const env = parent.command("env").description("create, show and check the files of environments");
  registerNew(env, context);
  registerShow(env, context);
  registerValidate(env, context);
  registerGenerate(env, context);
};

function registerShow(env: Command, context: Context): void {
  const command = env
    .command("show")
    .argument("[environment]", "its name")
    .addOption(stackOption())
    .description("show every value of an environment, and where it comes from")
    .action(
      act(context, async (word: string | undefined, { stack }: { stack?: string }) => {
        const files = readFiles(theEnvironment(context.root, word, stack), context.root);
        if (!files.environment) return failed(files.problems);
        const { show } = await import("./show");
        process.stdout.write(show(files));
        return EXIT.fine;
      }),
    );
  examples(command, "oslo-prod");
}

function registerValidate(env: Command, context: Context): void {
  const command = env
    .command("validate")
    .argument("[environment...]", "names of environments (default: all)", gathered)
    .addOption(stacksOption())
    .description("check the files of environments and functions; exits with 1 if there is a mistake")
    .action(
      act(context, async (words: string[] = [], { stack = [] }: { stack?: string[] }) => {
        const names = [...words, ...stack];
        // All must exist before one is checked.
        for (const name of names) readFiles(name, context.root);
        const { report, validate } = await import("./validate");
        const verdicts = await validate(names, context.root);
        process.stdout.write(report(verdicts));
        return verdicts.some(({ problems }) => problems.length > 0) ? EXIT.wrong : EXIT.fine;
      }),
    );
  examples(command, "", "oslo-staging oslo-prod");
}

/** For those who change oslo-faas itself. */
function registerGenerate(env: Command, context: Context): void {
  env
    .command("generate", { hidden: true })
    .option("--check", "write nothing; exit code 1 when a file is stale")
    .description("write docs/configuration.md and the schema for editors from environment/")
    .action(
      act(context, async ({ check }: { check?: boolean }) => {
        if (!isOwnRepository(context.root))
          throw new Unusable("env generate is for the repository of oslo-faas itself; nothing was written.");
        const { stale, write } = await import("./generate");
        if (!check) {
          const written = (await write(context.root)).map((file) => `wrote ${file}\n`);
          process.stdout.write(written.join("") || "nothing to write\n");
        }
        return failed(await stale(context.root));
      }),
    );
}

function failed(problems: string[]): number {
  if (problems.length > 0) process.stderr.write(`${problems.join("\n")}\n`);
  return problems.length > 0 ? EXIT.wrong : EXIT.fine;
}
