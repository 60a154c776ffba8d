/** What a rule across several keys of an environment is. */

/**
 * The effective value of a key: what is written, or its default. Undefined where it is wrong by itself, which is said elsewhere.
 * "a.b?" asks what is written there, right or wrong: "mapping", "list", "value" or nothing, and for a secret's key "secret",
 * nothing or "unknown"; and "a.length" how many entries a list has.
 */
export type Get = <T>(path: string) => T | undefined;

export interface Violation {
  path: string;
  message: string;
  /** What it disagrees with, where that may be what was written, and the path a default. Default: none. */
  others?: string[];
}

export interface Rule {
  /** For the documentation. */
  sentence: string;
  check(get: Get): Violation[];
}
