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

interface Parts {
  /** Scheme and host. */
  open: string;
  user: string;
  /** Names of what is secret behind the host, for a message. */
  secrets: string[];
}

function partsOf(url: string): Parts {
  const [, scheme = "", user = "", host = "", path = "", query = ""] =
    /^([a-z][a-z0-9+.-]*:\/\/)(?:([^/?#\s]*)@)?([^/?#]*)([^?#]*)(.*)$/is.exec(url) ?? [];
  const parameters = [...query.matchAll(/[?&#]([^=&#]*)=([^&#]+)/g)]
    .filter(([, name = "", value = ""]) => SECRET_PARAMETER.test(name) || looksRandom(value))
    .map(([, name]) => `the parameter ${name}`);
  const inPath = path.split("/").some(looksRandom) ? ["what looks like a token"] : [];
  return { open: `${scheme}${user ? "[hidden]@" : ""}${host}`, user, secrets: [...inPath, ...parameters] };
}

/** What of a URL is secret, in words; undefined where nothing looks like it. */
export function secretIn(url: string): string | undefined {
  const { user, secrets } = partsOf(url);
  return user ? "a user or password" : secrets[0];
}

/** The URL without what is secret in it: of one with a token nothing behind its host, since what else is one there nobody can tell. */
export function withoutSecrets(url: string): string {
  const { open, user, secrets } = partsOf(url);
  if (secrets.length > 0) return `${open}/[hidden]`;
  return user ? url.replace(/\/\/[^/?#\s]*@/, "//[hidden]@") : url;
}
