"use strict";
/** Starts a program in place of this one, as nearly as Node can: its exit code, its signals, its terminal. */
const { spawn } = require("node:child_process");
const os = require("node:os");
const { ToolchainError } = require("./say.cjs");

/** `npm run` passes a signal on that the terminal has delivered already; Pulumi takes a second Ctrl-C for "stop at once". */
const SAME_SIGNAL_MS = 500;

/** A terminal sends Ctrl-C to the whole process group, so the child has it already. */
function onTerminal() {
  return process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
}

function passSignals(child) {
  const last = new Map();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    process.on(signal, () => {
      const byTerminal = (signal === "SIGINT" || signal === "SIGQUIT") && onTerminal();
      const again = Date.now() - (last.get(signal) ?? 0) < SAME_SIGNAL_MS;
      last.set(signal, Date.now());
      if (!byTerminal && !again) child.kill(signal);
    });
  }
}

/**
 * @param {string[]} line the program and its arguments
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<void>} never, but for an error in starting it: the process ends as the child does
 */
function handOver([command, ...args], { cwd, env }) {
  return new Promise((_resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: "inherit" });
    passSignals(child);
    child.on("error", (error) => reject(new ToolchainError(`Cannot start ${command}: ${error.message}`)));
    child.on("exit", (code, signal) => process.exit(signal ? 128 + os.constants.signals[signal] : code));
  });
}

module.exports = { handOver };
