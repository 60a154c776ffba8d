/** The last gate before a report leaves: secrets of this machine's environment are taken out of it. */
const NAMES = /PASS|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_KEY/i;
/** Shorter values are words that stand in any text. */
const SHORTEST = 6;

/** Values of variables whose names say that they are secret. */
export function secretsOfEnvironment(env: NodeJS.ProcessEnv): string[] {
  const values = Object.entries(env)
    .filter(([name, value]) => NAMES.test(name) && (value ?? "").length >= SHORTEST)
    // A path to a secret is none.
    .filter(([name]) => !/_FILE$|_PATH$|_DIR$|_SOCK$/i.test(name))
    .flatMap(([, value]) => [value!, ...value!.split("\n")].map((part) => part.trim()));
  return [...new Set(values)].filter((value) => value.length >= SHORTEST);
}

/** As they are, in base64 and in a URL: longest first, so that no rest of one remains. */
export function mask(text: string, secrets: string[]): string {
  const forms = secrets.flatMap((secret) => [
    secret,
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString("base64"),
    encodeURIComponent(secret),
  ]);
  return [...new Set(forms)]
    .sort((a, b) => b.length - a.length)
    .reduce((masked, form) => masked.replaceAll(form, "(secret)"), text);
}
