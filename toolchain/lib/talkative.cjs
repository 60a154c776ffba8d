"use strict";
/** Whether a pulumi command shows more than by default. Also loaded by each start of the program (../preload.cjs), so it needs next to nothing. */
const fs = require("node:fs");
const path = require("node:path");

/** --debug, -d, --verbose, -v 9, --logtostderr, --tracing and such. @param {string[]} args what pulumi is called with */
const isTalkative = (args) =>
  args.some((arg) => /^--(debug|verbose|log|tracing|otel|profiling)|^-\w*[dv]/.test(arg));

/**
 * What the pulumi that started this program was called with: its language host started us, and it that. Only Linux says so.
 *
 * @returns {string[] | undefined} undefined where it cannot be told
 */
function argsOfPulumi(parent = process.ppid) {
  try {
    // "1234 (name) S 1200 ...": the name is pulumi's to choose, so the numbers are counted from its end.
    const stat = fs.readFileSync(`/proc/${parent}/stat`, "utf8");
    const grandparent = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
    const [program, ...args] = fs.readFileSync(`/proc/${grandparent}/cmdline`, "utf8").split("\0");
    return path.basename(program) === "pulumi" ? args : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the SDK's debug messages are wanted: as OSLO_FAAS_DEBUG_MESSAGES has it, else as pulumi was called, and where that is not known. */
function wantsDebugMessages(env = process.env) {
  if (env.OSLO_FAAS_DEBUG_MESSAGES) return env.OSLO_FAAS_DEBUG_MESSAGES !== "false";
  const args = argsOfPulumi();
  return !args || isTalkative(args);
}

module.exports = { isTalkative, argsOfPulumi, wantsDebugMessages };
