/**
 * The image that the lab's host is made of: Debian 12 by debootstrap (needs a package archive and root, no container
 * registry), or with LAB_BASE any Debian or Ubuntu image plus systemd and sshd (needs a registry). Kept by content of its
 * recipe: as a tar file in the shared cache, so that a new engine has it in seconds, and as an image of the engine.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type Docker from "dockerode";
import type { Lab } from "./config";
import { orMissing } from "./docker";
import { LabError } from "./errors";
import { machineProxy, machineSources } from "./machine";
import type { Progress } from "./progress";
import { run } from "./run";

export const RELEASE = "bookworm";
const REPOSITORY = "oslo-faas/lab-base";
const RECIPE_DIR = join(__dirname, "base");

export interface Base {
  /** Reference of the image on the engine. */
  image: string;
  /** True for the debootstrapped Debian, whose package sources can be the machine's. */
  debian: boolean;
}

/** The image, built or imported first where it is missing. `from` is LAB_BASE. */
export async function ensureBase(
  lab: Lab,
  docker: Docker,
  progress: Progress,
  from = process.env.LAB_BASE,
): Promise<Base> {
  const key = recipeKey(from);
  const image = `${REPOSITORY}:${key}`;
  const base = { image, debian: !from };
  if (await orMissing(docker.getImage(image).inspect())) return base;
  if (from) await buildOn(docker, lab, from, image, progress);
  else await importDebian(lab, docker, key, progress);
  return base;
}

/** Changes with the recipe and with LAB_BASE, and with nothing else. */
export function recipeKey(from: string | undefined, folder = RECIPE_DIR): string {
  const hash = createHash("sha256").update(`${RELEASE}\0${from ?? ""}\0`);
  for (const name of [from ? "Dockerfile" : "build.sh", "setup.sh"]) {
    hash.update(`${name}\0`).update(readFileSync(join(folder, name)));
  }
  return hash.digest("hex").slice(0, 16);
}

async function importDebian(lab: Lab, docker: Docker, key: string, progress: Progress): Promise<void> {
  const tar = join(lab.sharedCacheDir, `base-${key}.tar`);
  if (!existsSync(tar)) await bootstrap(lab, tar, progress);
  progress.say("importing the base image into the engine");
  const stream = await docker.importImage(createReadStream(tar), {
    repo: REPOSITORY,
    tag: key,
    changes: ['CMD ["/sbin/init"]', "ENV container=docker"],
  });
  await follow(docker, stream, progress);
}

async function bootstrap(lab: Lab, tar: string, progress: Progress): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new LabError(
      "The base image of the lab's host is not built yet, and debootstrap needs root.",
      "Run this once as root, or set LAB_BASE=ubuntu:18.04 where a container registry can be reached.",
    );
  }
  mkdirSync(lab.sharedCacheDir, { recursive: true });
  const log = join(lab.cacheDir, "base.log");
  const onLine = (line: string) => progress.status(`debootstrap: ${line.replace(/^I: /, "")}`);
  if (!existsSync("/usr/sbin/debootstrap")) {
    progress.say("installing debootstrap");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const args = ["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", "debootstrap"];
    await run("apt-get", args, { step: "install debootstrap", limitMs: 300_000, env, log, onLine });
  }
  progress.say(`building the base image (debootstrap ${RELEASE}, about a minute; once per machine)`);
  const mirror = machineSources(RELEASE).find((source) => source.suites.includes(RELEASE))?.uris[0];
  const proxy = machineProxy();
  const env = proxy && !process.env.http_proxy ? { ...process.env, http_proxy: proxy } : process.env;
  await run("nice", [join(RECIPE_DIR, "build.sh"), RELEASE, tar, ...(mirror ? [mirror] : [])], {
    step: "build the base image of the lab's host",
    limitMs: 15 * 60_000,
    env,
    log,
    onLine,
    remedy: "See that this machine reaches a Debian archive, then run this again.",
  });
}

async function buildOn(
  docker: Docker,
  lab: Lab,
  from: string,
  image: string,
  progress: Progress,
): Promise<void> {
  progress.say(`building the base image from ${from}`);
  const context = { context: RECIPE_DIR, src: ["Dockerfile", "setup.sh"] };
  // On the lab's network, whose packets fit through the machine's interface.
  const options = { t: image, buildargs: { LAB_BASE: from }, networkmode: lab.network, forcerm: true };
  try {
    await follow(docker, await docker.buildImage(context, options), progress);
  } catch (error) {
    throw new LabError(
      `Could not build the base image from LAB_BASE=${from}: ${error instanceof Error ? error.message : String(error)}`,
      "Its registry has to be reachable and the image has to have apt-get. Without LAB_BASE the host is a Debian 12.",
    );
  }
}

function follow(docker: Docker, stream: NodeJS.ReadableStream, progress: Progress): Promise<void> {
  return new Promise((done, fail) => {
    docker.modem.followProgress(
      stream,
      (error: Error | null, events: { error?: string }[]) => {
        const failed = error ?? events?.find((event) => event.error);
        if (failed) fail(failed instanceof Error ? failed : new Error(failed.error));
        else done();
      },
      (event: { stream?: string; status?: string }) => {
        const text = (event.stream ?? event.status ?? "").trim();
        if (text) progress.status(text.slice(0, 100));
      },
    );
  });
}

/** Removes base images from the engine and their tar files from the shared cache. */
export async function removeBases(lab: Lab, docker: Docker | undefined): Promise<void> {
  const images = (await docker?.listImages({ filters: { reference: [REPOSITORY] } })) ?? [];
  for (const image of images) await docker!.getImage(image.Id).remove({ force: true });
  if (!existsSync(lab.sharedCacheDir)) return;
  for (const name of readdirSync(lab.sharedCacheDir)) {
    if (/^base-[0-9a-f]+\.tar/.test(name))
      rmSync(join(lab.sharedCacheDir, name), { recursive: true, force: true });
  }
}
