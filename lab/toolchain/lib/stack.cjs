"use strict";
/**
 * The passphrase of the lab's stack.
 *
 * lab/passphrase is public: it is in the repository, for a stack that holds nothing but a disposable host's generated secrets. It
 * must never reach another stack, which would then be encrypted with a passphrase that everybody knows. So it is set only where
 * the stack is known to be `local`.
 */
const crypto = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { CLONE } = require("./places.cjs");

const LAB_STACK = "local";
/** Commands of `pulumi stack` that name their stack without a flag. */
const NAMING = new Set(["init", "select", "rm"]);

/** `organization/oslo-faas/local` and `local` are the same stack. */
function shortName(name) {
  return name.split("/").at(-1);
}

/** The stack that the arguments name, or undefined. @param {string[]} args */
function namedStack(args) {
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--") break;
    if (args[i] === "-s" || args[i] === "--stack") return args[i + 1];
    const inline = /^(?:--stack=|-s=?)(.+)$/.exec(args[i]);
    if (inline) return inline[1];
  }
  const words = args.filter((arg) => !arg.startsWith("-"));
  if (words[0] === "stack" && NAMING.has(words[1])) return words[2];
  return undefined;
}

/** The stack that `pulumi stack select` left selected for this clone, or undefined. */
function selectedStack(env) {
  const home = env.PULUMI_HOME || path.join(env.HOME || os.homedir(), ".pulumi");
  const key = crypto.createHash("sha1").update(path.join(CLONE, "Pulumi.yaml")).digest("hex");
  try {
    const workspace = JSON.parse(
      fs.readFileSync(path.join(home, "workspaces", `oslo-faas-${key}-workspace.json`), "utf8"),
    );
    // One name a backend; they have to agree for the answer to be safe.
    const names = new Set(
      [workspace.stack, ...Object.values(workspace.stacks ?? {})].filter(Boolean).map(shortName),
    );
    return names.size === 1 ? [...names][0] : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {NodeJS.ProcessEnv} env the environment pulumi will have
 * @param {string[]} args the arguments it will have
 * @returns {NodeJS.ProcessEnv} PULUMI_CONFIG_PASSPHRASE_FILE, or nothing
 */
function passphraseFor(env, args) {
  if (env.PULUMI_CONFIG_PASSPHRASE !== undefined || env.PULUMI_CONFIG_PASSPHRASE_FILE !== undefined)
    return {};
  const stack = namedStack(args) ?? env.PULUMI_STACK ?? selectedStack(env);
  if (!stack || shortName(stack) !== LAB_STACK) return {};
  return { PULUMI_CONFIG_PASSPHRASE_FILE: path.join(CLONE, "lab", "passphrase") };
}

module.exports = { passphraseFor, namedStack, selectedStack };
