/** What differs between two texts, as a person reads it: changed lines with a few around them. */
import { structuredPatch } from "diff";

const CONTEXT = 3;
/** A longer line, or value, says nothing to a person; it is named by its length. */
const LONGEST = 1000;

/** Lines that start with "@@", " ", "-" or "+" (and "\" where a text does not end with a line break). */
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

/** The beginning of a line that is no diff's: what was said there, as far as a person reads. */
export function beginning(line: string): string {
  if (line.length <= LONGEST) return line;
  return `${line.slice(0, LONGEST / 2)}… (a line of ${line.length.toLocaleString("en")} characters)`;
}

/** Shorter than a line may be, so that the path before it stays. */
export function shortValue(value: string): string {
  return value.length <= LONGEST / 2 ? value : `(a value of ${value.length.toLocaleString("en")} characters)`;
}
