/** `oslo-faas functions`: handlers and their images, on a developer's machine. */
import { type Command, Option } from "commander";
import { act, type Context, type Register, say } from "../context";
import {
  configFileOption,
  gathered,
  type StackFlags,
  stackOption,
  theEnvironment,
  whereOf,
} from "../environment";
import { EXIT, UsageError } from "../errors";
import { examples } from "../help";

export const register: Register = (parent, context) => {
  const functions = parent
    .command("functions")
    .description("create, run, deploy, call and inspect functions");
  registerNew(functions, context);
  registerRun(functions, context);
  registerDeploy(functions, context);
  registerInvoke(functions, context);
  registerLogs(functions, context);
  registerList(functions, context);
  registerShow(functions, context);
  registerDescribe(functions, context);
  registerBuild(functions, context);
  registerTemplates(functions, context);
};

function registerNew(functions: Command, context: Context): void {
  const command = functions
    .command("new")
    .argument("<name>", "the function's name")
    .requiredOption("-l, --lang <language>", "the template to use: go, node, python, or one of template/")
    .option("-f, --file <file>", "the function file that gets its entry", "functions/stack.yml")
    // What --file was called before there was one way to name an environment.
    .addOption(new Option("-s, --stack <file>").hideHelp())
    .description("create a handler, and its entry in a function file")
    .action(
      act(context, async (name: string, options: { lang: string; file: string; stack?: string }) => {
        const { lang, stack: old, file } = options;
        if (old !== undefined && !/\.ya?ml$/.test(old))
          throw new UsageError(
            `A function belongs to a function file, not to an environment: use --file FILE.`,
          );
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
    .argument("[function...]", "names of functions (default: all with a handler)")
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
    .description("build the images of an environment's functions on this machine's engine")
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

const oneFunction = (functions: Command, verb: string): Command =>
  functions
    .command(verb)
    .argument("<function>", "its name")
    .addOption(stackOption())
    .addOption(configFileOption());

const about = (line: string): void => void process.stderr.write(`${line}\n`);

function registerRun(functions: Command, context: Context): void {
  const command = oneFunction(functions, "run")
    .option("-p, --port <port>", "where it listens", "8090")
    .description("run one on this machine, with its variables and secrets; started again when a file changes")
    .action(
      act(context, async (name: string, flags: StackFlags & { port: string }) => {
        const { runHere } = await import("./run");
        const ending = new AbortController();
        for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => ending.abort());
        const port = wholeNumber("--port", flags.port);
        const { engine } = context;
        await runHere(name, {
          ...whereOf(context.root, flags),
          port,
          engine,
          say: about,
          signal: ending.signal,
        });
      }),
    );
  examples(command, "resize -s oslo-dev");
}

function registerDeploy(functions: Command, context: Context): void {
  const command = oneFunction(functions, "deploy")
    .description("deploy one by itself, with the environment's program and state")
    .action(
      act(context, async (name: string, flags: StackFlags) => {
        const { deploy } = await import("./deploy");
        await deploy(name, { ...whereOf(context.root, flags), context, say });
      }),
    );
  examples(command, "resize -s oslo-dev");
}

interface InvokeFlags extends StackFlags {
  data?: string;
  header?: string[];
  method?: string;
  path?: string;
  async?: boolean;
  timeout: string;
}

function registerInvoke(functions: Command, context: Context): void {
  const command = oneFunction(functions, "invoke")
    .option("-d, --data <data>", "the body: a text, @FILE, or - for standard input")
    .addOption(new Option("-H, --header <header>", '"Name: value"; may be repeated').argParser(gathered))
    .option("-X, --method <method>", "POST with a body, else GET, when none is given")
    .option("--path <path>", "what follows the function's name in the URL, such as /thumbs?width=64")
    .option("--async", "by the queue; waits for the answer where the host can call this machine")
    .option("--timeout <seconds>", "for the answer", "300")
    .description("call one through the front door; exit code 1 when it answers with an error")
    .action(
      act(context, async (name: string, flags: InvokeFlags) => {
        const { data, header = [], method, path = "", async: isAsync = false, timeout } = flags;
        const { invoke } = await import("./invoke");
        const fine = await invoke(name, {
          ...whereOf(context.root, flags),
          data,
          headers: header,
          method,
          path,
          async: isAsync,
          timeoutSeconds: wholeNumber("--timeout", timeout),
          write: (body) => void process.stdout.write(body),
          say: about,
        });
        return fine ? EXIT.fine : EXIT.wrong;
      }),
    );
  examples(command, "resize -s oslo-dev -d @fjord.jpg", "resize -s oslo-dev --async -d @fjord.jpg");
}

function registerLogs(functions: Command, context: Context): void {
  const command = oneFunction(functions, "logs")
    .option("-f, --follow", "go on with what comes, until Ctrl-C")
    .option("-n, --tail <lines>", "of each replica, at the most", "100")
    .description("what the replicas of one print")
    .action(
      act(context, async (name: string, flags: StackFlags & { follow?: boolean; tail: string }) => {
        const { showLogs } = await import("./logs");
        const tail = wholeNumber("--tail", flags.tail);
        await showLogs(name, { ...whereOf(context.root, flags), follow: flags.follow ?? false, tail, say });
      }),
    );
  examples(command, "resize -s oslo-dev", "resize -s oslo-dev -f");
}

interface ListFlags extends StackFlags {
  json?: boolean;
}

function registerList(functions: Command, context: Context): void {
  const command = functions
    .command("list")
    .addOption(stackOption())
    .addOption(configFileOption())
    .option("--json", "print JSON")
    .description("what starts a call of each, and when next; from the files alone")
    .action(
      act(context, async (flags: ListFlags) => {
        const { triggersOf, listed } = await import("./triggers");
        const all = triggersOf(whereOf(context.root, flags));
        if (flags.json) say(JSON.stringify(all, null, 2));
        else for (const line of listed(all)) say(line);
      }),
    );
  examples(command, "-s oslo-dev");
}

function registerShow(functions: Command, context: Context): void {
  const command = oneFunction(functions, "show")
    .option("--json", "print JSON")
    .description("what starts a call of one, with the next three times; from the files alone")
    .action(
      act(context, async (name: string, flags: ListFlags) => {
        const { triggersOfOne, shown } = await import("./triggers");
        const one = triggersOfOne(name, whereOf(context.root, flags));
        if (flags.json) say(JSON.stringify(one, null, 2));
        else for (const line of shown(one)) say(line);
      }),
    );
  examples(command, "resize -s oslo-dev");
}

function registerDescribe(functions: Command, context: Context): void {
  const command = oneFunction(functions, "describe")
    .description("what the files say of one, what runs, and its last errors")
    .action(
      act(context, async (name: string, flags: StackFlags) => {
        const { describe } = await import("./describe");
        for (const line of await describe(name, whereOf(context.root, flags))) say(line);
      }),
    );
  examples(command, "resize -s oslo-dev");
}

function wholeNumber(flag: string, text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new UsageError(`${flag} is "${text}"; it has to be a whole number.`);
  return Number(text);
}
