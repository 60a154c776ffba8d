/**
 * The lab's registry: a container on the lab's network, known there as registry.lab:5000, and to this machine by a port of its
 * own on 127.0.0.1. Its data lie in the shared cache, so that a new lab finds the images that an earlier one pushed.
 */
import { createHash } from "node:crypto";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type Docker from "dockerode";
import { LABEL_SPEC, type Lab } from "../config";
import { connect, orMissing, waitFor } from "../docker";
import { ensureNetwork } from "../network";
import type { Progress } from "../progress";
import { buildOn } from "./build";
import { REGISTRY_IMAGE } from "./stack";
import { Store } from "./store";
import { contentKey, imageCacheDir, Work } from "./work";

/** What the registry is called on the lab's network. */
export const REGISTRY_ALIAS = "registry.lab";
export const REGISTRY_ADDRESS = `${REGISTRY_ALIAS}:5000`;

export interface Registry {
  /** Its port on 127.0.0.1 of this machine. */
  port: number;
  store: Store;
}

export function registryContainer(lab: Lab): string {
  return `${lab.name}-registry`;
}

const SILENT: Progress = { say: () => undefined, status: () => undefined };

/** Starts the registry where it does not run; waits, bounded, until it answers. Idempotent. */
export async function startRegistry(lab: Lab, progress: Progress = SILENT): Promise<Registry> {
  const docker = await connect();
  await ensureNetwork(lab, docker);
  const image = await ensureRegistryImage(lab, docker, progress);
  const data = join(imageCacheDir(lab), "registry");
  mkdirSync(data, { recursive: true });
  const spec = await containerSpec(lab, docker, image, data);
  const name = registryContainer(lab);
  const found = await orMissing(docker.getContainer(name).inspect());
  const usable = found?.State.Running && found.Config.Labels[LABEL_SPEC] === spec.Labels![LABEL_SPEC];
  if (!usable) {
    if (found) await remove(docker, name);
    progress.say(`starting the registry (${REGISTRY_ADDRESS} on the network ${lab.network})`);
    const container = await docker.createContainer(spec);
    await container.start();
  }
  return answering(docker, name);
}

/** Removes the registry's container; its data stay in the shared cache. Idempotent. */
export async function stopRegistry(lab: Lab): Promise<void> {
  await remove(await connect(), registryContainer(lab));
}

async function remove(docker: Docker, name: string): Promise<void> {
  await orMissing(docker.getContainer(name).remove({ force: true, v: true }));
  await waitFor(async () => !(await orMissing(docker.getContainer(name).inspect())), {
    what: `the container ${name} to be gone`,
    limitMs: 30_000,
  });
}

/** A question that came while the container started was once left without an answer; the next one was answered. */
const PROBE_MS = 2000;

async function answering(docker: Docker, name: string): Promise<Registry> {
  return waitFor(
    async () => {
      const state = await docker.getContainer(name).inspect();
      const port = Number(state.NetworkSettings.Ports["5000/tcp"]?.[0]?.HostPort);
      if (!port) return undefined;
      const store = new Store(port);
      const answer = await store.ask("GET", "/v2/", {}, PROBE_MS).catch(() => undefined);
      return answer?.status === 200 ? { port, store } : undefined;
    },
    {
      what: `the registry ${name} to answer`,
      limitMs: 30_000,
      everyMs: 50,
      remedy: `See \`docker logs ${name}\`.`,
    },
  );
}

async function containerSpec(
  lab: Lab,
  docker: Docker,
  image: string,
  data: string,
): Promise<Docker.ContainerCreateOptions> {
  // The data belong to the user who runs the lab, who can then remove them without root. Under a rootless engine that is user 0.
  const { SecurityOptions } = (await docker.info()) as { SecurityOptions?: string[] };
  const rootless = (SecurityOptions ?? []).some((option) => option.includes("rootless"));
  const user = rootless ? "0:0" : `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const spec: Docker.ContainerCreateOptions = {
    name: registryContainer(lab),
    Image: image,
    User: user,
    HostConfig: {
      Binds: [`${data}:/var/lib/registry`],
      // A free port of the engine's choice: labs run side by side. Engines take registries on 127.0.0.1 without TLS.
      PortBindings: { "5000/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
      NetworkMode: lab.network,
      RestartPolicy: { Name: "unless-stopped" },
      ReadonlyRootfs: true,
    },
    NetworkingConfig: { EndpointsConfig: { [lab.network]: { Aliases: [REGISTRY_ALIAS] } } },
  };
  // A container whose folder was removed under it holds on to what is no longer there, and answers 500 to every push: the
  // folder's number tells a new one from it.
  const made = `${JSON.stringify(spec)} ${statSync(data).ino}`;
  const hash = createHash("sha256").update(made).digest("hex").slice(0, 16);
  return { ...spec, Labels: { ...lab.labels, [LABEL_SPEC]: hash } };
}

async function ensureRegistryImage(lab: Lab, docker: Docker, progress: Progress): Promise<string> {
  const key = contentKey(REGISTRY_IMAGE.inputs);
  const name = `${REGISTRY_IMAGE.name}:${key}`;
  if (await orMissing(docker.getImage(name).inspect())) return name;
  progress.say("making the registry's image");
  const work = new Work(lab, progress);
  try {
    await buildOn(work, docker, REGISTRY_IMAGE, name);
  } finally {
    work.remove();
  }
  return name;
}
