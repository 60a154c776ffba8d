/** Property values as the engine writes them: what stands for one that is not known yet, and for one that is not to be shown. */

/** One for each type of value: string (and anything), boolean, number, array, asset, archive, object. */
const UNKNOWNS = new Set([
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/** True for a value that only an `up` will know. */
export function isUnknown(value: unknown): boolean {
  if (typeof value === "string") return UNKNOWNS.has(value);
  if (typeof value !== "object" || value === null) return false;
  const marked = value as Record<string, unknown>;
  return marked[SIGNATURE] === OUTPUT && (marked.value === undefined || isUnknown(marked.value));
}

const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** True for a value that the engine keeps to itself: events carry "[secret]" in its place. */
export function isSecret(value: unknown): boolean {
  if (value === "[secret]") return true;
  return (
    typeof value === "object" && value !== null && (value as Record<string, unknown>)[SIGNATURE] === SECRET
  );
}

/** A property that is named like a secret, and not like a place where one is. */
const NAME =
  /(^|[_.-]|[a-z](?=[A-Z]))(password|passwd|passphrase|secret|token|api[_-]?key|private[_-]?key|credentials?)$/i;
/** Whatever its name, a key is one. */
const KEY = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/;
/** A path names the file a secret is in. A secret may start with a slash as well, but has hardly the rest. */
const PATH = /^(\/[\w.@-]+){2,}\/?$/;

/** True for an unmarked text that looks like a secret by its name or its form. */
export function looksSecret(name: string, value: string): boolean {
  if (KEY.test(value)) return true;
  return NAME.test(name) && value !== "" && !PATH.test(value) && !isUnknown(value) && !isSecret(value);
}
