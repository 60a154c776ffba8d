/** Makes input safe for a message: on one line, of limited length, without terminal control codes. */

/** Longest shown part of a path. The schema's keys are at most a quarter of that. */
const LONGEST = 60;

/** Control characters, direction marks, half characters, and line breaks. */
const ODD = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** Escapes odd characters the way JSON does. */
export const clean = (text: string): string =>
  text.replaceAll(ODD, (odd) =>
    [...Array(odd.length).keys()]
      .map((i) => `\\u${odd.charCodeAt(i).toString(16).padStart(4, "0")}`)
      .join(""),
  );

export const shortened = (text: string, longest: number): string =>
  text.length > longest ? `${text.slice(0, longest).replace(/[\ud800-\udbff]$/, "")}…` : text;

export const keyName = (key: string): string => clean(shortened(key, LONGEST));

export const pathName = (path: readonly string[]): string => path.map(keyName).join(".");
