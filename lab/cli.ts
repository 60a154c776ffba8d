/** `tsx lab/cli.ts COMMAND`: what `npm run up` and `npm run down` run. */
import { loadLab } from "./config";
import { down } from "./down";
import { describe, LabError } from "./errors";
import { Reporter } from "./progress";
import { endChildren } from "./run";
import { status } from "./status";
import { hostOnly, imagesOnly, up } from "./up";

const USAGE = `Usage: lab/cli.ts COMMAND
  up                starts the lab, deploys the stack onto its host and calls a function
  down              destroys the stack and removes the lab
       --cache      also what every clone on this machine shares: base images, toolchain, built images
       --fast       drops the stack's state instead of destroying it resource by resource
  host              makes the disposable host, and nothing on it
  images            builds the images into the lab's registry, and writes their lock file
  status            says what there is
OSLO_FAAS_LAB names a second lab beside the usual one, LAB_BASE another base image: see lab/README.md.`;

const OPTIONS: Record<string, string[]> = {
  up: [],
  down: ["--cache", "--fast"],
  host: [],
  images: [],
  status: [],
};

async function main(argv: string[]): Promise<void> {
  const [command = "", ...options] = argv;
  if (["", "help", "--help", "-h"].includes(command)) return void process.stdout.write(`${USAGE}\n`);
  const known = OPTIONS[command];
  if (!known) throw new LabError(`"${command}" is no command of the lab.`, USAGE);
  const unknown = options.filter((option) => !known.includes(option));
  if (unknown.length > 0) throw new LabError(`\`${command}\` does not know ${unknown.join(", ")}.`, USAGE);
  const lab = loadLab();
  const reporter = new Reporter();
  if (command === "up") return up(lab, reporter);
  if (command === "down") {
    return down(lab, reporter, { cache: options.includes("--cache"), fast: options.includes("--fast") });
  }
  if (command === "images") return imagesOnly(lab, reporter);
  return command === "host" ? hostOnly(lab, reporter) : status(lab);
}

/**
 * The first signal lets what runs finish its step (the engine writes its state), the second one does not. Whatever happens,
 * the next `up` and `down` find their way from there.
 */
function stopOn(signal: NodeJS.Signals): void {
  let times = 0;
  process.on(signal, () => {
    times += 1;
    const running = endChildren(times === 1 ? "SIGINT" : "SIGKILL");
    if (running === 0 || times > 1) process.exit(130);
    process.stderr.write(`\n${signal}: waiting for what runs to stop; once more ends it at once.\n`);
    const check = setInterval(() => endChildren(0) === 0 && process.exit(130), 200);
    setTimeout(() => (clearInterval(check), endChildren("SIGKILL"), process.exit(130)), 60_000);
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
