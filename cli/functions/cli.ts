/** `npm run functions -- COMMAND`: handlers and their images, on a developer's machine. */
import path from "node:path";
import { parseArgs } from "node:util";

const ROOT = path.resolve(__dirname, "../..");

const USAGE = `npm run functions -- new NAME --lang LANG        a handler to begin with, and its entry in a stack.yml
    --stack FILE   the stack.yml; default: functions/stack.yml
npm run functions -- build -s ENVIRONMENT [NAME …]   the images of an environment's functions, on this machine's engine
    --push         and into their registry; their digests go into the environment's lock file
    --load         and onto the environment's host, over SSH; their ids go into the lock file. Needs images.functions: loaded
    --config-file FILE   a stack file elsewhere, as Pulumi takes it`;

const say = (line: string) => process.stdout.write(`${line}\n`);

/** @returns the exit code */
async function main([command, ...args]: string[]): Promise<number> {
  if (command === "new") {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { lang: { type: "string" }, stack: { type: "string" } },
    });
    const [name, ...more] = positionals;
    if (name && values.lang && more.length === 0) {
      const { create } = await import("./new");
      create(name, values.lang, { root: ROOT, stack: values.stack, say });
      return 0;
    }
  }
  if (command === "build") {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        stack: { type: "string", short: "s" },
        push: { type: "boolean", default: false },
        load: { type: "boolean", default: false },
        "config-file": { type: "string" },
      },
    });
    if (values.stack) {
      const { buildImages } = await import("./build");
      const { push, load, "config-file": configFile } = values;
      await buildImages(values.stack, { root: ROOT, names: positionals, push, load, configFile, say });
      return 0;
    }
  }
  const asked = command === undefined || command === "--help" || command === "-h";
  (asked ? process.stdout : process.stderr).write(`${USAGE}\n`);
  return asked ? 0 : 2;
}

main(process.argv.slice(2))
  .then((code) => {
    process.exitCode = code;
  })
  .catch((error: Error & { code?: string }) => {
    // What a person can cause is an Error with a sentence; what is left is a mistake in here, and wants its stack.
    const own = error.constructor === Error || error.code?.startsWith("ERR_PARSE_ARGS");
    process.stderr.write(`${own ? error.message : error.stack}\n`);
    process.exitCode = 1;
  });
