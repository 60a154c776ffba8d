/** What a host leaves on the machine apart from Docker's own objects, and whether anything of a lab is still there. */
import { existsSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type Docker from "dockerode";
import { LABEL_CLONE, LABEL_INSTANCE, type Lab } from "./config";
import { mountsUnder } from "./engine";

/** Where the inner engine keeps one folder per container. Readable for root on the machine that runs the engine. */
export function innerContainers(volumeFolder: string): string[] {
  try {
    return readdirSync(join(volumeFolder, "containers")).filter((name) => /^[0-9a-f]{64}$/.test(name));
  } catch {
    return []; // Not root, or no engine was ever started in the host.
  }
}

/**
 * On cgroup v1 the host shares the machine's tree of control groups, and those of the containers that ran in it stay when it
 * is killed. They are told from others by the containers' ids; one with a process in it is left alone by the kernel.
 */
export function removeControlGroups(ids: string[], root = "/sys/fs/cgroup"): void {
  for (const id of ids) {
    for (const controller of readdirIfThere(root)) {
      removeEmptyTree(join(root, controller, "docker", id));
    }
  }
}

function removeEmptyTree(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmptyTree(join(folder, entry.name));
  }
  try {
    rmdirSync(folder);
  } catch {
    // Somebody uses it.
  }
}

function readdirIfThere(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Whatever still bears the lab's name, one line each; empty when the lab is gone without a trace. */
export async function leftovers(lab: Lab, docker: Docker | undefined): Promise<string[]> {
  const found: string[] = [];
  if (docker) {
    const label = [`${LABEL_INSTANCE}=${lab.instance}`, `${LABEL_CLONE}=${lab.cloneDir}`];
    const containers = await docker.listContainers({ all: true, filters: { label } });
    found.push(...containers.map((container) => `container ${container.Names.join(" ")}`));
    const networks = await docker.listNetworks({ filters: { label } });
    found.push(...networks.map((network) => `network ${network.Name}`));
    const { Volumes: volumes } = await docker.listVolumes({ filters: { label } });
    found.push(...(volumes ?? []).map((volume) => `volume ${volume.Name}`));
  }
  found.push(
    ...mountsUnder([lab.cacheDir, `/var/lib/docker/volumes/${lab.volume}/`]).map((point) => `mount ${point}`),
  );
  if (existsSync(lab.cacheDir)) found.push(`folder ${lab.cacheDir}`);
  return found;
}
