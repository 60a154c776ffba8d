/** The lock file that turns names of images into digests. */
import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { writeAtomically } from "../../shared/atomicFile";
import { familiarName, isDigest, parseImage } from "../../shared/image";

/** From a name with its tag, as `withRegistry` gives it, to its digest. */
export type ImageLock = Readonly<Record<string, string>>;

/** The reference by digest where the name has one or the lock knows it; the name itself, unresolved, where not. */
export function resolve(text: string, lock: ImageLock): { reference: string; resolved: boolean } {
  const image = parseImage(text);
  const name = familiarName(image);
  if (image.digest) return { reference: name, resolved: true };
  const digest = Object.hasOwn(lock, name) ? lock[name] : undefined;
  return digest ? { reference: `${name}@${digest}`, resolved: true } : { reference: name, resolved: false };
}

/** The digests of a lock file; empty if the file does not exist. @throws an Error with the path if it cannot be read */
export function readLock(path: string): ImageLock {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new Error(`the image lock ${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  return parseLock(text, path);
}

function parseLock(text: string, path: string): ImageLock {
  const bad = (why: string) =>
    new Error(
      `the image lock ${path} ${why}; restore it, or write it anew with \`npx oslo-faas images lock\``,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad(`is not JSON (${(error as Error).message})`);
  }
  if (!isRecord(value)) throw bad("does not hold an object");
  if (value.version !== 1)
    throw bad(`has version ${JSON.stringify(value.version)}, and this program reads version 1`);
  if (!isRecord(value.images)) throw bad('has no object "images"');
  for (const [name, digest] of Object.entries(value.images)) {
    if (typeof digest !== "string" || !isDigest(digest)) {
      throw bad(
        `gives ${name} the digest ${JSON.stringify(digest)}, which is not "sha256:" and 64 hexadecimal digits`,
      );
    }
  }
  return value.images as Record<string, string>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text of a lock file: sorted, one image a line, so that a diff shows which image changed. */
export function formatLock(lock: ImageLock): string {
  const names = Object.keys(lock).sort((a, b) => (a < b ? -1 : 1));
  const images = Object.fromEntries(names.map((name) => [name, lock[name]]));
  return `${JSON.stringify({ version: 1, images }, null, 2)}\n`;
}

/** Replaces the lock file as a whole. @returns false if it already has that content */
export function writeLock(path: string, lock: ImageLock): boolean {
  const text = formatLock(lock);
  try {
    if (readFileSync(path, "utf8") === text) return false;
  } catch {
    // Missing or unreadable: the write below makes it, or says what is wrong.
  }
  mkdirSync(dirname(path), { recursive: true });
  writeAtomically(path, text);
  return true;
}
