/** Who may call a function from outside. Calls by other functions and the host's own are not asked. */
import { parseCIDR } from "ipaddr.js";
import { isNetwork, networkAround } from "./networks";

/** One of `LEVELS`. Default: the environment's openfaas.access. */
export const ACCESS = "com.oslo-faas.access";
/** SHA-256 of each token, in hexadecimal, with a name before it where one is wanted: "ci=9f86…, shop=60303…". */
export const ACCESS_TOKENS = "com.oslo-faas.access-tokens";
/** Networks of callers: "198.51.100.0/24, 2001:db8::/32". */
export const ACCESS_NETWORKS = "com.oslo-faas.access-networks";

export const LEVELS = ["public", "internal", "token", "networks"] as const;
export type Level = (typeof LEVELS)[number];
/** Those that an environment may have for functions that name none. */
export const DEFAULT_LEVELS = ["public", "internal"] as const;

const KEYS = [ACCESS, ACCESS_TOKENS, ACCESS_NETWORKS];
const TOKEN = /^(?:[\w.-]+=)?([0-9a-f]{64})$/;

type Texts = Readonly<Record<string, string>>;

const words = (text = ""): string[] => text.split(/[\s,]+/).filter(Boolean);

export const isAccessAnnotation = (key: string): boolean => KEYS.includes(key);

export interface Access {
  /** As written; an unknown level lets nobody in. */
  level: string;
  /** SHA-256 of each token. */
  tokens: string[];
  networks: string[];
}

/** @returns undefined for a function that leaves it to its environment */
export function readAccess(annotations: Texts): Access | undefined {
  const level = annotations[ACCESS];
  if (level === undefined) return undefined;
  const tokens = words(annotations[ACCESS_TOKENS]).flatMap((word) => TOKEN.exec(word)?.[1] ?? []);
  const networks = words(annotations[ACCESS_NETWORKS]).filter((word) => parseNetwork(word));
  return {
    level,
    tokens: level === "token" ? tokens : [],
    networks: level === "networks" ? networks : [],
  };
}

/** By the annotation's name, what is wrong with it. */
export function accessProblems(annotations: Texts): [name: string, problem: string][] {
  const found: [string, string][] = [];
  const level = annotations[ACCESS];
  if (level !== undefined && !LEVELS.includes(level as Level))
    found.push([ACCESS, `"${level}" must be one of ${LEVELS.join(", ")}`]);
  for (const [key, needs, parse, phrase] of [
    [
      ACCESS_TOKENS,
      "token",
      (word: string) => TOKEN.test(word),
      "the SHA-256 of a token in hexadecimal, as in ci=9f86d08188…",
    ],
    [ACCESS_NETWORKS, "networks", parseNetwork, "a network such as 198.51.100.0/24 or 2001:db8::/32"],
  ] as const) {
    const text = annotations[key];
    if (text === undefined && level === needs)
      found.push([key, `is required: ${ACCESS} is "${needs}", and it says who may call`]);
    if (text === undefined) continue;
    const wrong = words(text).find((word) => !parse(word));
    if (wrong !== undefined) found.push([key, `"${wrong}" is not ${phrase}`]);
    else if (words(text).length === 0) found.push([key, "is empty: it says who may call"]);
    else if (level !== needs) found.push([key, `does nothing here without ${ACCESS}: "${needs}"`]);
  }
  return found;
}

type Network = ReturnType<typeof parseCIDR>;

/** @returns undefined unless the text is a network, written with its own address */
export const parseNetwork = (text: string): Network | undefined =>
  isNetwork(text) && networkAround(text) === undefined ? parseCIDR(text) : undefined;

/** Whether every address of `inner` is one of `outer`. */
export const contains = ([outer, short]: Network, [inner, long]: Network): boolean =>
  outer.kind() === inner.kind() && short <= long && inner.match(outer, short);
