/** References to images, by the engine's own grammar. */

/** Parts of a reference, complete: the domain and `library/` that people leave out are filled in. */
export interface ImageReference {
  /** "docker.io", "ghcr.io", "registry.lab:5000". */
  domain: string;
  /** "library/nginx", "openfaas/gateway". */
  path: string;
  tag?: string;
  /** "sha256:…". */
  digest?: string;
}

const LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const DOMAIN = new RegExp(`^(?:\\[[0-9a-fA-F:]+\\]|${LABEL}(?:\\.${LABEL})*)(?::[0-9]+)?$`);
/** Between the slashes of a path. */
export const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
export const TAG = "\\w[\\w.-]{0,127}";
/** The algorithms that the engine knows. */
export const DIGEST = "(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})";
const REST = new RegExp(`^(${COMPONENT}(?:/${COMPONENT})*)(?::(${TAG}))?(?:@(${DIGEST}))?$`);
/** Of a repository's name; the engine takes no longer one. */
const MOST_CHARACTERS = 255;
/** That would be an image's id. */
const ID = /^[0-9a-f]{64}$/;

/**
 * Takes a reference apart. What stands before the first slash is a domain only when it has a dot, a port or a capital, or is
 * "localhost". Example: "nginx" → docker.io, library/nginx, without a tag. Throws an Error naming the text.
 */
export function parseImage(text: string): ImageReference {
  const image = readImage(text);
  if (!image)
    throw new Error(`"${text}" is not the name of an image such as "ghcr.io/openfaas/gateway:0.25.4"`);
  return image;
}

/** The domain that a reference begins with, if any, and the rest. */
function splitDomain(text: string): { first?: string; rest: string } {
  const slash = text.indexOf("/");
  const first = text.slice(0, Math.max(0, slash));
  const isDomain = /[.:\]A-Z]/.test(first) || first === "localhost";
  return isDomain ? { first, rest: text.slice(slash + 1) } : { rest: text };
}

function readImage(text: string): ImageReference | undefined {
  const { first = "docker.io", rest } = splitDomain(text);
  const match = REST.exec(rest);
  if (!match || !DOMAIN.test(first) || ID.test(text)) return undefined;
  const domain = first === "index.docker.io" ? "docker.io" : first;
  const path = domain === "docker.io" && !match[1]!.includes("/") ? `library/${match[1]}` : match[1]!;
  if (domain.length + path.length >= MOST_CHARACTERS) return undefined;
  return { domain, path, ...(match[2] ? { tag: match[2] } : {}), ...(match[3] ? { digest: match[3] } : {}) };
}

/** Whether the text is a digest, such as "sha256:…" with 64 hexadecimal digits. */
export const isDigest = (text: string): boolean => new RegExp(`^${DIGEST}$`).test(text);

/** Whether the reference has a digest, and so never means another image. */
export const isPinned = (text: string): boolean => text.includes("@");

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
