"use strict";
/** Where the toolchain lies, and by what it is keyed. */
const crypto = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const CLONE = path.resolve(__dirname, "../../..");
const GO = path.join(CLONE, "lab", "toolchain", "go");
const versions = require("../versions.json");

/** @param {NodeJS.ProcessEnv} env */
function cacheRoot(env) {
  const base = env.XDG_CACHE_HOME || path.join(env.HOME || os.homedir(), ".cache");
  return path.join(base, "oslo-faas", "toolchain");
}

/** What the parts are built from: Go sources and module files, but no tests and nothing that a build leaves behind. */
function sources(folder = GO) {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(
      (entry) =>
        entry.isFile() && /^go\.(mod|sum)$|\.go$/.test(entry.name) && !entry.name.endsWith("_test.go"),
    )
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** Sixteen hex digits that change when anything that goes into a build changes. */
function buildKey(folder = GO) {
  const hash = crypto.createHash("sha256");
  hash.update(`${process.platform}/${process.arch}\n${JSON.stringify(versions)}\n`);
  for (const file of sources(folder)) {
    hash
      .update(`${path.relative(folder, file)}\n`)
      .update(fs.readFileSync(file))
      .update("\n");
  }
  return hash.digest("hex").slice(0, 16);
}

module.exports = { CLONE, GO, versions, cacheRoot, buildKey };
