/** Measuring whole commands, and what is made of the figures. */
import { run } from "../programs/run";
import type { Row } from "./report";

export function summary(name: string, values: number[], unit: string): Row {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median =
    sorted.length % 2 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { name, median, min: sorted[0]!, max: sorted.at(-1)!, unit, runs: values.length };
}

/** Seconds that a command takes. Throws with its last lines when it fails, or after `timeoutSeconds` (default 120). */
export async function timeCommand(
  command: string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv; timeoutSeconds?: number },
): Promise<number> {
  const { cwd, env, timeoutSeconds = 120 } = options;
  const start = process.hrtime.bigint();
  const { problem, output } = await run(command[0]!, command.slice(1), {
    cwd,
    env,
    limitMs: timeoutSeconds * 1000,
  });
  if (problem) throw new Error(`${command.join(" ")} ${problem}:\n${output.slice(-4000)}`);
  return Number(process.hrtime.bigint() - start) / 1e9;
}
