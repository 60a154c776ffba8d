/**
 * The images that the lab's host runs: built once per content, kept in the lab's registry, and written with their digests to the
 * lab's lock file, which is where the program reads them.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeLock, type ImageLock } from "../../components/images/lock";
import { writeAtomically } from "../../shared/atomicFile";
import type { Lab } from "../config";
import { connect } from "../docker";
import { seconds, type Progress } from "../progress";
import type { BasePart } from "../../components/functions/build";
import { BASE_IMAGES } from "./bases";
import { type Bases, buildAndPush, type BuiltImage, removeBases } from "./build";
import { ownImages } from "./own";
import { REGISTRY_ADDRESS, startRegistry, type Registry } from "./registry";
import { STACK_IMAGES } from "./stack";
import { inParallel } from "../../shared/inParallel";
import { contentKey, imageCacheDir, Work } from "./work";

/** From an image's name in the lab's registry to its digest. */
type Digests = Map<string, string>;

/**
 * Sees to it that the lab's registry runs and holds every image, and that the lock file says which. Where nothing changed that
 * is a look at the sources and one question to the registry for each image. Throws LabError naming the image that could not be
 * built; what was built before it is kept.
 */
export async function ensureImages(lab: Lab, progress: Progress): Promise<void> {
  const registry = await startRegistry(lab, progress);
  const own = ownImages();
  const parts = [...new Set(own.flatMap(({ bases = [] }) => bases))];
  const assembled = [...new Set([...STACK_IMAGES, ...parts.map((part) => BASE_IMAGES[part])])];
  const images = [...assembled, ...own];
  const digests = await known(lab, registry, images);
  const missing = images.map(({ name }) => name).filter((name) => !digests.has(name));
  if (missing.length > 0) {
    progress.say(`building ${missing.length} of ${images.length} images: ${missing.join(", ")}`);
    await build(lab, progress, registry, { assembled, own }, digests);
  }
  const lock: ImageLock = Object.fromEntries(
    [...digests].map(([name, digest]) => [`${REGISTRY_ADDRESS}/${name}`, digest]),
  );
  if (writeLock(lab.imagesLock, lock)) progress.say(`wrote ${lab.imagesLock}`);
}

async function build(
  lab: Lab,
  progress: Progress,
  registry: Registry,
  { assembled, own }: { assembled: BuiltImage[]; own: BuiltImage[] },
  digests: Digests,
): Promise<void> {
  const docker = await connect();
  const work = new Work(lab, progress);
  const make = async (image: BuiltImage, bases?: Bases) => {
    if (digests.has(image.name)) return;
    const started = Date.now();
    const digest = await buildAndPush(work, docker, registry.port, image, bases);
    record(lab, image, digest);
    digests.set(image.name, digest);
    progress.say(`${image.name} (${seconds(Date.now() - started)})`);
  };
  try {
    await inParallel(assembled, 2, (image) => make(image));
    const bases = basesIn(registry, digests);
    try {
      await inParallel(own, 2, (image) => make(image, bases));
    } finally {
      await removeBases(docker, bases);
    }
  } finally {
    work.remove();
  }
}

/** The base images that there are, as this machine's engine calls them. */
function basesIn({ port }: Registry, digests: Digests): Bases {
  const made = Object.entries(BASE_IMAGES).filter(([, { name }]) => digests.has(name));
  return Object.fromEntries(
    made.map(([part, { name }]): [BasePart, string] => [
      part as BasePart,
      `127.0.0.1:${port}/${name.split(":")[0]}@${digests.get(name)!}`,
    ]),
  );
}

/** What was built of the present content and is in the registry still. */
async function known(lab: Lab, registry: Registry, images: BuiltImage[]): Promise<Digests> {
  const found = await Promise.all(
    images.map(async (image): Promise<[string, string | undefined]> => {
      const digest = recorded(lab, image);
      const repository = image.name.split(":")[0]!;
      const there = digest && (await registry.store.digest(repository, digest));
      return [image.name, there === digest ? digest : undefined];
    }),
  );
  return new Map(found.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function recordFile(lab: Lab, image: BuiltImage): string {
  const slug = image.name.replace(/[/:]/g, "_");
  return join(imageCacheDir(lab), "built", `${slug}-${contentKey(image.inputs)}.json`);
}

function recorded(lab: Lab, image: BuiltImage): string | undefined {
  const file = recordFile(lab, image);
  if (!existsSync(file)) return undefined;
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as { digest: string }).digest;
  } catch {
    return undefined; // Half a file of a machine that lost power: built anew.
  }
}

function record(lab: Lab, image: BuiltImage, digest: string): void {
  const file = recordFile(lab, image);
  mkdirSync(join(imageCacheDir(lab), "built"), { recursive: true });
  writeAtomically(file, `${JSON.stringify({ name: image.name, digest })}\n`);
}
