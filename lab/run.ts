/** Runs a program of the machine for the lab, keeping its output in a log and its last lines for an error. */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { lines, run as runProgram } from "../programs/run";
import { LabError } from "./errors";

export interface RunOptions {
  /** What the program is run for, in the words of an error: "install docker.io". */
  step: string;
  limitMs: number;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** File to which all output is appended. */
  log?: string;
  onLine?: (line: string) => void;
  /** Exit codes that are no error. Default: [0]. A signal and a time-out always are. */
  allow?: number[] | "any";
  remedy?: string;
  /** Out of reach of a Ctrl-C but through `signalAll`. Default: false. */
  group?: boolean;
}

export interface RunResult {
  code: number;
  stdout: string;
  /** Both streams, as they came. */
  output: string;
}

export async function run(command: string, args: string[], options: RunOptions): Promise<RunResult> {
  const { step, log, onLine, allow = [0], remedy, ...rest } = options;
  if (log) mkdirSync(dirname(log), { recursive: true });
  // Written at once, so that the log is complete when an error names it.
  const file = log ? openSync(log, "a", 0o600) : undefined;
  const tail: string[] = [];
  const take = lines((line) => {
    tail.push(line);
    if (tail.length > 12) tail.shift();
    onLine?.(line);
  });
  const onOutput = (piece: Buffer) => {
    if (file !== undefined) writeSync(file, piece);
    take(piece);
  };
  const ended = await runProgram(command, args, { ...rest, onOutput }).finally(
    () => file !== undefined && closeSync(file),
  );
  const { code, problem, missing, stdout, output } = ended;
  if (code !== undefined && (allow === "any" || allow.includes(code))) return { code, stdout, output };
  if (missing)
    throw new LabError(
      `To ${step}, the lab needs the program "${command}", which is not there.`,
      remedy ?? `Install ${command}.`,
    );
  const last = tail.map((line) => `    ${line}`);
  const where = log ? [`  All of its output: ${log}`] : [];
  throw new LabError([`Could not ${step}: ${command} ${problem}.`, ...last, ...where].join("\n"), remedy);
}
