/** actionlint for `npm run check`: the one on PATH, or one built from its pinned Go module, once per machine. */
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { runSync } from "../../programs/run";

const LIMIT_MS = 10 * 60_000;

/** Beside the folder of the engine's sources (lab/toolchain/go), so that a new version does not rebuild the engine. */
const MODULE = __dirname;

/** Where it is kept: named after what it is built from. */
function cached(env: NodeJS.ProcessEnv): string {
  const hash = crypto.createHash("sha256");
  for (const name of ["go.mod", "go.sum"]) hash.update(fs.readFileSync(path.join(MODULE, name)));
  const cache = env.XDG_CACHE_HOME || path.join(env.HOME || os.homedir(), ".cache");
  return path.join(cache, "oslo-faas", "actionlint", hash.digest("hex").slice(0, 16), "actionlint");
}

/**
 * @returns the program
 * @throws an Error that says what to install, where there is neither it nor a Go to build it
 */
export function ensureActionlint(env: NodeJS.ProcessEnv = process.env): string {
  const program = cached(env);
  if (fs.existsSync(program)) return program;
  const folder = path.dirname(program);
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  const part = fs.mkdtempSync(`${folder}.tmp-`);
  try {
    runSync("go", ["install", "-mod=mod", "-modfile", copied(part), "tool"], {
      cwd: MODULE,
      env: { ...env, GOBIN: part, CGO_ENABLED: "0", GOWORK: "off" },
      limitMs: LIMIT_MS,
    });
    // Complete or not at all; the first one wins.
    if (!fs.existsSync(folder)) fs.renameSync(part, folder);
    return program;
  } catch (error) {
    throw new Error(
      `actionlint cannot be built; put Go 1.26 or later on PATH (its module: dev/actionlint/go.mod)\n${(error as Error).message}`,
      { cause: error },
    );
  } finally {
    fs.rmSync(part, { recursive: true, force: true });
  }
}

/** Go may write to the files it reads; ours stay as they are committed. */
function copied(folder: string): string {
  for (const name of ["go.mod", "go.sum"]) fs.copyFileSync(path.join(MODULE, name), path.join(folder, name));
  return path.join(folder, "go.mod");
}
