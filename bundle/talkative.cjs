"use strict";
/** Whether pulumi was called so that it shows debug messages. Loaded by each start of the program (../preload.cjs), so it needs next to nothing. */
const fs = require("node:fs");
const path = require("node:path");

/** --debug, -d, --verbose, -v 9, --logtostderr, --tracing, --json, --event-log and such. */
const FLAG = /^--(debug|verbose|log|tracing|otel|profiling|json|event)|^-\w*[dvj]/;
/** The engine takes its flags from the environment too. */
const VARIABLE = /^PULUMI_OPTION_(DEBUG|VERBOSE|LOG|TRACING|OTEL|PROFILING|JSON|EVENT)/;

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

/**
 * Whether the SDK's debug messages are wanted: as OSLO_FAAS_DEBUG_MESSAGES has it; else always, but in a preview that neither flag nor variable
 * makes show them. An `up` sends them to the engine's own log, which is what there is after one that failed.
 */
function wantsDebugMessages(env = process.env) {
  if (env.OSLO_FAAS_DEBUG_MESSAGES) return !["false", "0"].includes(env.OSLO_FAAS_DEBUG_MESSAGES);
  if (Object.keys(env).some((name) => VARIABLE.test(name))) return true;
  const args = argsOfPulumi();
  return !args?.includes("preview") || args.some((arg) => FLAG.test(arg));
}

module.exports = { wantsDebugMessages };
