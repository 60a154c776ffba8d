"use strict";
/** node_modules as package-lock.json has it: installed when it is missing or out of date, and a few milliseconds otherwise. */
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { CLONE } = require("../lab/toolchain/lib/places.cjs");
const { runLocked } = require("../lab/toolchain/lib/lock.cjs");
const { say, ToolchainError } = require("../lab/toolchain/lib/say.cjs");

const MODULES = path.join(CLONE, "node_modules");
const STAMP = path.join(MODULES, ".oslo-faas-stamp");

/** Native modules belong to one major version of Node and to one platform, as the lock file does to one set of versions. */
function wantedStamp() {
  const lock = fs.readFileSync(path.join(CLONE, "package-lock.json"));
  const hash = crypto.createHash("sha256").update(lock).digest("hex");
  return `${hash} node${process.versions.node.split(".")[0]} ${process.platform}-${process.arch}\n`;
}

function read(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/**
 * Whether npm itself installed what the lock file says: then `npm ci` or `npm install` was run by hand, and there is nothing to do.
 * Optional packages of other platforms are in the lock file and not installed.
 */
function installedByHand(modules = MODULES, lockFile = path.join(CLONE, "package-lock.json")) {
  try {
    const wanted = JSON.parse(fs.readFileSync(lockFile, "utf8")).packages;
    const found = JSON.parse(fs.readFileSync(path.join(modules, ".package-lock.json"), "utf8")).packages;
    const missing = Object.entries(wanted).some(
      ([name, entry]) =>
        name !== "" &&
        !entry.optional &&
        !entry.devOptional &&
        !entry.link &&
        found[name]?.version !== entry.version,
    );
    const stray = Object.entries(found).some(([name, entry]) => wanted[name]?.version !== entry.version);
    return !missing && !stray;
  } catch {
    return false;
  }
}

/** Makes node_modules fit package-lock.json. @returns {Promise<void>} */
async function installModules() {
  const wanted = wantedStamp();
  if (read(STAMP) === wanted) return;
  // Another Node or platform than before means other native modules; no stamp at all means that npm was run by hand.
  const sameMachine = read(STAMP)?.split(" ").slice(1).join(" ") ?? wanted.split(" ").slice(1).join(" ");
  if (wanted.endsWith(sameMachine) && installedByHand()) {
    fs.writeFileSync(STAMP, wanted);
    return;
  }
  const lock = path.join(CLONE, ".cache", "npm.lock");
  const done = await runLocked(lock, __filename, [], { what: "installing node_modules", env: process.env });
  if (!done) {
    throw new ToolchainError(
      "npm ci failed; what it said stands above.",
      "This machine has to reach the package registry that npm is configured for (npm config get registry).",
    );
  }
}

/** The process that installs, with the lock held. */
function main() {
  const { spawnSync } = require("node:child_process");
  const wanted = wantedStamp();
  if (read(STAMP) === wanted) return 0;
  say(
    `installing node_modules (npm ci${read(STAMP) ? "; package-lock.json changed" : ", about half a minute"})`,
  );
  const start = Date.now();
  const npm = spawnSync("npm", ["ci", "--no-progress", "--loglevel=error"], {
    cwd: CLONE,
    stdio: ["ignore", 2, 2],
    timeout: 20 * 60_000,
  });
  if (npm.error) say(`npm: ${npm.error.message}`);
  if (npm.status !== 0) return 1;
  fs.writeFileSync(STAMP, wanted);
  say(`node_modules installed in ${Math.round((Date.now() - start) / 1000)} s`);
  return 0;
}

if (require.main === module) process.exitCode = main();

module.exports = { installModules, installedByHand };
