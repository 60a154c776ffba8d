/** Text that people wrote, in a message for people: on one line, of a length, and nothing in it that a terminal obeys. */

/** Longest part of a path that is shown; the keys of the schema have a quarter of that. */
const LONGEST = 60;

/** Controls, what changes the direction of a line, halves of characters, and what breaks a line. */
const ODD = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** Odd characters as JSON writes them. */
export const clean = (text: string): string =>
  text.replaceAll(ODD, (odd) =>
    [...Array(odd.length).keys()]
      .map((i) => `\\u${odd.charCodeAt(i).toString(16).padStart(4, "0")}`)
      .join(""),
  );

/** Cut to a length, between two characters. */
export const shortened = (text: string, longest: number): string =>
  text.length > longest ? `${text.slice(0, longest).replace(/[\ud800-\udbff]$/, "")}…` : text;

/** One key of a path. */
export const keyName = (key: string): string => clean(shortened(key, LONGEST));

/** A path, "nginx.keepalive". */
export const pathName = (path: readonly string[]): string => path.map(keyName).join(".");
