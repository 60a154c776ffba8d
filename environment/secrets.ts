/** The form of a secret in a stack file, and the messages for other values. */
import { quote } from "../shared/quote";
import { keyName } from "./legible";
import { SECRET_KEYS, SECRET_MAPPINGS } from "./schema";

/** Padded base64, as the engine writes it, of at least this many groups. */
const base64 = (groups: number) =>
  `([A-Za-z0-9+/]{4}){${groups - 1},}([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)`;

/**
 * With a passphrase or a cloud's key service: "v1", the nonce of 12 bytes, and the encrypted bytes followed by their tag of 16 bytes
 * (AES-GCM).
 */
const OWN_KEY = `v1:[A-Za-z0-9+/]{16}:${base64(6)}`;
/**
 * By a Pulumi service: at least 28 bytes, for nonce and tag. A key in hexadecimal digits, which is also base64, does not match.
 */
const BY_SERVICE = `(?![0-9a-f]*$|[0-9A-F]*$)${base64(10)}`;

/** Matches the output of every secrets manager of the engine, and no password. */
export const CIPHERTEXT = `^(${OWN_KEY}|${BY_SERVICE})$`;

/** `{secure: …}`, the form that the engine accepts, with any value. */
export function isSecure(value: unknown): value is { secure: string } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const [key, ...more] = Object.keys(value);
  return key === "secure" && more.length === 0 && typeof (value as { secure: unknown }).secure === "string";
}

/**
 * Whether the value is really encrypted: `secure:` is easily written around a plain text.
 * @param ownKey whether the file has a salt or a key of its own, so that nothing in it is encrypted by a service
 */
export function isEncrypted(value: unknown, ownKey: boolean): boolean {
  return isSecure(value) && new RegExp(ownKey ? `^${OWN_KEY}$` : CIPHERTEXT).test(value.secure);
}

/** @param path its key, or key and name @returns what is wrong with a secret's value, or undefined */
export function secretProblem(value: unknown, path: string[], ownKey: boolean): string | undefined {
  if (isEncrypted(value, ownKey)) return undefined;
  const plain = plainSecret(path);
  return isSecure(value) ? `was not encrypted by the engine, and so ${plain}` : plain;
}

/** The command that sets a secret. A dot in a name needs quotes: it would begin another mapping. */
export function setSecret([key, name]: readonly string[]): string {
  const command = "pulumi config set --secret";
  if (name === undefined) return `${command} ${keyName(key!)}`;
  const dotted = /[.:]/.test(name);
  return `${command} --path ${dotted ? quote(`${keyName(key!)}["${keyName(name)}"]`) : [key!, name].map(keyName).join(".")}`;
}

export const plainSecret = (path: readonly string[]) =>
  `is a secret in plain text; set it with: ${setSecret(path)}`;

export function secretMapping(key: string): string {
  const { maps, example } = SECRET_MAPPINGS[key]!;
  return `must be a mapping of ${maps}, each set with: ${setSecret([key, example])}`;
}

export const NESTED_SECRET = `contains a secret, which is not read here; secrets are separate top-level keys: ${Object.keys(SECRET_KEYS).join(", ")}`;

export const isSecretKey = (key: string): boolean => Object.hasOwn(SECRET_KEYS, key);

export const isSecretMapping = (key: string): boolean => Object.hasOwn(SECRET_MAPPINGS, key);

/** Paths of the secrets inside of a value. */
export function securePaths(value: unknown, path: string[]): string[][] {
  if (isSecure(value)) return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => securePaths(inner, [...path, key]));
}
