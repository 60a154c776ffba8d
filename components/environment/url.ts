/** What in a URL is as good as a password. Whoever has such a URL needs nothing else, so it is neither written in plain nor shown. */

const SECRET_PARAMETER = /passw|secret|token|credential|signature|api_?key|auth|^(key|sig|code|pwd|pw)$/i;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Shorter ones are words and versions. */
const SHORTEST = 16;

/** Letters and digits mixed, without a word's breaks: what nobody makes up as the name of a hook. */
function looksRandom(text: string): boolean {
  const longest = text.split(/[-_.:@]/).sort((a, b) => b.length - a.length)[0]!;
  return UUID.test(text) || (longest.length >= SHORTEST && /[a-z]/i.test(longest) && /\d/.test(longest));
}

interface Part {
  /** What is to be hidden. */
  text: string;
  /** For a message. */
  name: string;
}

function secretParts(url: string): Part[] {
  const [, user = "", path = "", query = ""] =
    /^[a-z][a-z0-9+.-]*:\/\/(?:([^/?#\s]*)@)?[^/?#]*([^?#]*)(.*)$/is.exec(url) ?? [];
  const parameters = [...query.matchAll(/[?&#]([^=&#]*)=([^&#]+)/g)]
    .map(([, name = "", value = ""]) => ({ name, value }))
    .filter(({ name, value }) => SECRET_PARAMETER.test(name) || looksRandom(value));
  return [
    ...(user ? [{ text: user, name: "a user or password" }] : []),
    ...path
      .split("/")
      .filter(looksRandom)
      .map((text) => ({ text, name: "what looks like a token" })),
    ...parameters.map(({ name, value }) => ({ text: value, name: `the parameter ${name}` })),
  ];
}

/** What of a URL is secret, in words; undefined where nothing looks like it. */
export const secretIn = (url: string): string | undefined => secretParts(url)[0]?.name;

/** The URL without what is secret in it. */
export function withoutSecrets(url: string): string {
  return secretParts(url)
    .sort((a, b) => b.text.length - a.text.length)
    .reduce((text, part) => text.replaceAll(part.text, "[hidden]"), url);
}
