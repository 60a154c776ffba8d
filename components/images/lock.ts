/**
 * Names of images, and the lock file that turns them into digests. Read by the program at each run, so nothing is imported
 * here but the file system.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Parts of an image's name, complete: the domain and `library/` that people leave out are filled in. */
export interface ImageReference {
  /** "docker.io", "ghcr.io", "registry.lab:5000". */
  domain: string;
  /** "library/nginx", "openfaas/gateway". */
  path: string;
  tag?: string;
  /** "sha256:…". */
  digest?: string;
}

/** From a name with its tag, as `withRegistry` gives it, to its digest. */
export type ImageLock = Readonly<Record<string, string>>;

const DOMAIN =
  /^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(?::[0-9]+)?$/;
const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const REST = new RegExp(
  `^(${COMPONENT}(?:/${COMPONENT})*)(?::([\\w][\\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}))?$`,
);
const DIGEST = /^sha256:[0-9a-f]{64}$|^sha512:[0-9a-f]{128}$/;

/**
 * Takes an image's name apart by Docker's own rules: what stands before the first slash is a domain only when it has a dot or
 * a port, or is "localhost". Example: "nginx" → docker.io, library/nginx, without a tag. Throws an Error naming the text.
 */
export function parseImage(text: string): ImageReference {
  const slash = text.indexOf("/");
  const first = slash < 0 ? "" : text.slice(0, slash);
  const hasDomain = first !== "" && (/[.:\]A-Z]/.test(first) || first === "localhost");
  const match = REST.exec(hasDomain ? text.slice(slash + 1) : text);
  if (!match || (hasDomain && !DOMAIN.test(first))) {
    throw new Error(`"${text}" is not the name of an image such as "ghcr.io/openfaas/gateway:0.25.4"`);
  }
  const domain = !hasDomain || first === "index.docker.io" ? "docker.io" : first;
  const path = domain === "docker.io" && !match[1]!.includes("/") ? `library/${match[1]}` : match[1]!;
  return {
    domain,
    path,
    ...(match[2] ? { tag: match[2] } : {}),
    ...(match[3] ? { digest: match[3] } : {}),
  };
}

/** The name as Docker prints it: without "docker.io/" and "library/", and with "latest" where it has neither tag nor digest. */
export function familiarName(image: ImageReference): string {
  const path =
    image.domain === "docker.io" ? image.path.replace(/^library\//, "") : `${image.domain}/${image.path}`;
  const tag = image.tag ?? (image.digest ? undefined : "latest");
  return `${path}${tag ? `:${tag}` : ""}${image.digest ? `@${image.digest}` : ""}`;
}

/**
 * The image from a registry that stands in for its own, with the path kept whole, as mirrors lay them out.
 * `registry` may have a path of its own ("mirror.example.no/proxy"). Default: the image's own registry.
 * Examples: nginx:1.27 → mirror/library/nginx:1.27; ghcr.io/openfaas/gateway:1 → mirror/openfaas/gateway:1.
 */
export function withRegistry(text: string, registry?: string): string {
  const image = parseImage(text);
  if (!registry) return familiarName(image);
  const domain = registry.split("/")[0]!;
  if (!/[.:]/.test(domain) && domain !== "localhost") {
    throw new Error(`the registry "${registry}" has to begin with a host name with a dot or a port`);
  }
  const tag = image.tag ?? (image.digest ? undefined : "latest");
  const name = `${registry.replace(/\/+$/, "")}/${image.path}${tag ? `:${tag}` : ""}`;
  return familiarName(parseImage(image.digest ? `${name}@${image.digest}` : name));
}

/** The reference by digest where the name has one or the lock knows it; the name itself, unresolved, where not. */
export function resolve(text: string, lock: ImageLock): { reference: string; resolved: boolean } {
  const image = parseImage(text);
  const name = familiarName(image);
  if (image.digest) return { reference: name, resolved: true };
  const digest = Object.hasOwn(lock, name) ? lock[name] : undefined;
  return digest ? { reference: `${name}@${digest}`, resolved: true } : { reference: name, resolved: false };
}

/** The digests of a lock file; none where there is no such file yet. Throws an Error with the path for one that cannot be read. */
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
    new Error(`the image lock ${path} ${why}; restore it, or write it anew with \`npm run images -- lock\``);
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
    if (typeof digest !== "string" || !DIGEST.test(digest)) {
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

/** Replaces the lock file whole or not at all. Leaves it alone, and says so, when it has that content already. */
export function writeLock(path: string, lock: ImageLock): boolean {
  const text = formatLock(lock);
  try {
    if (readFileSync(path, "utf8") === text) return false;
  } catch {
    // Missing or unreadable: the write below makes it, or says what is wrong.
  }
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    writeFileSync(temporary, text, { flush: true });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  return true;
}
