/** `npm run status -- -s NAME`: how an environment is, on one screen. */
import path from "node:path";
import { parseArgs } from "node:util";
import { describe } from "../../providers/host/src/errors";
import { attempt, collect, limitsOf } from "./collect";
import { judge } from "./judge";
import { render } from "./render";
import { readSubject, sessionOf } from "./target";

const ROOT = path.resolve(__dirname, "../..");

const USAGE = `npm run status -- -s NAME [--drift] [--json] [--config-file FILE]

How an environment is: host, services, functions with their rates, queue, disk, certificate, alerts.

  -s, --stack NAME     the environment, as stacks/Pulumi.NAME.yaml names it
  --drift              also what \`pulumi up --refresh\` would change; takes as long as a preview and needs the stack's passphrase
  --json               the same as JSON
  --config-file FILE   a stack file elsewhere

Exit code: 0 healthy; 1 something is not, or cannot be asked, and is named; 2 the command line or the stack file cannot be used.`;

class UsageError extends Error {}

function options(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        stack: { type: "string", short: "s" },
        drift: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
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

/** @returns the exit code */
async function main(args: string[]): Promise<number> {
  const asked = options(args);
  if (asked.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const file = asked["config-file"];
  const { subject, session } = prepare(asked.stack!, file);
  try {
    const report = await collect(subject, session);
    if (asked.drift && !report.missing.host) {
      const { drift } = await import("./drift");
      await attempt(report, "drift", async () => {
        report.drift = await drift(subject.name, ROOT, file);
      });
      report.problems = judge(report, limitsOf(subject));
    }
    process.stdout.write(asked.json ? `${JSON.stringify(report, null, 2)}\n` : render(report));
    return report.problems.length === 0 ? 0 : 1;
  } finally {
    await session.close();
  }
}

function prepare(name: string, file?: string) {
  try {
    const subject = readSubject(name, ROOT, file);
    return { subject, session: sessionOf(subject.environment, ROOT) };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    process.stderr.write(`error: ${describe(error)}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
