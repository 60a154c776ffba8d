/** This machine's `docker`. */
import { spawnSync } from "node:child_process";

/** @returns what it printed, where `capture` is given; else that goes to the terminal. @throws an Error where it failed */
export function docker(args: string[], capture = false): string {
  const stdout = capture ? "pipe" : "inherit";
  const result = spawnSync("docker", args, { stdio: ["ignore", stdout, "inherit"], encoding: "utf8" });
  if (result.error)
    throw new Error(
      `docker could not be started (${result.error.message}): it builds and pushes the images.`,
    );
  if (result.status !== 0) throw new Error(`docker ${args[0]} ended with ${result.status}.`);
  return result.stdout ?? "";
}
