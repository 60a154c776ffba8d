/** What differs between two values of a resource's inputs, as lines of a diff; a secret is never among them. */
import { shortLine, shortValue, textDiff } from "./textDiff";
import { keysOf } from "./paper/settle";
import { isSecret, isUnknown, looksSecret } from "../../shared/propertyValues";

export interface Found {
  /** One line a value, with its path. */
  values: string[];
  /** The lines of a text or of a list, by its path. */
  texts: { path: string; lines: string[] }[];
  /** Paths of values that only the host will tell. */
  unknown: string[];
  /** A secret is among what differs: of two that do, nobody sees whether they are the same. */
  secret: boolean;
}

/** True for a path at or below which the plugin sees a difference; of a secret that is all there is to see. */
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
  // Two lists with a secret in them look the same whatever the secret is.
  if (same && !(isContainer(after) && isTouched(path))) return;
  if ((isText(before) || isText(after)) && !isHidden(before, path) && !isHidden(after, path))
    return compareTexts(before, after, path, found);
  if (!same && isWords(before) && isWords(after)) return compareLists(before, after, path, found);
  const opens = (value: unknown) => value === undefined || isContainer(value);
  if (opens(before) && opens(after)) return compareMembers(before ?? {}, after ?? {}, path, isTouched, found);
  tell("-", path, before, found);
  tell("+", path, after, found);
}

function tell(sign: string, path: string, value: unknown, found: Found): void {
  if (value !== undefined) found.values.push(`${sign} ${path}: ${inWords(value, path)}`);
}

/** Where one side says that it is a secret, the other side's value is one as well, whatever its mark. */
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
      `+ ${path}: ${both ? "(another secret)" : words(after, "(NOT MARKED AS A SECRET ANY MORE; not shown)")}`,
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

/** A list of words reads like a text of one word a line: what was put in between does not change all that follows. */
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

/** Nobody marked it as a secret, so the policies say what is wrong; that is no reason to spread it. */
function isHidden(value: unknown, path: string): boolean {
  const name = keysOf(path)
    .filter((key) => typeof key === "string")
    .at(-1);
  return typeof value === "string" && looksSecret(name ?? "", value);
}

function inWords(value: unknown, path: string): string {
  if (isUnknown(value)) return "(known when the host has answered)";
  if (isSecret(value)) return "(secret)";
  if (isHidden(value, path)) return "(looks like a secret; not shown)";
  return shortValue(JSON.stringify(value));
}

/** As parts of a report: what has a path of its own apart from the rest. */
export function partsOf({ values, texts }: Found): { path: string; lines: string[] }[] {
  return [...(values.length > 0 ? [{ path: "", lines: values.map(shortLine) }] : []), ...texts];
}
