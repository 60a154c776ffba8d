/** Measuring whole commands, and what is made of the figures. */
import { spawn } from "node:child_process";
import type { Row } from "./report";

export function summary(name: string, values: number[], unit: string): Row {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median =
    sorted.length % 2 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { name, median, min: sorted[0]!, max: sorted.at(-1)!, unit, runs: values.length };
}

/** Seconds that a command takes. Throws with its last lines when it fails, or after `timeoutSeconds` (default 120). */
export function timeCommand(
  command: string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv; timeoutSeconds?: number },
): Promise<number> {
  const { cwd, env = process.env, timeoutSeconds = 120 } = options;
  return new Promise((resolve, reject) => {
    const start = process.hrtime.bigint();
    const child = spawn(command[0]!, command.slice(1), { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const timer = setTimeout(() => child.kill("SIGTERM"), timeoutSeconds * 1000);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => (output = (output + data.toString()).slice(-4000)));
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      if (code === 0) resolve(Number(process.hrtime.bigint() - start) / 1e9);
      else reject(new Error(`${command.join(" ")} ended with ${code}:\n${output}`));
    });
  });
}
