/** Turns the tags that environments name into digests, in the lock files that the program reads. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseStack } from "../../components/functions/stack";
import { readLock, writeLock } from "../../components/images/lock";
import { familiarName, parseImage } from "../../shared/image";
import { DEFAULT_LOCK } from "../../environment/lockFile";
import { pulledImages } from "../../components/images/registries";
import { inParallel } from "../../shared/inParallel";
import { readComplete } from "../environment";
import { Unusable } from "../errors";
import { remoteDigest, type ClientOptions } from "./client";

export interface LockTask {
  root: string;
  /** Images that are named one by one. */
  images: string[];
  /** Environments whose images are meant. */
  stacks: string[];
  /** The lock file. Default: that of each environment, and stacks/images.lock.json for `images`. */
  file?: string;
  /** Speak plain HTTP to every registry. */
  insecure: boolean;
  print: (line: string) => void;
}

/** @throws Unusable for an image or an environment that cannot be used, an Error where a registry does not answer */
export async function lock({ root, images, stacks, file, insecure, print }: LockTask): Promise<void> {
  for (const reference of images) check(reference);
  const wanted = new Map<string, string[]>();
  const add = (to: string, more: string[]) =>
    wanted.set(to, [...new Set([...(wanted.get(to) ?? []), ...more])]);
  if (images.length > 0) add(resolve(file ?? join(root, DEFAULT_LOCK)), images);
  for (const stack of stacks) {
    if (stack === "local")
      throw new Unusable("The images of the stack local are the lab's; `npm run up` locks them.");
    const own = imagesOf(stack, root);
    add(file ? resolve(file) : own.lock, own.images);
  }
  for (const [to, references] of wanted) await lockImages(to, references, print, { insecure });
}

/**
 * What an environment runs by digest, as its lock file names it. Images that the host builds for itself have no digest before
 * they are built. @throws Unusable for an environment that is not there or has errors
 */
export function imagesOf(name: string, root: string): { lock: string; images: string[] } {
  const { environment } = readComplete(name, root);
  const functions = environment.functions.flatMap(({ stack, only }) =>
    parseStack(readFileSync(resolve(root, stack), "utf8"), stack, process.env)
      .filter(({ spec }) => !only || only.includes(spec.name))
      .map((one) => ({ ...one, file: stack })),
  );
  const { images } = environment;
  return { lock: resolve(root, images.lock), images: pulledImages(images, functions, root) };
}

/**
 * Brings the images of one lock file up to what their registries have; other entries of the file stay. Prints each change.
 * The file is written once at the end, and not at all when an image could not be resolved: then an Error says which ones.
 */
export async function lockImages(
  file: string,
  images: string[],
  print: (line: string) => void,
  options: ClientOptions = {},
): Promise<void> {
  const before = readLock(file);
  const after: Record<string, string> = { ...before };
  const failures: string[] = [];
  await inParallel(images, 4, async (reference) => {
    const image = parseImage(reference);
    if (image.digest) return; // Pinned where it is written.
    const name = familiarName(image);
    try {
      after[name] = await remoteDigest(reference, options);
    } catch (error) {
      failures.push(`  ${(error as Error).message}`);
    }
  });
  if (failures.length > 0) {
    const many = failures.length === 1 ? "one image" : `${failures.length} images`;
    throw new Error(
      [`${file} was left as it is; ${many} could not be resolved:`, ...failures.sort()].join("\n"),
    );
  }
  for (const name of Object.keys(after).sort()) {
    if (before[name] !== after[name]) print(`${name}\n  ${before[name] ?? "(new)"}\n  → ${after[name]}`);
  }
  print(writeLock(file, after) ? `wrote ${file}` : `${file}: nothing changed`);
}

function check(reference: string): void {
  try {
    parseImage(reference);
  } catch (error) {
    throw new Unusable((error as Error).message);
  }
}
