/** `down`: the stack, the host, and everything of the lab goes; only what is slow to build stays in the shared cache. */
import { existsSync, readdirSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type Docker from "dockerode";
import { resolveToolchain } from "./toolchain/resolve";
import { removeBases } from "./base";
import { LABEL_CLONE, type Lab } from "./config";
import { answers, connect, orMissing } from "./docker";
import { ensureEngine, stopEngine } from "./engine";
import { describe, LabError } from "./errors";
import { removeHost, sshdAnswers } from "./host";
import { leftovers } from "./leftovers";
import { lockLab } from "./lock";
import type { Reporter } from "./progress";
import { mayHaveState, Stack } from "./pulumi";
import { writeStackFile } from "./stackfile";

export interface DownOptions {
  /** Also removes the base images and the shared cache, of every clone on the machine. Default: false. */
  cache?: boolean;
  /** Drops the stack's state instead of destroying what it lists; the host goes anyway. Default: false. */
  fast?: boolean;
}

const DESTROY_LIMIT_MS = 8 * 60_000;

export async function down(lab: Lab, reporter: Reporter, options: DownOptions = {}): Promise<void> {
  lockLab(lab, "npm run down");
  const docker = await reporter.phase("engine", () => engineForCleaning(lab, reporter));
  if (docker) await refuseOthers(lab, docker);
  if (mayHaveState(lab)) await reporter.phase("stack", () => removeStack(lab, reporter, options));
  await reporter.phase("lab", async () => {
    if (docker) await removeObjects(lab, docker, reporter);
    rmSync(lab.cacheDir, { recursive: true, force: true });
    const left = await leftovers(lab, docker);
    if (left.length > 0) {
      throw new LabError(
        `Of the lab ${lab.instance} is left: ${left.join(", ")}.`,
        "Run `npm run down` again.",
      );
    }
    if (options.cache) await removeCaches(lab, docker, reporter);
    // The tests take one lab after the other up and down, and ask the engine in between.
    if (docker && !process.env.OSLO_FAAS_KEEP_ENGINE) await stopEngine(lab, reporter);
    if (options.cache && existsSync(lab.sharedCacheDir) && readdirSync(lab.sharedCacheDir).length === 0) {
      rmdirSync(lab.sharedCacheDir);
    }
  });
  process.stdout.write(`\nThe lab ${lab.instance} is gone.\n${kept(lab)}\n${reporter.table()}\n`);
}

/** The engine that holds the lab's objects. One that is not running is started for it where the lab may have left something. */
async function engineForCleaning(lab: Lab, reporter: Reporter): Promise<Docker | undefined> {
  const docker = await connect();
  if (await answers(docker)) return docker;
  if (!existsSync(lab.cacheDir) && !existsSync(`/var/lib/docker/volumes/${lab.volume}`)) return undefined;
  if (!existsSync("/var/lib/docker")) return undefined;
  reporter.say("starting the Docker engine, which has the lab's objects, to remove them");
  return (await ensureEngine(lab, reporter)).docker;
}

/** Names are the same in every clone: the lab of another clone is not this one's to take down, unless that clone is gone. */
async function refuseOthers(lab: Lab, docker: Docker): Promise<void> {
  const found = await orMissing(docker.getContainer(lab.container).inspect());
  const clone = found?.Config.Labels[LABEL_CLONE];
  if (!clone || clone === lab.cloneDir || !existsSync(clone)) return;
  throw new LabError(`${lab.container} belongs to another clone: ${clone}.`, `Run \`npm run down\` there.`);
}

async function removeStack(lab: Lab, reporter: Reporter, options: DownOptions): Promise<void> {
  const toolchain = await resolveToolchain({ args: ["destroy", "--stack", lab.stack], quiet: true });
  const stack = new Stack(lab, toolchain, reporter);
  if (!options.fast && (await sshdAnswers(lab)) && (await stack.exists())) {
    try {
      writeStackFile(lab);
      await stack.releaseStaleLock();
      await stack.destroy(DESTROY_LIMIT_MS);
      reporter.note("destroyed");
    } catch (error) {
      // The host is thrown away in a moment, and with it whatever could not be destroyed one by one.
      reporter.say(`${describe(error)}\nGoing on without: the host itself is removed next.`);
    }
  }
  await stack.drop();
}

async function removeObjects(lab: Lab, docker: Docker, reporter: Reporter): Promise<void> {
  reporter.status("removing the host, its volume, the registry and the network");
  await removeHost(lab, docker);
  // Loaded late: a lab without images does not need it.
  const { stopRegistry } = await import("./images/registry");
  await stopRegistry(lab);
  const network = docker.getNetwork(lab.network);
  const found = await orMissing(network.inspect());
  for (const id of Object.keys(found?.Containers ?? {}))
    await orMissing(network.disconnect({ Container: id, Force: true }));
  await orMissing(network.remove());
}

async function removeCaches(lab: Lab, docker: Docker | undefined, reporter: Reporter): Promise<void> {
  const others = (await docker?.listContainers({ all: true, filters: { label: [LABEL_CLONE] } })) ?? [];
  if (others.length > 0) {
    const names = others.map((container) => container.Names[0]?.slice(1)).join(", ");
    throw new LabError(
      `The shared cache is in use by ${names}.`,
      "Take those down first, then repeat `npm run down -- --cache`.",
    );
  }
  await removeBases(lab, docker);
  const images =
    (await docker?.listImages({ filters: { reference: ["oslo-faas/*", "*/oslo-faas/*"] } })) ?? [];
  for (const image of images) await orMissing(docker!.getImage(image.Id).remove({ force: true }));
  // engine.json stays: it records which engine the lab started, and stopEngine needs it.
  for (const name of existsSync(lab.sharedCacheDir) ? readdirSync(lab.sharedCacheDir) : []) {
    if (name !== "engine.json") rmSync(join(lab.sharedCacheDir, name), { recursive: true, force: true });
  }
  reporter.say(`removed base images and ${lab.sharedCacheDir}`);
}

function kept(lab: Lab): string {
  const entries = existsSync(lab.sharedCacheDir) ? readdirSync(lab.sharedCacheDir) : [];
  const names = entries.filter((name) => name !== "engine.json");
  if (names.length === 0) return "";
  const sizes = names.map((name) => `    ${name}${size(join(lab.sharedCacheDir, name))}`);
  return [
    `Kept, because it is slow to build and shared by every clone on this machine: ${lab.sharedCacheDir}`,
    ...sizes,
    "  and the base image in the Docker engine. `npm run down -- --cache` removes both.\n",
  ].join("\n");
}

function size(file: string): string {
  const stat = statSync(file);
  return stat.isFile() ? ` (${Math.round(stat.size / 1e6)} MB)` : "/";
}
