"use strict";
/** The first way: an official Pulumi that is on PATH already, with its Node.js language host. */
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { cacheRoot, versions } = require("./places.cjs");
const { say } = require("./say.cjs");

const VERSION_TIMEOUT_MS = 15_000;

/** @param {string} file */
function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Our own cache is on the PATH of what we start, and is not an official installation. */
function pathFolders(env) {
  const own = cacheRoot(env) + path.sep;
  return (env.PATH || "")
    .split(path.delimiter)
    .filter((folder) => folder && !(folder + path.sep).startsWith(own));
}

/** -1, 0 or 1, for versions like 3.259.0 (what follows a dash is not compared). */
function compareVersions(a, b) {
  const parts = (text) => text.replace(/^v/, "").split("-")[0].split(".").map(Number);
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < 3; i++) {
    if ((left[i] || 0) !== (right[i] || 0)) return (left[i] || 0) < (right[i] || 0) ? -1 : 1;
  }
  return 0;
}

/** Starting the engine to ask for its version costs 200 ms; the answer holds as long as the file is the same one. */
function versionOf(pulumi, env) {
  const stat = fs.statSync(pulumi);
  const key = [fs.realpathSync(pulumi), stat.mtimeMs, stat.size].join("|");
  const memo = path.join(cacheRoot(env), "official.json");
  try {
    const known = JSON.parse(fs.readFileSync(memo, "utf8"));
    if (known.key === key) return known.version;
  } catch {
    // Nothing remembered yet.
  }
  const version = execFileSync(pulumi, ["version"], {
    encoding: "utf8",
    timeout: VERSION_TIMEOUT_MS,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
  }).trim();
  if (!/^v?\d+\.\d+\.\d+/.test(version)) throw new Error(`it answered "${version.slice(0, 80)}"`);
  try {
    fs.mkdirSync(path.dirname(memo), { recursive: true });
    fs.writeFileSync(memo, JSON.stringify({ key, version }));
  } catch {
    // A read-only home costs the memory, not the run.
  }
  return version;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {{ pulumi: string, version: string } | undefined} undefined, with a message, if none can be used
 */
function findOfficial(env) {
  const folders = pathFolders(env);
  const pulumi = folders.map((folder) => path.join(folder, "pulumi")).find(isExecutable);
  if (!pulumi) return undefined;
  const beside = [path.dirname(pulumi), path.dirname(fs.realpathSync(pulumi)), ...folders];
  if (!beside.some((folder) => isExecutable(path.join(folder, "pulumi-language-nodejs")))) {
    say(`${pulumi} is passed over: pulumi-language-nodejs is neither beside it nor on PATH`);
    return undefined;
  }
  let version;
  try {
    version = versionOf(pulumi, env).replace(/^v/, "");
  } catch (error) {
    say(`${pulumi} is passed over: "pulumi version" failed: ${String(error.message).split("\n")[0]}`);
    return undefined;
  }
  if (compareVersions(version, versions.oldestOfficial) < 0) {
    say(
      `${pulumi} is passed over: it is ${version}, and this project needs ${versions.oldestOfficial} or later`,
    );
    return undefined;
  }
  return { pulumi, version };
}

module.exports = { findOfficial, compareVersions, isExecutable, pathFolders };
