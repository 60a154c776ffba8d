/** What a secret looks like in a stack file, and what is said of one that does not. */
import { quote } from "../shared/quote";
import { keyName } from "./legible";
import { SECRET_KEYS, SECRET_MAPPINGS } from "./schema";

/** Base64 as the engine writes it, whole groups with their padding, of so many groups at least. */
const base64 = (groups: number) =>
  `([A-Za-z0-9+/]{4}){${groups - 1},}([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)`;

/**
 * With a passphrase, or a key that a cloud's key service keeps: "v1", the nonce of 12 bytes, and what was encrypted with its mark of
 * 16 bytes behind it (AES-GCM).
 */
const OWN_KEY = `v1:[A-Za-z0-9+/]{16}:${base64(6)}`;
/**
 * By a Pulumi service, which has the key: its bytes, of which nonce and mark alone are 28. A key in hexadecimal digits, which is base64
 * as well, is none.
 */
const BY_SERVICE = `(?![0-9a-f]*$|[0-9A-F]*$)${base64(10)}`;

/** What every secrets manager of the engine writes matches this; a password does not. */
export const CIPHERTEXT = `^(${OWN_KEY}|${BY_SERVICE})$`;

/** `{secure: …}` as the engine takes it, whatever is in it. */
export function isSecure(value: unknown): value is { secure: string } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const [key, ...more] = Object.keys(value);
  return key === "secure" && more.length === 0 && typeof (value as { secure: unknown }).secure === "string";
}

/**
 * Whether that is really encrypted: it is easily written by hand around a plain text.
 * @param ownKey whether the file has a salt or a key of its own, so that nothing in it is encrypted by a service
 */
export function isEncrypted(value: unknown, ownKey: boolean): boolean {
  return isSecure(value) && new RegExp(ownKey ? `^${OWN_KEY}$` : CIPHERTEXT).test(value.secure);
}

/** What is wrong with a secret's value; undefined for nothing. @param path its key, or key and name */
export function secretProblem(value: unknown, path: string[], ownKey: boolean): string | undefined {
  if (isEncrypted(value, ownKey)) return undefined;
  const plain = plainSecret(path);
  return isSecure(value) ? `is not what the engine encrypts to, and so ${plain}` : plain;
}

/** How a secret is set; one of a mapping by its name, of which a dot would begin another mapping. */
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

export const NESTED_SECRET = `holds a secret where none is read; secrets are top-level keys of their own: ${Object.keys(SECRET_KEYS).join(", ")}`;

export const isSecretKey = (key: string): boolean => Object.hasOwn(SECRET_KEYS, key);

export const isSecretMapping = (key: string): boolean => Object.hasOwn(SECRET_MAPPINGS, key);

/** Where secrets are inside of a value. */
export function securePaths(value: unknown, path: string[]): string[][] {
  if (isSecure(value)) return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => securePaths(inner, [...path, key]));
}
