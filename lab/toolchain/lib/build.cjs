"use strict";
/**
 * The third way: the engine, the Node.js language host and the two plugins from pinned Go modules.
 *
 * Built in a temporary folder that is renamed when everything in it works, under a lock that the kernel drops with the process
 * that held it: a build that was killed leaves nothing that a later one could mistake for a whole one.
 */
const { execFileSync, spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { GO, versions, cacheRoot, buildKey } = require("./places.cjs");
const { compareVersions } = require("./official.cjs");
const { say, duration, heartbeat, ToolchainError } = require("./say.cjs");

const SDK_VERSION = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
/** The engine takes 4 minutes on 2 cores; a machine ten times slower is still served. */
const PART_TIMEOUT_MS = 45 * 60_000;
const INSTALL_TIMEOUT_MS = 120_000;
const KEEP_MS = 30 * 24 * 3600_000;

/**
 * The version is set at build time: a plugin that reports another one than the SDK asks for is warned about at every run.
 * `lane` says what is built one after the other: two lanes keep two cores busy, and the engine takes as long as all the rest.
 */
const PARTS = [
  {
    name: "cli",
    title: `Pulumi ${versions.pulumi}`,
    lane: 0,
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    binary: "pulumi",
    ldflags: `-X ${SDK_VERSION}=v${versions.pulumi}`,
  },
  {
    name: "nodejs",
    title: "the Node.js language host",
    lane: 1,
    package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    binary: "pulumi-language-nodejs-host",
    ldflags: `-X ${SDK_VERSION}=v${versions.nodejsHost}`,
  },
  {
    name: "nodejs-options",
    title: "what hands it the project's options",
    lane: 1,
    package: ".",
    binary: "pulumi-language-nodejs",
    ldflags: "",
  },
  {
    name: "command",
    title: `the command plugin ${versions.command}`,
    lane: 1,
    package: ".",
    binary: "pulumi-resource-command",
    ldflags: `-X main.version=${versions.command}`,
    plugin: { name: "command", version: versions.command },
  },
  {
    name: "docker",
    title: `the docker plugin ${versions.docker}`,
    lane: 1,
    package: ".",
    binary: "pulumi-resource-docker",
    ldflags: `-X main.version=${versions.docker}`,
    plugin: { name: "docker", version: versions.docker },
  },
];

/** @param {NodeJS.ProcessEnv} env */
function buildFolder(env) {
  return path.join(cacheRoot(env), buildKey());
}

/** The rename is the last step of a build, so the folder is whole when it is there. */
function findBuilt(env) {
  const folder = buildFolder(env);
  return fs.existsSync(path.join(folder, "bin", "pulumi")) ? folder : undefined;
}

/** The newest `go` line of all parts: one answer for a person, instead of one failure a part. */
function neededGo() {
  const wanted = PARTS.map(
    (part) => /^go (\S+)/m.exec(fs.readFileSync(path.join(GO, part.name, "go.mod"), "utf8"))[1],
  );
  return wanted.sort(compareVersions).at(-1);
}

function installHint(wanted) {
  const debian = fs.existsSync("/etc/debian_version");
  const apt = `On Debian or Ubuntu${process.getuid?.() === 0 ? "" : " (as root)"}: apt-get install golang-go, where it is ${wanted} or later;`;
  return [
    "One of these will do:",
    `- put an official Pulumi (${versions.oldestOfficial} or later, with pulumi-language-nodejs) on PATH;`,
    `- let this machine reach get.pulumi.com or github.com;`,
    `- put Go ${wanted} or later on PATH.${debian ? ` ${apt} otherwise the archive from go.dev/dl, unpacked to /usr/local/go.` : ""}`,
  ].join("\n");
}

/** @throws {ToolchainError} without a Go that can build the parts */
function checkGo(env) {
  const wanted = neededGo();
  let found;
  try {
    // Outside of any module: a go.mod nearby that names a newer toolchain would make this fetch one.
    found = execFileSync("go", ["version"], { encoding: "utf8", env, cwd: "/", timeout: 30_000 });
  } catch {
    throw new ToolchainError(
      "There is no Pulumi on PATH, none can be downloaded, and there is no Go to build one.",
      installHint(wanted),
    );
  }
  const version = /go(\d+(\.\d+)+)/.exec(found)?.[1] ?? "0";
  const mayFetch =
    execFileSync("go", ["env", "GOTOOLCHAIN"], { encoding: "utf8", env, cwd: "/" }).trim() !== "local";
  if (compareVersions(version, wanted) < 0 && !mayFetch) {
    throw new ToolchainError(
      `Building Pulumi takes Go ${wanted} or later; the one on PATH is ${version}.`,
      installHint(wanted),
    );
  }
}

function tail(file, lines) {
  return fs.readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
}

const running = new Set();

/** Runs one program with its output in a log; a failure shows the log's last lines. */
function runLogged(title, command, args, options, log, timeoutMs) {
  return new Promise((resolve, reject) => {
    const out = fs.openSync(log, "a");
    const child = spawn(command, args, { ...options, stdio: ["ignore", out, out] });
    fs.closeSync(out);
    running.add(child);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGTERM");
    }, timeoutMs);
    const settle = (problem) => {
      clearTimeout(timer);
      running.delete(child);
      if (!problem) return resolve();
      reject(new ToolchainError(`${title}: ${problem}. The last lines of ${log}:\n${tail(log, 20)}`));
    };
    child.on("error", (error) => settle(error.message));
    child.on("exit", (code, signal) => {
      if (timedOut) return settle(`not finished within ${duration(timeoutMs)}`);
      settle(code === 0 ? undefined : `ended with ${signal ?? code}`);
    });
  });
}

