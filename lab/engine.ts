/**
 * The Docker engine under the lab: the one that runs already, or one that the lab installs and starts. An engine started
 * here is shared by every clone on the machine, so its record lies in the shared cache.
 */
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type Docker from "dockerode";
import { startDaemon } from "../programs/run";
import type { Lab } from "./config";
import { answers, connect, DEFAULT_SOCKET, engineAddress, waitFor } from "./docker";
import { LabError } from "./errors";
import type { Progress } from "./progress";
import { run } from "./run";

/** Which process the lab started as dockerd. The start time tells it from a later process with the same number. */
interface EngineRecord {
  pid: number;
  startTime: string;
  log: string;
}

const PACKAGES = ["docker.io", "iproute2", "iptables"];
const RUNC_STATE = "/run/docker/runtime-runc/moby";
const PID_FILES = ["/run/docker.pid", "/run/docker/containerd/containerd.pid"];

/** The engine's client. Starts an engine if none answers. @throws LabError if none can be started */
export async function ensureEngine(
  lab: Lab,
  progress: Progress,
): Promise<{ docker: Docker; started: boolean }> {
  const address = await engineAddress();
  const docker = await connect();
  if (await answers(docker)) return { docker, started: false };
  if (address !== `unix://${DEFAULT_SOCKET}`) {
    throw new LabError(`No Docker engine answers at ${address}.`, "Start it, or unset DOCKER_HOST.");
  }
  if (process.getuid?.() !== 0) {
    throw new LabError(
      "No Docker engine answers here, and only root can start one.",
      "Start Docker (on most machines `sudo systemctl start docker`), see that your user may use it (group docker), or run this as root.",
    );
  }
  if (!existsSync("/usr/sbin/dockerd") && !existsSync("/usr/bin/dockerd")) await install(progress);
  await startEngine(lab, progress);
  return { docker: await connect(), started: true };
}

async function install(progress: Progress): Promise<void> {
  progress.say("installing a Docker engine (docker.io of this distribution)");
  const options = {
    limitMs: 600_000,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    onLine: (line: string) => progress.status(line),
    remedy: "Install a Docker engine by hand, then run this again.",
  };
  const command = ["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", ...PACKAGES];
  try {
    await run("apt-get", command, { ...options, step: `install ${PACKAGES.join(", ")}` });
  } catch {
    // The package lists may be missing or name versions that the archive no longer has.
    await run("apt-get", ["update"], { ...options, step: "refresh the package lists" });
    await run("apt-get", command, { ...options, step: `install ${PACKAGES.join(", ")}` });
  }
}

async function startEngine(lab: Lab, progress: Progress): Promise<void> {
  // On a machine with systemd the engine is a service like any other, and not the lab's to start behind its back.
  if (existsSync("/run/systemd/system")) {
    await run("systemctl", ["start", "docker"], { step: "start the service docker", limitMs: 120_000 });
    return;
  }
  removeStalePidFiles();
  const log = join(lab.cloneDir, ".cache", "engine", `dockerd-${Date.now()}.log`);
  progress.say(`starting dockerd (log: ${log})`);
  try {
    await launch(lab, log);
  } catch (error) {
    progress.say("dockerd did not start; clearing what a killed one left behind and trying once more");
    progress.say(error instanceof Error ? error.message : String(error));
    await clearLeftovers();
    await launch(lab, log);
  }
}

async function launch(lab: Lab, log: string): Promise<void> {
  mkdirSync(dirname(log), { recursive: true });
  removeOldLogs(dirname(log));
  const out = openSync(log, "a");
  const child = startDaemon("dockerd", out);
  let ended: string | undefined;
  child.on("exit", (code, signal) => (ended = `dockerd ended (${signal ?? `exit code ${code}`})`));
  child.on("error", (error) => (ended = error.message));
  const docker = await connect();
  await waitFor(
    async () => {
      if (ended) throw new LabError(`${ended}:\n${logTail(log)}`, `See ${log}.`);
      return (await answers(docker, 2000)) || false;
    },
    { what: "dockerd to answer", limitMs: 90_000, seen: () => logTail(log), remedy: `See ${log}.` },
  );
  if (!child.pid) return;
  const record: EngineRecord = { pid: child.pid, startTime: startTimeOf(child.pid) ?? "", log };
  mkdirSync(lab.sharedCacheDir, { recursive: true });
  writeFileSync(recordFile(lab), `${JSON.stringify(record)}\n`);
}

