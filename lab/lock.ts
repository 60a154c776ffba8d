/** One `up` or `down` of a lab at a time. The lock of a run that was killed counts for nothing. */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Lab } from "./config";
import { startTimeOf } from "./engine";
import { LabError } from "./errors";

interface Holder {
  pid: number;
  startTime: string | undefined;
  command: string;
}

/** Takes the lock until the process ends. Throws LabError naming the process that holds it. */
export function lockLab(lab: Lab, command: string): void {
  const file = `${lab.cacheDir}.lock`;
  const mine: Holder = { pid: process.pid, startTime: startTimeOf(process.pid), command };
  mkdirSync(dirname(file), { recursive: true });
  for (let attempt = 0; attempt < 3; attempt += 1) {
    // Written beside it and linked: nobody ever sees a lock that does not say whose it is.
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, JSON.stringify(mine));
    try {
      linkSync(draft, file);
      process.once("exit", () => rmSync(file, { force: true }));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      rmSync(draft, { force: true });
    }
    const holder = readHolder(file);
    if (holder && startTimeOf(holder.pid) === holder.startTime) {
      throw new LabError(
        `\`${holder.command}\` of this lab is running already (process ${holder.pid}).`,
        "Wait for it, or end it; then run this again.",
      );
    }
    rmSync(file, { force: true });
  }
  throw new LabError(
    `Could not take the lock ${file}.`,
    "Another command of this lab has just started; try again.",
  );
}

function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}
