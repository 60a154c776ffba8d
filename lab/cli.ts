/** `tsx lab/cli.ts COMMAND`: what `npm run up` and `npm run down` run. */
import { loadLab } from "./config";
import { describe, LabError } from "./errors";
import { Reporter } from "./progress";
import { endChildren } from "./run";
import { hostOnly } from "./up";

const USAGE = `Usage: lab/cli.ts COMMAND
  host      makes the disposable host, and nothing on it`;

async function main(argv: string[]): Promise<void> {
  const [command] = argv;
  const lab = loadLab();
  const reporter = new Reporter();
  switch (command) {
    case "host":
      return hostOnly(lab, reporter);
    default:
      throw new LabError(command ? `"${command}" is no command of the lab.` : "Which command?", USAGE);
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    process.stderr.write(`\n${signal}: stopping. Both \`npm run up\` and \`npm run down\` work from here.\n`);
    endChildren(signal);
    setTimeout(() => process.exit(130), 1000);
  });
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`\nerror: ${describe(error)}\n`);
    if (process.env.OSLO_FAAS_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
