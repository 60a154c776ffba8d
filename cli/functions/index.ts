/** `oslo-faas functions`: handlers and their images, on a developer's machine. */
import { type Command, Option } from "commander";
import { act, type Context, type Register, say } from "../context";
import { configFileOption, gathered, stackOption, theEnvironment } from "../environment";
import { UsageError } from "../errors";
import { examples } from "../help";

export const register: Register = (parent, context) => {
  const functions = parent.command("functions").description("functions: make them and build their images");
  registerNew(functions, context);
  registerBuild(functions, context);
  registerTemplates(functions, context);
};

function registerNew(functions: Command, context: Context): void {
  const command = functions
    .command("new")
    .argument("<name>", "the function's name")
    .requiredOption(
      "-l, --lang <language>",
      "the template that it is made from: go, node, python, or one of template/",
    )
    .option("-f, --file <file>", "the stack.yml that gets its entry", "functions/stack.yml")
    // What --file was called before there was one way to name an environment.
    .addOption(new Option("-s, --stack <file>").hideHelp())
    .description("a handler to begin with, and its entry in a stack.yml")
    .action(
      act(context, async (name: string, options: { lang: string; file: string; stack?: string }) => {
        const { lang, stack: old, file } = options;
        if (old !== undefined && !/\.ya?ml$/.test(old))
          throw new UsageError(`A function is made in a stack.yml, not in an environment: --file FILE.`);
        const { create } = await import("./new");
        create(name, lang, { root: context.root, stack: old ?? file, say });
      }),
    );
  examples(command, "resize --lang node");
}

interface BuildFlags {
  stack?: string;
  push?: boolean;
  load?: boolean;
  configFile?: string;
}

function registerBuild(functions: Command, context: Context): void {
  const command = functions
    .command("build")
    .argument("[function...]", "their names; all that have a handler when none is given")
    .addOption(stackOption())
    .option(
      "--push",
      "also push them to the environment's registry, and write their digests into its lock file",
    )
    .option(
      "--load",
      "also load them onto the environment's host over SSH, and write their ids into its lock file; needs images.functions: loaded",
    )
    .addOption(configFileOption())
    .description("the images of an environment's functions, on this machine's engine")
    .action(
      act(context, async (names: string[], { stack, push = false, load = false, configFile }: BuildFlags) => {
        const name = theEnvironment(context.root, undefined, stack);
        const { buildImages } = await import("./build");
        await buildImages(name, { root: context.root, names, push, load, configFile, say });
      }),
    );
  examples(command, "-s oslo-dev", "-s oslo-prod --push resize");
}

interface PullFlags {
  file?: string[];
  update?: boolean;
}

function registerTemplates(functions: Command, context: Context): void {
  const templates = functions
    .command("templates")
    .description("templates of OpenFaaS's form, from git repositories");
  const command = templates
    .command("pull")
    .addOption(
      new Option("-f, --file <file>", "a stack.yml that names them; may be repeated")
        .argParser(gathered)
        .default(undefined, "functions/stack.yml"),
    )
    .option("--update", "move to the newest commit of each source, and write it into template.lock.json")
    .description(
      "what a stack.yml names under configuration.templates, at the commit that template.lock.json pins",
    )
    .action(
      act(context, async ({ file = ["functions/stack.yml"], update = false }: PullFlags) => {
        const { pullTemplates } = await import("./templates");
        await pullTemplates({ root: context.root, stacks: file, update, say });
      }),
    );
  examples(command, "", "--file functions/stack.yml --update");
}
