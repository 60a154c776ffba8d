/**
 * The typed door to lab/toolchain/lib, for programs that run through tsx and for tests.
 *
 * The work itself is plain CommonJS: `npm run pulumi` starts it without a compiler, on a fresh clone even without node_modules.
 */
import path from "node:path";

/** A Pulumi that works on this machine. */
export interface Toolchain {
  /** official: found on PATH. downloaded: the official release, checked against its checksums. built: from pinned Go modules. */
  kind: "official" | "downloaded" | "built";
  /** Path of the engine's program. */
  pulumi: string;
  /** Its version, e.g. "3.259.0". */
  version: string;
  /** The environment to start it with, whole. Start it in the clone's root: the backend `file://.` is relative to where it runs. */
  env: NodeJS.ProcessEnv;
}

export interface ResolveOptions {
  /** What to look in for PATH and the rest. Default: process.env. */
  env?: NodeJS.ProcessEnv;
  /**
   * The arguments that pulumi will get, e.g. ["up", "--stack", "local"]. They decide whether the lab's public passphrase is set
   * (only for the stack `local`). Default: none, and then the stack that is selected counts.
   */
  args?: string[];
  /** Do not say on stderr which of the three is used. Default: false. */
  quiet?: boolean;
}

interface Implementation {
  resolveToolchain: (options?: ResolveOptions) => Promise<Toolchain>;
  clearToolchain: (env?: NodeJS.ProcessEnv) => void;
}

// eslint-disable-next-line @typescript-eslint/no-require-imports -- plain CommonJS without types; its contract is above
const implementation = require(path.join(__dirname, "lib", "resolve.cjs")) as Implementation;

/**
 * Finds, downloads or builds Pulumi. The first build takes minutes and says what it does; a later call takes milliseconds.
 * @throws an Error whose message says what to install, where none of the three ways is open
 */
export const resolveToolchain = implementation.resolveToolchain;

/** Removes what was downloaded or built, for every clone on this machine; a later run gets it again. */
export const clearToolchain = implementation.clearToolchain;
