"use strict";
/**
 * Work that two processes must not do at once, e.g. two clones building the toolchain.
 *
 * The lock is flock(2)'s, through the program of that name: the kernel drops it with the process that holds it, so there is no
 * stale lock to tell from a live one. Where there is no `flock`, the work runs without: both do it, and the rename settles it.
 */
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { say, heartbeat, ToolchainError } = require("./say.cjs");

/** What flock is told to answer when another process holds the lock. */
const TAKEN = 75;
const LONGEST_WAIT_S = 3600;
const NO_FLOCK = 127;
/** The lock is on a file descriptor that the work inherits, and the work takes the shell's place: a signal for it reaches it. */
const LOCKED = 'exec 9>"$1" || exit 1; flock "$2" "$3" -E 75 9 || exit $?; shift 3; exec "$@"';

/** @returns {Promise<number>} the exit code */
function run(command, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ["ignore", 2, 2] });
    // A terminal's Ctrl-C reaches the child by itself; `kill` reaches only us.
    const pass = (signal) => child.kill(signal);
    process.on("SIGTERM", pass);
    process.on("SIGHUP", pass);
    const settle = () => {
      process.off("SIGTERM", pass);
      process.off("SIGHUP", pass);
    };
    child.on("error", (error) => {
      settle();
      reject(error);
    });
    child.on("exit", (code, signal) => {
      settle();
      resolve(signal ? 1 : code);
    });
  });
}

/**
 * Runs `script` (a Node program) while no other process holds the lock.
 * @param {string} file the lock file; it stays, empty
 * @param {string} script
 * @param {string[]} args
 * @param {{ what: string, env: NodeJS.ProcessEnv }} options what: for "another process is …"
 * @returns {Promise<boolean>} whether the script ended well; what went wrong it has said itself
 */
async function runLocked(file, script, args, { what, env }) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const node = [process.execPath, script, ...args];
  const locked = (...wait) => run("sh", ["-c", LOCKED, "sh", file, ...wait, ...node], env);
  let code = await locked("-x", "-n");
  if (code === TAKEN) {
    say(`another process is ${what}; waiting for it`);
    const stop = heartbeat(() => `another process is still ${what}`);
    code = await locked("-w", String(LONGEST_WAIT_S)).finally(stop);
    if (code === TAKEN) {
      throw new ToolchainError(
        `Another process has been ${what} for more than an hour.`,
        `End it, or remove ${file} if you are sure that it hangs.`,
      );
    }
  }
  if (code === NO_FLOCK) code = await run(node[0], node.slice(1), env);
  return code === 0;
}

module.exports = { runLocked };
