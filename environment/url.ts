/** Finds secrets in URLs. A URL with a token is as good as a password, so it is neither stored in plain text nor shown. */

const SECRET_PARAMETER = /passw|secret|token|credential|signature|api_?key|auth|^(key|sig|code|pwd|pw)$/i;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Shorter ones are words and versions. */
const SHORTEST = 16;

/** A long mix of letters and digits, which is unlikely to be a name. */
function looksRandom(text: string): boolean {
  const longest = text.split(/[-_.:@]/).sort((a, b) => b.length - a.length)[0]!;
  return UUID.test(text) || (longest.length >= SHORTEST && /[a-z]/i.test(longest) && /\d/.test(longest));
}

interface Parts {
  /** Scheme and host. */
  open: string;
  user: string;
  /** Names of the secrets behind the host, for a message. */
  secrets: string[];
}

function partsOf(url: string): Parts {
  const [, scheme = "", user = "", host = "", path = "", query = ""] =
    /^([a-z][a-z0-9+.-]*:\/\/)(?:([^/?#\s]*)@)?([^/?#]*)([^?#]*)(.*)$/is.exec(url) ?? [];
  const parameters = [...query.matchAll(/[?&#]([^=&#]*)=([^&#]+)/g)]
    .filter(([, name = "", value = ""]) => SECRET_PARAMETER.test(name) || looksRandom(value))
    .map(([, name]) => `the parameter ${name}`);
  const inPath = path.split("/").some(looksRandom) ? ["a possible token"] : [];
  return { open: `${scheme}${user ? "[hidden]@" : ""}${host}`, user, secrets: [...inPath, ...parameters] };
}

/** Names the first secret in a URL, or undefined. */
export function secretIn(url: string): string | undefined {
  const { user, secrets } = partsOf(url);
  return user ? "a user or password" : secrets[0];
}

/** Hides the secrets of a URL. With a token, everything behind the host is hidden, because other parts may be secret too. */
export function withoutSecrets(url: string): string {
  const { open, user, secrets } = partsOf(url);
  if (secrets.length > 0) return `${open}/[hidden]`;
  return user ? url.replace(/\/\/[^/?#\s]*@/, "//[hidden]@") : url;
}
