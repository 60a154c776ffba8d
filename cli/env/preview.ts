/** The end of `env new`: creates the stack and shows what an `up` would do. */
import { run } from "../../programs/run";
import type { Engine } from "../../programs/pulumi";

const LIMIT_MS = 10 * 60_000;

/** @throws an Error when the engine says no; its own words are on the terminal by then */
export async function preview(
  name: string,
  root: string,
  { program, env: found }: Engine,
  passphrase?: string,
): Promise<void> {
  const env = passphrase === undefined ? found : { ...found, PULUMI_CONFIG_PASSPHRASE: passphrase };
  await engine(program, ["stack", "init", name, "--no-select"], env, root);
  await engine(program, ["preview", "--stack", name], env, root);
}

const SOURCES = ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_BACKEND_URL"];

/**
 * @returns whether the passphrase has to be asked for
 * @throws an Error, before anything is written, if no passphrase can be had
 */
export function requirePassphrase(terminal: boolean, env: NodeJS.ProcessEnv = process.env): boolean {
  if (SOURCES.some((name) => env[name] !== undefined)) return false;
  if (terminal) return true;
  throw new Error(
    "The preview creates a stack, and needs a passphrase for its secrets: set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or use --no-preview.",
  );
}

async function engine(program: string, args: string[], env: NodeJS.ProcessEnv, cwd: string): Promise<void> {
  // The engine asks for a passphrase on the terminal.
  const { problem } = await run(program, args, { cwd, env, shown: true, limitMs: LIMIT_MS });
  if (problem) throw new Error(`The file is written, and pulumi ${args.join(" ")} ${problem}.`);
}
