/** The diff of two texts: changed lines with some context. */
import { structuredPatch } from "diff";

const CONTEXT = 3;
/** Longer lines and values are replaced by their length. */
const LONGEST = 1000;

/** Lines that start with "@@", " ", "-" or "+" (and "\" if a text does not end with a line break). */
export function textDiff(before: string, after: string): string[] {
  const patch = structuredPatch("", "", before, after, "", "", { context: CONTEXT });
  return patch.hunks.flatMap((hunk) => [
    `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`,
    ...hunk.lines.map(shortLine),
  ]);
}

export function shortLine(line: string): string {
  if (line.length <= LONGEST) return line;
  return `${line.slice(0, 1)} (a line of ${line.length.toLocaleString("en")} characters)`;
}

/** Cuts a long line outside of a diff. */
export function beginning(line: string): string {
  if (line.length <= LONGEST) return line;
  return `${line.slice(0, LONGEST / 2)}… (a line of ${line.length.toLocaleString("en")} characters)`;
}

/** Shorter than a line, to leave room for the path. */
export function shortValue(value: string): string {
  return value.length <= LONGEST / 2 ? value : `(a value of ${value.length.toLocaleString("en")} characters)`;
}
