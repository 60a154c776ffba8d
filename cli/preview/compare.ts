/** Differences between two values of a resource's inputs, as lines of a diff without secrets. */
import { shortLine, shortValue, textDiff } from "./textDiff";
import { keysOf } from "./paper/settle";
import { isSecret, isUnknown, looksSecret } from "../../shared/propertyValues";

export interface Found {
  /** One line per value, with its path. */
  values: string[];
  /** The lines of a text or of a list, by its path. */
  texts: { path: string; lines: string[] }[];
  /** Paths of values that are known only after the host answered. */
  unknown: string[];
  /** Whether a secret differs, without showing how. */
  secret: boolean;
}

/** Whether the plugin sees a difference at or below a path. For a secret, that is all that is known. */
export type Touched = (path: string) => boolean;

export function compareValues(before: unknown, after: unknown, isTouched: Touched = () => false): Found {
  const found: Found = { values: [], texts: [], unknown: [], secret: false };
  compare(before, after, "", isTouched, found);
  return found;
}

function compare(before: unknown, after: unknown, path: string, isTouched: Touched, found: Found): void {
  if (isUnknown(after)) found.unknown.push(path);
  if (isSecret(before) || isSecret(after)) return compareSecrets(before, after, path, isTouched, found);
  const same = JSON.stringify(before) === JSON.stringify(after);
  // Two lists with different secrets look the same.
  if (same && !(isContainer(after) && isTouched(path))) return;
  if ([before, after].some(isText) && ![before, after].some((value) => isHidden(value, path)))
    return compareTexts(before, after, path, found);
  if (!same && isWords(before) && isWords(after)) return compareLists(before, after, path, found);
  if ([before, after].every((value) => value === undefined || isContainer(value)))
    return compareMembers(before ?? {}, after ?? {}, path, isTouched, found);
  tell("-", path, before, found);
  tell("+", path, after, found);
}

function tell(sign: string, path: string, value: unknown, found: Found): void {
  if (value !== undefined) found.values.push(`${sign} ${path}: ${inWords(value, path)}`);
}

/** If one side marks a value as secret, the other side's value is secret too. */
function compareSecrets(before: unknown, after: unknown, path: string, isTouched: Touched, found: Found) {
  const both = isSecret(before) && isSecret(after);
  if (both && !isTouched(path)) return;
  found.secret ||= isSecret(after);
  const words = (value: unknown, plain: string) =>
    isSecret(value) || isUnknown(value) ? inWords(value, path) : plain;
  if (before !== undefined)
    found.values.push(`- ${path}: ${words(before, "(not marked as a secret before; not shown)")}`);
  if (after !== undefined)
    found.values.push(
      `+ ${path}: ${both ? "(another secret)" : words(after, "(NO LONGER MARKED AS A SECRET; not shown)")}`,
    );
}

function compareMembers(before: object, after: object, path: string, isTouched: Touched, found: Found): void {
  const [olds, news] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const list = Array.isArray(before) || Array.isArray(after);
  for (const key of new Set([...Object.keys(olds), ...Object.keys(news)])) {
    if (key === "__defaults") continue;
    compare(olds[key], news[key], list ? `${path}[${key}]` : join(path, key), isTouched, found);
  }
}

/** A list of words is compared like a text with one word per line, so that an insertion does not change all that follows. */
function compareLists(before: unknown[], after: unknown[], path: string, found: Found): void {
  const lines = (list: unknown[]) => list.map((item) => `${inWords(item, path)}\n`).join("");
  after.forEach((item, i) => isUnknown(item) && found.unknown.push(`${path}[${i}]`));
  found.texts.push({ path, lines: textDiff(lines(before), lines(after)) });
}

function compareTexts(before: unknown, after: unknown, path: string, found: Found): void {
  const text = (value: unknown) => (typeof value === "string" && !isUnknown(value) ? value : "");
  const lines = textDiff(text(before), text(after));
  const told = isUnknown(after) ? [`+ ${inWords(after, path)}`] : [];
  found.texts.push({ path, lines: [...lines, ...told] });
}

const isText = (value: unknown): value is string => typeof value === "string" && value.includes("\n");
const isWord = (value: unknown) => (typeof value !== "object" || value === null) && !isSecret(value);
const isWords = (value: unknown): value is unknown[] => Array.isArray(value) && value.every(isWord);
const isContainer = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !isUnknown(value) && !isSecret(value);

const PLAIN_KEY = /^[A-Za-z_][\w-]*$/;
const join = (path: string, key: string): string =>
  PLAIN_KEY.test(key) ? (path ? `${path}.${key}` : key) : `${path}[${JSON.stringify(key)}]`;

/** A secret that is not marked as one is a policy violation, and still not shown. */
function isHidden(value: unknown, path: string): boolean {
  const name = keysOf(path)
    .filter((key) => typeof key === "string")
    .at(-1);
  return typeof value === "string" && looksSecret(name ?? "", value);
}

function inWords(value: unknown, path: string): string {
  if (isUnknown(value)) return "(known after the host has answered)";
  if (isSecret(value)) return "(secret)";
  if (isHidden(value, path)) return "(looks like a secret; not shown)";
  return shortValue(JSON.stringify(value));
}

/** As parts of a report: texts by path, and the rest together. */
export function partsOf({ values, texts }: Found): { path: string; lines: string[] }[] {
  return [...(values.length > 0 ? [{ path: "", lines: values.map(shortLine) }] : []), ...texts];
}
