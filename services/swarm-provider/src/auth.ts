/** Who may call the management API, and with which credentials images are pulled. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Credentials } from "./config";
import type { RegistryAuth } from "./records";
import { invalid } from "./errors";

/** Compares digests, so that neither a length nor a common beginning shows in the time it takes. */
export function isAuthorized(header: string | undefined, expected: Credentials): boolean {
  const match = /^Basic ([A-Za-z0-9+/=_-]+)$/i.exec(header ?? "");
  if (!match) return false;
  const [user, ...rest] = Buffer.from(match[1]!, "base64").toString("utf8").split(":");
  const userMatches = same(user!, expected.user);
  return same(rest.join(":"), expected.password) && userMatches;
}

function same(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/**
 * Credentials for the image's registry: Docker's X-Registry-Auth header (base64 of JSON), or the older field registryAuth
 * (base64 of user:password).
 * @throws ApiError 400 that does not repeat what was sent
 */
export function registryAuth(
  header: string | string[] | undefined,
  field: string | null | undefined,
  image: string,
): RegistryAuth | undefined {
  if (typeof header === "string" && header !== "") {
    const auth = parseJson(Buffer.from(header, "base64").toString("utf8"));
    if (!auth) throw invalid(["X-Registry-Auth: is not base64 of a JSON object"]);
    return Object.keys(auth).length > 0 ? auth : undefined;
  }
  if (!field) return undefined;
  const text = Buffer.from(field, "base64").toString("utf8");
  const at = text.indexOf(":");
  if (at < 1) throw invalid(["registryAuth: is not base64 of user:password"]);
  return { username: text.slice(0, at), password: text.slice(at + 1), serveraddress: registryOf(image) };
}

function parseJson(text: string): RegistryAuth | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as RegistryAuth)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The registry that an image name means: its first part when that can be a host, else Docker Hub. */
export function registryOf(image: string): string {
  const [first, ...rest] = image.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first!) || first === "localhost");
  return isHost ? first! : "https://index.docker.io/v1/";
}
