/** `npm run env -- COMMAND`: the files that describe environments. */
import path from "node:path";
import { readEnvironment } from "../../environment/files";

const ROOT = path.resolve(__dirname, "../..");

const USAGE = `npm run env -- show NAME                everything that holds for an environment, and where each value comes from
npm run env -- validate [NAME …]        every mistake in the files; exit code 1 when there is one
npm run env -- generate [--check]       docs/configuration.md and the schema for editors, out of environment
npm run env -- new --help               a new environment`;

/** @returns the exit code */
async function main([command, ...args]: string[]): Promise<number> {
  if (command === "show" && args.length === 1) {
    const files = readEnvironment(args[0]!, ROOT);
    if (!files.environment) return failed(files.problems);
    const { show } = await import("./show");
    process.stdout.write(show(files));
    return 0;
  }
  if (command === "validate") {
    const { report, validate } = await import("./validate");
    const verdicts = validate(args, ROOT);
    process.stdout.write(report(verdicts));
    return verdicts.some(({ problems }) => problems.length > 0) ? 1 : 0;
  }
  if (command === "generate") return generate(args);
  if (command === "new") {
    const { main: create, NEW_USAGE } = await import("./new");
    if (args.includes("--help") || args.includes("-h")) process.stdout.write(`${NEW_USAGE}\n`);
    else await create(args, ROOT);
    return 0;
  }
  const asked = command === undefined || command === "--help" || command === "-h";
  (asked ? process.stdout : process.stderr).write(`${USAGE}\n`);
  return asked ? 0 : 2;
}

async function generate(args: string[]): Promise<number> {
  const { stale, write } = await import("./generate");
  if (!args.includes("--check"))
    process.stdout.write(
      (await write(ROOT)).map((file) => `wrote ${file}\n`).join("") || "nothing to write\n",
    );
  return failed(await stale(ROOT));
}

function failed(problems: string[]): number {
  if (problems.length > 0) process.stderr.write(`${problems.join("\n")}\n`);
  return problems.length > 0 ? 1 : 0;
}

main(process.argv.slice(2))
  .then((code) => {
    process.exitCode = code;
  })
  .catch((error: Error) => {
    // What a person can cause is an Error with a sentence; what is left is a mistake in here, and wants its stack.
    const own = error.constructor === Error || error.constructor.name === "UsageError";
    process.stderr.write(`${own ? error.message : error.stack}\n`);
    process.exitCode = 1;
  });
