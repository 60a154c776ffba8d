/** Shows foreign text inside of Markdown as plain text. */

/**
 * Characters that are invisible or change the reading order: control characters except the tab, line separators, direction marks, and
 * characters without width.
 */
/* eslint-disable no-control-regex -- they are what this is about */
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
/* eslint-enable no-control-regex */

/** Makes invisible characters visible. */
export function visible(line: string): string {
  return line.replace(UNSEEN, (character) => {
    const code = character.codePointAt(0)!;
    return code < 0x20 ? String.fromCodePoint(0x2400 + code) : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** Text on one line, without tags, mentions (`@name`) or references (`#12`). */
export function inert(text: string): string {
  return oneLine(text)
    .replaceAll("<", "&lt;")
    .replace(/(^|[^\w`/])([@#][\w][\w/.-]*)/g, "$1`$2`");
}

/** A line break in a name would end its element. */
const oneLine = (text: string): string => text.replace(/\r?\n/g, "␊");

/** A cell of a table. */
export const cell = (text: string): string => inert(text).replaceAll("|", "\\|");

/** A code block, with a fence longer than any in its lines. */
export function fenced(lines: string[], language: string): string[] {
  const longest = lines
    .flatMap((line) => (line.match(/`+/g) ?? []).map((run) => run.length))
    .reduce((longer, length) => Math.max(longer, length), 2);
  const marks = "`".repeat(longest + 1);
  return [`${marks}${language}`, ...lines, marks];
}

/** Words in the middle of a line. */
export function code(text: string): string {
  const words = oneLine(text);
  const longest = (words.match(/`+/g) ?? []).reduce((longer, run) => Math.max(longer, run.length), 0);
  const marks = "`".repeat(longest + 1);
  const gap = words.startsWith("`") || words.endsWith("`") ? " " : "";
  return `${marks}${gap}${words}${gap}${marks}`;
}