/** The engine that the lab started, if it still is that process. */
export function ownEngine(lab: Lab): EngineRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(recordFile(lab), "utf8")) as EngineRecord;
    return startTimeOf(record.pid) === record.startTime ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Ends the engine if the lab started it and nothing runs on it. Says what it did, or why it left it. */
export async function stopEngine(lab: Lab, progress: Progress): Promise<void> {
  const record = ownEngine(lab);
  if (!record) return;
  const docker = await connect();
  if (await answers(docker)) {
    const running = await docker.listContainers();
    if (running.length > 0) {
      const names = running.map((container) => container.Names[0]?.slice(1)).join(", ");
      progress.say(`left the Docker engine running: ${names} still runs on it`);
      return;
    }
  }
  process.kill(record.pid, "SIGTERM");
  await waitFor(async () => startTimeOf(record.pid) !== record.startTime, {
    what: `dockerd (process ${record.pid}) to end`,
    limitMs: 60_000,
    remedy: `See ${record.log}.`,
  });
  rmSync(recordFile(lab), { force: true });
  rmSync(record.log, { force: true });
  progress.say("stopped the Docker engine that the lab had started");
}

function recordFile(lab: Lab): string {
  return join(lab.sharedCacheDir, "engine.json");
}

/** dockerd refuses to start while its pid file names a living process, even if that is another program by now. */
function removeStalePidFiles(): void {
  for (const file of PID_FILES.filter((name) => existsSync(name))) {
    const pid = pidIn(file);
    const expected = file.includes("containerd") ? "containerd" : "dockerd";
    if (pid === undefined || programOf(pid) !== expected) rmSync(file, { force: true });
  }
}

/**
 * After a dockerd that was killed: its containerd and its containers, which go on alone (an engine that starts ends them anyway),
 * and what it had mounted. Only processes that the engine's own files name are ended, and only mounts under its own folders are undone.
 */
async function clearLeftovers(): Promise<void> {
  for (const file of PID_FILES.filter((name) => existsSync(name))) {
    const pid = pidIn(file);
    if (pid !== undefined && /^(dockerd|containerd)$/.test(programOf(pid) ?? "")) await kill(pid);
    rmSync(file, { force: true });
  }
  for (const id of existsSync(RUNC_STATE) ? readdirSync(RUNC_STATE) : []) {
    const args = ["--root", RUNC_STATE, "delete", "--force", id];
    await run("runc", args, { step: `end the container ${id}`, limitMs: 30_000, allow: "any" });
  }
  for (const pid of shims()) await kill(pid);
  rmSync(DEFAULT_SOCKET, { force: true, recursive: true });
  for (const folder of ["/run/docker/containerd", RUNC_STATE])
    rmSync(folder, { recursive: true, force: true });
  for (const point of mountsUnder(["/var/lib/docker/", "/run/docker/"])) {
    await run("umount", ["-l", point], { step: `unmount ${point}`, limitMs: 20_000, allow: "any" });
  }
}

async function kill(pid: number): Promise<void> {
  process.kill(pid, "SIGKILL");
  await waitFor(async () => programOf(pid) === undefined, { what: `process ${pid} to end`, limitMs: 10_000 });
}

/** The processes that hold the containers of an engine whose state is under /run/docker. */
function shims(): number[] {
  const pids = readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 1);
  return pids.filter((pid) => {
    if (!programOf(pid)?.startsWith("containerd-shim")) return false;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return command.some((word) => /^(\/var)?\/run\/docker\/containerd\//.test(word));
    } catch {
      return false; // It has just ended.
    }
  });
}

/** Mount points under the given folders, innermost first. */
export function mountsUnder(folders: string[], mounts = readFileSync("/proc/self/mounts", "utf8")): string[] {
  return mounts
    .split("\n")
    .map((line) => (line.split(" ")[1] ?? "").replace(/\\040/g, " "))
    .filter((point) => folders.some((folder) => point.startsWith(folder)))
    .reverse();
}

function pidIn(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8").trim());
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function programOf(pid: number): string | undefined {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, "");
  } catch {
    return undefined;
  }
}

/** Field 22 of /proc/PID/stat, behind the program's name, which may itself hold spaces and brackets. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The last one stays: it says how the engine before this one ended. */
function removeOldLogs(folder: string): void {
  const logs = readdirSync(folder).filter((name) => /^dockerd-\d+\.log$/.test(name));
  for (const name of logs.sort().slice(0, -1)) rmSync(join(folder, name), { force: true });
}

function logTail(file: string): string {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-8).join("\n");
  } catch {
    return "";
  }
}
