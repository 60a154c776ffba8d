/** Asks a container registry for the digest of a tag: the registry API's version 2, with the tokens and credentials that Docker uses. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { run } from "../../programs/run";
import { familiarName, parseImage, type ImageReference } from "../../shared/image";
import { MANIFEST_TYPES } from "../../shared/manifestTypes";

export interface ClientOptions {
  /** Speak plain HTTP to any registry. Registries on 127.0.0.1 and localhost are spoken to so anyway. Default: false. */
  insecure?: boolean;
  /** Folder of Docker's config.json. Default: DOCKER_CONFIG, else ~/.docker. */
  configDir?: string;
  /** Longest wait for one answer. Default: 15000. */
  limitMs?: number;
}

interface Credentials {
  user: string;
  password: string;
}

/** Docker Hub's API is at another address than its name says, and its credentials are under a third. */
const HUB = "docker.io";
const HUB_API = "registry-1.docker.io";
const HUB_CREDENTIALS = "https://index.docker.io/v1/";

/**
 * The digest that the registry has under the image's tag: the one of the list where the image has several platforms.
 * Throws an Error of one line that names the image and what was wrong.
 */
export async function remoteDigest(reference: string, options: ClientOptions = {}): Promise<string> {
  const image = parseImage(reference);
  const name = familiarName(image);
  try {
    return await digestOfTag(image, options);
  } catch (error) {
    throw new Error(`${name}: ${reasonOf(error, image.domain, options)}`, { cause: error });
  }
}

function reasonOf(error: unknown, domain: string, { limitMs = 15_000 }: ClientOptions): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  if (name === "TimeoutError") return `the registry ${domain} did not answer within ${limitMs / 1000} s`;
  // fetch says "fetch failed" and keeps what failed to itself.
  if (name === "TypeError" && cause)
    return `the registry ${domain} cannot be reached (${cause.code ?? cause.message})`;
  return message;
}

async function digestOfTag(image: ImageReference, options: ClientOptions): Promise<string> {
  const host = image.domain === HUB ? HUB_API : image.domain;
  const plain = options.insecure || /^(localhost|127\.[0-9.]+|\[::1\])(:\d+)?$/.test(image.domain);
  const url = `${plain ? "http" : "https"}://${host}/v2/${image.path}/manifests/${image.tag ?? "latest"}`;
  const ask = (method: string, authorization?: string) =>
    fetch(url, {
      method,
      headers: { accept: MANIFEST_TYPES, ...(authorization ? { authorization } : {}) },
      signal: AbortSignal.timeout(options.limitMs ?? 15_000),
    });
  let response = await ask("HEAD");
  let authorization: string | undefined;
  if (response.status === 401) {
    authorization = await authorize(response.headers.get("www-authenticate") ?? "", image, options);
    response = await ask("HEAD", authorization);
  }
  const failed = reasonFor(response.status, image);
  if (failed) throw new Error(failed);
  const digest =
    response.headers.get("docker-content-digest") ?? (await digestOfBody(await ask("GET", authorization)));
  if (!/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new Error(`the registry returned an invalid digest: ${digest}`);
  return digest;
}

function reasonFor(status: number, image: ImageReference): string | undefined {
  if (status === 200) return undefined;
  if (status === 404) return `the registry ${image.domain} has no such image or tag`;
  if (status === 401 || status === 403)
    return `the registry ${image.domain} refuses access (${status}); the image may be private or not exist: \`docker login ${image.domain}\``;
  if (status === 429)
    return `the registry ${image.domain} asks for fewer questions (429); log in, or try again later`;
  return `the registry ${image.domain} answered ${status}`;
}

/** Some registries leave the digest out of the headers; it is the hash of what they send. */
async function digestOfBody(response: Response): Promise<string> {
  if (!response.ok) throw new Error(`the registry answered ${response.status}`);
  const { createHash } = await import("node:crypto");
  return `sha256:${createHash("sha256")
    .update(Buffer.from(await response.arrayBuffer()))
    .digest("hex")}`;
}

/** The Authorization header that a registry's challenge asks for. */
async function authorize(challenge: string, image: ImageReference, options: ClientOptions): Promise<string> {
  const basic = basicHeader(await credentialsFor(image.domain, options));
  if (/^basic/i.test(challenge)) {
    if (!basic)
      throw new Error(`the registry ${image.domain} wants a login: \`docker login ${image.domain}\``);
    return basic;
  }
  const fields: Partial<Record<string, string>> = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value]),
  );
  if (!/^bearer/i.test(challenge) || !fields.realm)
    throw new Error(
      `the registry ${image.domain} asks for an unknown kind of login: ${challenge.slice(0, 80)}`,
    );
  const url = new URL(fields.realm);
  if (basic && url.protocol !== "https:" && !options.insecure && !/^(localhost|127\.)/.test(url.hostname))
    throw new Error(`the registry ${image.domain} wants the login sent unencrypted to ${url.host}`);
  if (fields.service) url.searchParams.set("service", fields.service);
  url.searchParams.set("scope", fields.scope ?? `repository:${image.path}:pull`);
  const signal = AbortSignal.timeout(options.limitMs ?? 15_000);
  const response = await fetch(url, { headers: basic ? { authorization: basic } : {}, signal });
  if (!response.ok)
    throw new Error(
      `the registry ${image.domain} refuses access (${response.status} of ${url.host}); \`docker login ${image.domain}\``,
    );
  const answer = (await response.json()) as { token?: string; access_token?: string };
  return `Bearer ${answer.token ?? answer.access_token}`;
}

const basicHeader = (credentials: Credentials | undefined): string | undefined =>
  credentials && `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64")}`;

interface DockerConfig {
  auths?: Record<string, { auth?: string; username?: string; password?: string }>;
  credsStore?: string;
  credHelpers?: Record<string, string>;
}

async function credentialsFor(domain: string, options: ClientOptions): Promise<Credentials | undefined> {
  const folder = options.configDir ?? process.env.DOCKER_CONFIG ?? join(homedir(), ".docker");
  let config: DockerConfig;
  try {
    config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8")) as DockerConfig;
  } catch {
    return undefined; // Nobody has logged in from here.
  }
  const key = domain === HUB ? HUB_CREDENTIALS : domain;
  const helper = config.credHelpers?.[domain] ?? config.credsStore;
  if (helper) {
    const found = await askHelper(helper, key);
    if (found) return found;
  }
  const entry = config.auths?.[key] ?? config.auths?.[`https://${domain}`];
  return entry && loginOf(entry);
}

function loginOf(entry: NonNullable<DockerConfig["auths"]>[string]): Credentials | undefined {
  if (entry.username && entry.password) return { user: entry.username, password: entry.password };
  const [user, ...rest] = Buffer.from(entry.auth ?? "", "base64")
    .toString()
    .split(":");
  return user && rest.length > 0 ? { user, password: rest.join(":") } : undefined;
}

/** docker-credential-NAME: the registry on its stdin, the credentials on its stdout. None where it knows none. */
async function askHelper(name: string, key: string): Promise<Credentials | undefined> {
  const { problem, stdout } = await run(`docker-credential-${name}`, ["get"], {
    input: key,
    limitMs: 10_000,
  });
  if (problem) return undefined;
  try {
    const found = JSON.parse(stdout) as { Username: string; Secret: string };
    // "<token>" stands for an identity token, which is for another way of logging in than this one.
    return found.Username === "<token>" ? undefined : { user: found.Username, password: found.Secret };
  } catch {
    return undefined;
  }
}
