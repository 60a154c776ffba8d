"use strict";
/** The second way: the official release, from the hosts that Pulumi publishes it on, checked against its published checksums. */
const { execFileSync } = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { Readable, Transform } = require("node:stream");
const { pipeline } = require("node:stream/promises");
const { say, duration, heartbeat, ToolchainError } = require("./say.cjs");
const { cacheRoot, versions } = require("./places.cjs");

/** Release files of one version lie flat under each of these. */
const BASES = (version) => [
  `https://get.pulumi.com/releases/sdk`,
  `https://github.com/pulumi/pulumi/releases/download/v${version}`,
];
const ANSWER_MS = 5_000;
const STALL_MS = 30_000;
const WHOLE_MS = 15 * 60_000;
/** A machine that could not download is not asked again for this long. */
const NO_FOR_MS = 60 * 60_000;
const ARCHES = { x64: "x64", arm64: "arm64" };

/** A checksum that does not match is never passed over in silence: it is not the same as "cannot be reached". */
class ChecksumError extends ToolchainError {}

/** The answer's headers have to come within `ANSWER_MS`; what comes after them is bounded by the reader. */
async function get(url) {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new Error(`no answer within ${ANSWER_MS / 1000} s`)),
    ANSWER_MS,
  );
  try {
    const response = await fetch(url, { redirect: "follow", signal: controller.signal });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return { response, controller };
  } catch (error) {
    throw new Error(error.cause?.code || error.cause?.message || error.message, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function checksumFor(base, version, archive) {
  const { response } = await get(`${base}/pulumi-${version}-checksums.txt`);
  const text = await response.text();
  const line = text.split("\n").find((entry) => entry.trim().endsWith(` ${archive}`));
  const sum = line?.trim().split(/\s+/)[0] ?? "";
  if (!/^[0-9a-f]{64}$/.test(sum)) throw new Error(`the checksum file there does not name ${archive}`);
  return sum;
}

async function fetchChecked(url, sha256, file) {
  const { response, controller } = await get(url);
  const whole = setTimeout(
    () => controller.abort(new Error(`not finished within ${duration(WHOLE_MS)}`)),
    WHOLE_MS,
  );
  let stall;
  let bytes = 0;
  const hash = crypto.createHash("sha256");
  const watch = () => {
    clearTimeout(stall);
    stall = setTimeout(() => controller.abort(new Error(`no data for ${STALL_MS / 1000} s`)), STALL_MS);
  };
  const meter = new Transform({
    transform(chunk, _encoding, done) {
      watch();
      bytes += chunk.length;
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const stop = heartbeat(() => `${Math.round(bytes / 1e6)} MB of ${path.basename(file)} downloaded`);
  try {
    watch();
    await pipeline(Readable.fromWeb(response.body), meter, fs.createWriteStream(file));
  } finally {
    clearTimeout(whole);
    clearTimeout(stall);
    stop();
  }
  const found = hash.digest("hex");
  if (found !== sha256) {
    throw new ChecksumError(
      `The checksum of ${url} is ${found}; Pulumi publishes ${sha256}.`,
      "Something between this machine and Pulumi changes what is downloaded. Nothing of it was unpacked or run.",
    );
  }
}

async function downloadFrom(base, target, version, archive) {
  const sum = await checksumFor(base, version, archive);
  const temporary = fs.mkdtempSync(`${target}.tmp-`);
  try {
    say(`downloading Pulumi ${version} from ${new URL(base).host}`);
    const tarball = path.join(temporary, archive);
    await fetchChecked(`${base}/${archive}`, sum, tarball);
    const bin = path.join(temporary, "bin");
    fs.mkdirSync(bin);
    // The archive has one folder, `pulumi/`, with the engine and the language hosts in it.
    execFileSync("tar", ["-xzf", tarball, "-C", bin, "--strip-components=1", "--no-same-owner"], {
      timeout: 120_000,
    });
    fs.rmSync(tarball);
    fs.mkdirSync(path.join(temporary, "home"));
    fs.renameSync(temporary, target);
  } catch (error) {
    // Two clones may finish at the same time; the first one's folder is as good.
    if (!fs.existsSync(path.join(target, "bin", "pulumi"))) throw error;
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

/** @param {NodeJS.ProcessEnv} env */
function downloadFolder(env) {
  return path.join(cacheRoot(env), `official-${versions.pulumi}-${process.platform}-${process.arch}`);
}

/** @param {NodeJS.ProcessEnv} env @returns {string | undefined} the folder of an earlier download */
function findDownloaded(env) {
  const folder = downloadFolder(env);
  return fs.existsSync(path.join(folder, "bin", "pulumi")) ? folder : undefined;
}

/**
 * Tries to download; a machine that cannot is remembered for an hour.
 * @param {NodeJS.ProcessEnv} env
 * @param {{ bases?: string[], force?: boolean }} [options] bases: where to look, for tests; force: also within the hour of a "no"
 * @returns {Promise<string | undefined>} the folder, or undefined where it cannot be had
 * @throws {ToolchainError} when what came is not what Pulumi published
 */
async function download(env, options = {}) {
  const arch = ARCHES[process.arch];
  if (process.platform !== "linux" || !arch) return undefined;
  const target = downloadFolder(env);
  const no = path.join(cacheRoot(env), "cannot-download");
  const said = fs.statSync(no, { throwIfNoEntry: false });
  if (said && !options.force && Date.now() - said.mtimeMs < NO_FOR_MS) return undefined;
  fs.mkdirSync(cacheRoot(env), { recursive: true });
  const archive = `pulumi-v${versions.pulumi}-linux-${arch}.tar.gz`;
  const reasons = [];
  const start = Date.now();
  for (const base of options.bases ?? BASES(versions.pulumi)) {
    try {
      await downloadFrom(base, target, versions.pulumi, archive);
      fs.rmSync(no, { force: true });
      say(`Pulumi ${versions.pulumi} downloaded and checked in ${duration(Date.now() - start)}`);
      return target;
    } catch (error) {
      if (error instanceof ChecksumError) throw error;
      reasons.push(`${new URL(base).host}: ${error.message}`);
    }
  }
  say(`the official release cannot be downloaded here (${reasons.join("; ")})`);
  fs.writeFileSync(no, `${reasons.join("\n")}\n`);
  return undefined;
}

module.exports = { download, findDownloaded, downloadFolder };
