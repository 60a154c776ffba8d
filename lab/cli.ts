/** `tsx lab/cli.ts COMMAND`: what `npm run up` and `npm run down` run. */
import { Command } from "commander";
import { signalAll } from "../programs/run";
import { type Lab, loadLab } from "./config";
import { down } from "./down";
import { describe } from "./errors";
import { Reporter } from "./progress";
import { status } from "./status";
import { hostOnly, imagesOnly, up } from "./up";

/** @param name how the commands are called, in their help */
function program(name: string): Command {
  const lab = new Command(name)
    .description(
      "The disposable host of this clone. OSLO_FAAS_LAB names a second one beside it: lab/README.md.",
    )
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .showHelpAfterError(`→ ${name} --help`)
    // What is wrong and the nearest right word in one line, as the product's own command has it.
    .configureOutput({ outputError: (text, write) => write(`\n${text.trim().replace(/\n(?=\()/, " ")}\n`) });
  const command = (verb: string, description: string, run: Run) =>
    lab
      .command(verb)
      .description(description)
      .action((options: DownOptions) => run(loadLab(), new Reporter(), options))
      .showHelpAfterError(`→ ${name} ${verb}${name === "npm run" ? " --" : ""} --help`);
  command(
    "up",
    "start the lab, deploy the stack onto its host and call a function; again: a look at each",
    up,
  );
  command("down", "destroy the stack and remove the lab", (lab, reporter, { cache = false, fast = false }) =>
    down(lab, reporter, { cache, fast }),
  )
    .option(
      "--cache",
      "also what every clone on this machine shares: base images, toolchain, built images",
      false,
    )
    .option("--fast", "drop the stack's state instead of destroying it resource by resource");
  command("host", "make the disposable host, and nothing on it", hostOnly);
  command("images", "build the images into the lab's registry, and write their lock file", imagesOnly);
  command("status", "say what there is", status);
  return lab;
}

type DownOptions = Partial<NonNullable<Parameters<typeof down>[2]>>;
type Run = (lab: Lab, reporter: Reporter, options: DownOptions) => Promise<void>;

async function main(words: string[]): Promise<void> {
  const scripts = ["up", "down"];
  await program(scripts.includes(words[0]!) ? "npm run" : "npx tsx lab/cli.ts").parseAsync(words, {
    from: "user",
  });
}

/**
 * The first signal lets what runs finish its step (the engine writes its state), the second one does not. Whatever happens,
 * the next `up` and `down` find their way from there.
 */
function stopOn(signal: NodeJS.Signals): void {
  let times = 0;
  process.on(signal, () => {
    times += 1;
    const running = signalAll(times === 1 ? "SIGINT" : "SIGKILL");
    if (running === 0 || times > 1) process.exit(130);
    process.stderr.write(`\n${signal}: waiting for what runs to stop; once more ends it at once.\n`);
    const check = setInterval(() => signalAll(0) === 0 && process.exit(130), 200);
    setTimeout(() => (clearInterval(check), signalAll("SIGKILL"), process.exit(130)), 60_000);
  });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) stopOn(signal);

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`\nerror: ${describe(error)}\n`);
    if (process.env.OSLO_FAAS_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
