/**
 * Images of functions that were built on a developer's engine and loaded onto the host (`npx oslo-faas functions build --load`). The lock file
 * says which image the handler's present content became; the name on the host is made of that image's id, so it never means two.
 */
import type { Environment } from "../../environment/schema";
import type { FunctionOfFile } from "../functions/functionOfFile";
import { located } from "../functions/stack";
import { baseParts, basesOf, packFunction } from "../functions/build";
import { type ImageLock, readLock } from "./lock";

/** What is looked up in the lock file: `hash` is that of everything that the image is made of. */
export const contentName = (name: string, hash: string): string => `localhost/oslo-faas/fn-${name}:${hash}`;

/** The name on the host. @param id the image's id on the engine that built it, "sha256:…" */
export const loadedName = (name: string, id: string): string =>
  contentName(name, id.slice(id.indexOf(":") + 1));

/** Undefined where what the handler is now was never loaded. */
export function loadedImage(name: string, hash: string, lock: ImageLock): string | undefined {
  const key = contentName(name, hash);
  return Object.hasOwn(lock, key) ? loadedName(name, lock[key]!) : undefined;
}

/** One line for each function that is another one now than was loaded. */
export function notLoaded(
  functions: FunctionOfFile[],
  images: Environment["images"],
  environment: string,
): string[] {
  const lock = readLock(images.lock);
  return functions.flatMap(({ spec: { name }, build, file, line }) => {
    if (!build) return [];
    const { hash } = packFunction(name, build, file, basesOf(baseParts(build, file), images, lock));
    if (loadedImage(name, hash, lock)) return [];
    const text = `functions.${name}.handler: is, as it is now, not on the host yet: npx oslo-faas functions build -s ${environment} --load`;
    return [located(file, { line: line("handler"), text })];
  });
}
