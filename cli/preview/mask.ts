/** Masks secrets of this machine's environment in a report. */
const NAMES = /PASS|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_KEY|_KEY$|_AUTH$/i;
/** Shorter values may occur in any text. */
const SHORTEST = 6;

/** Values of variables with secret-looking names, and passwords in URLs (of a state's database, of a proxy). */
export function secretsOfEnvironment(env: NodeJS.ProcessEnv): string[] {
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const named = given
    .filter(([name]) => NAMES.test(name))
    // The path of a secret is not secret.
    .filter(([name]) => !/_FILE$|_PATH$|_DIR$|_SOCK$/i.test(name))
    .flatMap(([, value]) => [value, ...value.split("\n")].map((part) => part.trim()));
  const values = [...named, ...given.flatMap(([, value]) => passwordIn(value))];
  return [...new Set(values)].filter((value) => value.length >= SHORTEST);
}

/** As it is written, and as it is meant. */
function passwordIn(value: string): string[] {
  const written = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]*?:([^/?#@\s]+)@/i.exec(value)?.[1];
  if (written === undefined) return [];
  try {
    return [written, decodeURIComponent(written)];
  } catch {
    return [written]; // A percent sign that encodes nothing.
  }
}

/** Masks values in plain text, base64 and URLs; longest first, so that no part of one remains. */
export function masker(secrets: string[]): (text: string) => string {
  const forms = secrets.flatMap((secret) => [
    secret,
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString("base64"),
    encodeURIComponent(secret),
  ]);
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((masked, form) => masked.replaceAll(form, "(secret)"), text);
}
