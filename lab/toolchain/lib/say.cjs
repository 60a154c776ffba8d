"use strict";
/**
 * What the toolchain tells a person. All of it goes to stderr: stdout belongs to what is run (`pulumi stack output --json`).
 */

/** An error of the person's surroundings rather than of this program: printed as it is, without a stack. */
class ToolchainError extends Error {
  /**
   * @param {string} message what is wrong
   * @param {string} [remedy] what to do about it
   */
  constructor(message, remedy) {
    super(remedy ? `${message}\n  ${remedy.replaceAll("\n", "\n  ")}` : message);
    this.name = "ToolchainError";
  }
}

/** @param {string} text */
function say(text) {
  process.stderr.write(`toolchain: ${text}\n`);
}

/** Milliseconds as a person reads them: `8 s`, `3 min 5 s`. @param {number} ms */
function duration(ms) {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/**
 * Says every ten seconds what is still under way, so that a silent terminal always means a hung one.
 * @param {() => string} what
 * @returns {() => void} stops it
 */
function heartbeat(what, everyMs = 10_000) {
  const start = Date.now();
  const timer = setInterval(() => say(`${duration(Date.now() - start)}: ${what()}`), everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

module.exports = { say, duration, heartbeat, ToolchainError };
