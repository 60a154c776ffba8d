/** Ends `env new`: makes the stack and shows what an `up` would do. */
import { spawn } from "node:child_process";
import type { Engine } from "../context";

const LIMIT_MS = 10 * 60_000;

/** @throws an Error when the engine says no; its own words are on the terminal by then */
export async function preview(name: string, root: string, { program, env }: Engine): Promise<void> {
  const run = (args: string[]) => engine(program, args, env, root);
  await run(["stack", "init", name, "--no-select"]);
  await run(["preview", "--stack", name]);
}

/** Whether a passphrase can be had, asked before anything is written. */
export function requirePassphrase(terminal: boolean, env: NodeJS.ProcessEnv = process.env): void {
  const some = ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_BACKEND_URL"];
  if (terminal || some.some((name) => env[name] !== undefined)) return;
  throw new Error(
    "The preview makes a stack, whose secrets a passphrase encrypts: set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or give --no-preview.",
  );
}

function engine(program: string, args: string[], env: NodeJS.ProcessEnv, cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: "inherit", timeout: LIMIT_MS });
    const what = `pulumi ${args.join(" ")}`;
    child.on("error", (error) => reject(new Error(`${what} cannot be started: ${error.message}`)));
    child.on("exit", (code, signal) => {
      if (code === 0) return resolve();
      const end = signal
        ? `was ended by ${signal} (longer than ${LIMIT_MS / 60_000} min?)`
        : `ended with ${code}`;
      reject(new Error(`The file is written, and ${what} ${end}.`));
    });
  });
}
