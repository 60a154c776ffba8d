"use strict";
/** Which Pulumi this machine uses: the official one on PATH, else a downloaded one, else one built from Go modules. */
const fs = require("node:fs");
const path = require("node:path");
const { CLONE, cacheRoot, versions } = require("./places.cjs");
const { findOfficial } = require("./official.cjs");
const { download, findDownloaded } = require("./download.cjs");
const { checkGo, findBuilt, buildFolder } = require("./build.cjs");
const { passphraseFor } = require("./stack.cjs");
const { runLocked } = require("./lock.cjs");
const { say, ToolchainError } = require("./say.cjs");

const KINDS = ["official", "downloaded", "built"];

/** One the person named in OSLO_FAAS_TOOLCHAIN; every kind otherwise. */
function allowedKinds(env) {
  const wanted = env.OSLO_FAAS_TOOLCHAIN;
  if (!wanted) return KINDS;
  if (KINDS.includes(wanted)) return [wanted];
  throw new ToolchainError(`OSLO_FAAS_TOOLCHAIN is "${wanted}"; it can be ${KINDS.join(", ")}.`);
}

async function build(env) {
  checkGo(env);
  const target = buildFolder(env);
  const main = path.join(__dirname, "build-main.cjs");
  await runLocked(`${target}.lock`, main, [], { what: "building the toolchain", env });
  const folder = findBuilt(env);
  if (!folder) throw new ToolchainError("The toolchain could not be built; what failed stands above.");
  return folder;
}

/**
 * For a preview, which changes nothing and runs no command that could inherit it. A diff by the docker plugin takes 15 to 25 ms, and nothing
 * waits for another's; and engine and plugins live too short for Go to collect as often as by default (an empty preview gains less by it).
 */
const looking = (env) => ({
  PULUMI_PARALLEL_DIFF: env.PULUMI_PARALLEL_DIFF ?? "true",
  GOGC: env.GOGC ?? "400",
});

/** What every kind needs, and what the caller's environment has already stays as it is. */
function commonEnv(env, args) {
  return {
    ...env,
    PULUMI_SKIP_UPDATE_CHECK: env.PULUMI_SKIP_UPDATE_CHECK ?? "true",
    ...(args[0] === "preview" ? looking(env) : {}),
    ...passphraseFor(env, args),
  };
}

/** ~/.pulumi is neither written nor read, so an older plugin or a login there changes nothing. */
function ownEnv(kind, folder, env) {
  const own = {
    ...env,
    PULUMI_HOME: path.join(folder, "home"),
    PATH: [path.join(folder, "bin"), env.PATH].filter(Boolean).join(path.delimiter),
  };
  // The built plugins are installed already, and a machine that builds cannot download.
  if (kind === "built") own.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION = "true";
  return own;
}

/** @returns {Promise<{ kind: string, folder?: string, pulumi: string, version: string }>} */
async function find(env, kinds) {
  const official = kinds.includes("official") ? findOfficial(env) : undefined;
  if (official) return { kind: "official", ...official };
  const ours = (kind, folder) => ({
    kind,
    folder,
    pulumi: path.join(folder, "bin", "pulumi"),
    version: versions.pulumi,
  });
  // An existing toolchain is used before any attempt to get another, so that a no-op needs no network.
  const downloaded = kinds.includes("downloaded") ? findDownloaded(env) : undefined;
  if (downloaded) return ours("downloaded", downloaded);
  const built = kinds.includes("built") ? findBuilt(env) : undefined;
  if (built) return ours("built", built);
  const force = kinds.length === 1;
  const fetched = kinds.includes("downloaded") ? await download(env, { force }) : undefined;
  if (fetched) return ours("downloaded", fetched);
  if (kinds.includes("built")) return ours("built", await build(env));
  throw new ToolchainError(
    `OSLO_FAAS_TOOLCHAIN asks for ${kinds[0]}, and there is none.`,
    kinds[0] === "official"
      ? `Put pulumi ${versions.oldestOfficial} or later and pulumi-language-nodejs on PATH, or unset OSLO_FAAS_TOOLCHAIN.`
      : "Unset OSLO_FAAS_TOOLCHAIN to let it be built.",
  );
}

const EXPLAINED = {
  official: "the official release on PATH",
  downloaded: "the official release, downloaded",
  built: "built from Go modules, with this project's substitutes for the official plugins",
};

/**
 * Finds, downloads or builds Pulumi. The first build takes minutes and says what it does; a later call takes milliseconds.
 *
 * @param {{ env?: NodeJS.ProcessEnv, args?: string[], quiet?: boolean }} [options]
 *   env: default process.env. args: the arguments that pulumi will get; they decide whether the lab's passphrase is set.
 *   quiet: do not say which one is used; default false.
 * @returns {Promise<import("../resolve").Toolchain>}
 * @throws {ToolchainError} with what to install
 */
async function resolveToolchain(options = {}) {
  const env = options.env ?? process.env;
  const found = await find(env, allowedKinds(env));
  if (!options.quiet) say(`Pulumi ${found.version}: ${EXPLAINED[found.kind]} (${found.pulumi})`);
  const own = found.folder ? ownEnv(found.kind, found.folder, env) : env;
  return {
    kind: found.kind,
    pulumi: found.pulumi,
    version: found.version,
    env: commonEnv(own, options.args ?? []),
  };
}

/** Removes what was downloaded or built; a later run gets it again. @param {NodeJS.ProcessEnv} env */
function clearToolchain(env = process.env) {
  fs.rmSync(cacheRoot(env), { recursive: true, force: true });
}

module.exports = { resolveToolchain, clearToolchain, CLONE, ToolchainError };
