/** `npm run repair -- -s NAME`: after an `up` that was killed. */
import path from "node:path";
import { parseArgs } from "node:util";
import { describe } from "../../providers/host/src/errors";
import { readSubject, sessionOf } from "../status/target";
import { resolveToolchain } from "../../lab/toolchain/resolve";
import { repair } from "./repair";

const ROOT = path.resolve(__dirname, "../..");

const USAGE = `npm run repair -- -s NAME [--config-file FILE]

After an \`up\` that was killed: releases its lock, removes from the host what it had half made and the state does not know, and
reads the host into the state. What holds data is left alone. Then \`pulumi up\` goes on where it was.

  -s, --stack NAME     the environment, as stacks/Pulumi.NAME.yaml names it
  --config-file FILE   a stack file elsewhere

Exit code: 0 repaired, or nothing was interrupted; 1 it cannot be repaired, and why; 2 the command line or the stack file cannot be used.`;

class UsageError extends Error {}

function options(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        stack: { type: "string", short: "s" },
        "config-file": { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (!values.stack && !values.help) throw new Error("which environment? -s NAME");
    return values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function prepare(name: string, file?: string) {
  try {
    return sessionOf(readSubject(name, ROOT, file).environment, ROOT);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function main(args: string[]): Promise<void> {
  const asked = options(args);
  if (asked.help) return void process.stdout.write(`${USAGE}\n`);
  const stack = asked.stack!;
  const session = prepare(stack, asked["config-file"]);
  try {
    const toolchain = await resolveToolchain({ args: ["refresh", "--stack", stack], quiet: true });
    const count = await repair({
      engine: { program: toolchain.pulumi, env: toolchain.env },
      stack,
      config: asked["config-file"] ? ["--config-file", asked["config-file"]] : [],
      root: ROOT,
      session,
      say: (line) => process.stdout.write(`${line}\n`),
    });
    process.stdout.write(
      count === 0
        ? `Nothing of ${stack} was interrupted.\n`
        : `Repaired. \`pulumi up -s ${stack}\` goes on where the one that was killed was.\n`,
    );
  } finally {
    await session.close();
  }
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`error: ${describe(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
