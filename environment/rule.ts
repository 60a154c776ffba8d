/** The type of a rule across several keys of an environment. */

/**
 * The effective value of a key: the written value, or its default. Undefined if the value is wrong by itself, which is reported elsewhere.
 * "a.b?" gives the kind of what is written, right or wrong: "mapping", "list", "value" or undefined; for a secret's key "secret",
 * undefined or "unknown". "a.length" gives the number of entries of a list.
 */
export type Get = <T>(path: string) => T | undefined;

export interface Violation {
  path: string;
  message: string;
  /** Paths that it disagrees with, for when `path` itself has its default. Default: none. */
  others?: string[];
}

export interface Rule {
  /** For the documentation. */
  sentence: string;
  check(get: Get): Violation[];
}