async function buildPart(part, folder, logs, env) {
  const start = Date.now();
  say(`building ${part.title}`);
  // In a copy: Go may rewrite a go.mod, and a clone is not to be dirtied by using it.
  const source = path.join(folder, "src", part.name);
  fs.cpSync(path.join(GO, part.name), source, { recursive: true });
  const args = [
    "build",
    "-mod=readonly",
    "-trimpath",
    "-buildvcs=false",
    "-ldflags",
    `-s -w ${part.ldflags}`,
  ];
  args.push("-o", path.join(folder, "bin", part.binary), part.package);
  const goEnv = { ...env, CGO_ENABLED: "0", GOWORK: "off" };
  const log = path.join(logs, `${part.name}.log`);
  await runLogged(`Building ${part.title}`, "go", args, { cwd: source, env: goEnv }, log, PART_TIMEOUT_MS);
  say(`${part.title} built in ${duration(Date.now() - start)}`);
}

/** The engine looks for plugins under PULUMI_HOME; the install command is what knows how. */
async function installPlugin(part, folder, logs, env) {
  const binary = path.join(folder, "bin", part.binary);
  const { name, version } = part.plugin;
  const args = ["plugin", "install", "resource", name, version, "--file", binary];
  const pulumiEnv = { ...env, PULUMI_HOME: path.join(folder, "home"), PULUMI_SKIP_UPDATE_CHECK: "true" };
  const log = path.join(logs, `${part.name}.log`);
  const title = `Installing ${part.title}`;
  await runLogged(
    title,
    path.join(folder, "bin", "pulumi"),
    args,
    { cwd: folder, env: pulumiEnv },
    log,
    INSTALL_TIMEOUT_MS,
  );
  // The installed copy is the one that is used.
  fs.rmSync(binary);
}

async function buildAll(folder, logs, env) {
  const left = new Set(PARTS.map((part) => part.title));
  const stop = heartbeat(() =>
    left.size > 0 ? `still building ${[...left].join(", ")}` : "still installing the plugins",
  );
  const lane = async (number) => {
    for (const part of PARTS.filter((candidate) => candidate.lane === number)) {
      await buildPart(part, folder, logs, env);
      left.delete(part.title);
    }
  };
  try {
    await Promise.all([lane(0), lane(1)]);
    for (const part of PARTS.filter((candidate) => candidate.plugin))
      await installPlugin(part, folder, logs, env);
  } finally {
    stop();
    for (const child of running) child.kill("SIGTERM");
  }
}

/** What a killed build left behind; nobody else can be at work in it while we hold the lock. */
function removeLeftovers(target) {
  const parent = path.dirname(target);
  const prefix = `${path.basename(target)}.tmp-`;
  for (const entry of fs.readdirSync(parent)) {
    if (entry.startsWith(prefix)) fs.rmSync(path.join(parent, entry), { recursive: true, force: true });
  }
}

/** A build is 240 MB, and every change of a version makes another: one that is a month old is got again if it is wanted. */
function removeOld(target) {
  const parent = path.dirname(target);
  for (const entry of fs.readdirSync(parent)) {
    const folder = path.join(parent, entry);
    if (!/^[0-9a-f]{16}$/.test(entry) || folder === target) continue;
    if (Date.now() - fs.statSync(folder).mtimeMs > KEEP_MS)
      fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs with the lock held. */
async function buildLocked(env) {
  const target = buildFolder(env);
  if (findBuilt(env)) return;
  removeLeftovers(target);
  const start = Date.now();
  const temporary = fs.mkdtempSync(`${target}.tmp-`);
  const logs = path.join(cacheRoot(env), "logs", path.basename(target));
  fs.rmSync(logs, { recursive: true, force: true });
  for (const folder of [logs, path.join(temporary, "bin"), path.join(temporary, "home")])
    fs.mkdirSync(folder, { recursive: true });
  try {
    await buildAll(temporary, logs, env);
    fs.rmSync(path.join(temporary, "src"), { recursive: true });
    fs.renameSync(temporary, target);
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
  removeOld(target);
  say(`built in ${duration(Date.now() - start)}; kept in ${target}`);
}

module.exports = { checkGo, findBuilt, buildFolder, buildLocked, neededGo, PARTS, running };
