/** This machine's `docker`. */
import { runSync } from "../../programs/run";

/** @returns what it printed, where `capture` is given; else that goes to the terminal. @throws an Error where it failed */
export function docker(args: string[], capture = false): string {
  return runSync("docker", args, { show: capture ? "stderr" : "all" });
}
