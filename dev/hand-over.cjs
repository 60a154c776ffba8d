"use strict";
/** Starts a program in place of this one, as nearly as Node can: its exit code, its signals, its terminal. */
const { spawn } = require("node:child_process");
const os = require("node:os");
const { ToolchainError } = require("../lab/toolchain/lib/say.cjs");

/** `npm run` passes a signal on that the terminal has delivered already; Pulumi takes a second Ctrl-C for "stop at once". */
const SAME_SIGNAL_MS = 500;

/** A terminal sends Ctrl-C to the whole process group, so the child has it already. */
function onTerminal() {
  return process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
}

/** The child that runs, if any, and when it got which signal. */
let current;
const last = new Map();

function pass(signal) {
  const byTerminal = (signal === "SIGINT" || signal === "SIGQUIT") && onTerminal();
  const again = Date.now() - (last.get(signal) ?? -SAME_SIGNAL_MS) < SAME_SIGNAL_MS;
  last.set(signal, Date.now());
  if (!byTerminal && !again) current?.kill(signal);
}

/** @returns {Promise<number>} its exit code; 128 and the signal's number where a signal ended it, as a shell has it */
function run([command, ...args], options) {
  return new Promise((resolve, reject) => {
    current = spawn(command, args, { ...options, stdio: "inherit" });
    current.on("error", (error) => reject(new ToolchainError(`Cannot start ${command}: ${error.message}`)));
    current.on("exit", (code, signal) => resolve(signal ? 128 + os.constants.signals[signal] : code));
  });
}

/**
 * @param {string[][]} lines programs with their arguments; one after the other, as long as they end well
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<never>} but for an error in starting one: this process ends as the last of them does
 */
async function handOver(lines, options) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) process.on(signal, () => pass(signal));
  let code = 0;
  for (const line of lines) {
    code = await run(line, options);
    if (code !== 0) break;
  }
  process.exit(code);
}

module.exports = { handOver };
