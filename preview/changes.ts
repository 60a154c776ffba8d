/** From the engine's steps to what a person wants to know of each resource. */
import { nameOf, type ResourceState, type Step } from "./engine";
import { stakesOf } from "./stakes";
import { shortLine, textDiff } from "./textDiff";
import { isSecret, isUnknown } from "./values";

export type Kind = "created" | "changed" | "replaced" | "deleted" | "again";

export interface Change {
  urn: string;
  name: string;
  type: string;
  kind: Kind;
  /** A part each: with a path, the lines of a text; without, one line a value. Lines are those of a diff. */
  parts: { path: string; lines: string[] }[];
  /** What of value is lost, hidden or no longer kept; one sentence each. */
  stakes: string[];
  /** Paths of values that only the host will tell. */
  unknown: string[];
}

const KINDS: Record<string, Kind> = {
  create: "created",
  import: "created",
  update: "changed",
  replace: "replaced",
  delete: "deleted",
};

/** In the order in which a person wants to see them: what is lost first. */
const ORDER: Kind[] = ["deleted", "replaced", "changed", "created", "again"];

export function changesOf(steps: Step[]): Change[] {
  const changes = new Map<string, Change>();
  for (const step of steps) {
    const change = changeOf(step);
    if (change) changes.set(step.urn, change);
  }
  return [...changes.values()].sort(
    (a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || (a.name < b.name ? -1 : 1),
  );
}

function changeOf(step: Step): Change | undefined {
  const state = step.new ?? step.old;
  // Components are folders of resources, and a default provider is the engine's own.
  if (!state?.custom || nameOf(step.urn).startsWith("default_")) return undefined;
  const stakes = stakesOf(step);
  const kind = isAction(step) ? "again" : KINDS[step.op];
  if (!kind && !(step.op === "same" && stakes.length > 0)) return undefined;
  const found: Found = { values: [], texts: [], unknown: [] };
  compare(shown(step.old), shown(step.new), "", touched(step), found);
  if (found.values.length + found.texts.length === 0) compareOutputs(step, found);
  const parts = [
    ...(found.values.length > 0 ? [{ path: "", lines: found.values.map(shortLine) }] : []),
    ...found.texts,
  ];
  return {
    urn: step.urn,
    name: nameOf(step.urn),
    type: step.type,
    kind: kind ?? "changed",
    parts: kind === "again" ? [] : parts,
    stakes,
    unknown: found.unknown,
  };
}

/** What no input says and the plugin sees all the same, as in a refresh of what was changed by hand. */
function compareOutputs(step: Step, found: Found): void {
  const names = new Set(Object.keys(step.detailedDiff ?? {}).map((path) => path.split(/[.[]/)[0]!));
  const some = (state: ResourceState | null | undefined) =>
    Object.fromEntries(Object.entries(state?.outputs ?? {}).filter(([key]) => names.has(key)));
  // Before an update is planned its outputs are empty, which says nothing.
  if (Object.keys(some(step.old)).length > 0 && Object.keys(some(step.new)).length > 0)
    compare(some(step.old), some(step.new), "", touched(step), found);
}

/** A command that is run once more because something else changed is no replacement of anything. */
function isAction({ op, type, detailedDiff }: Step): boolean {
  const paths = Object.keys(detailedDiff ?? {});
  return (
    op === "replace" &&
    /^command:/.test(type) &&
    paths.length > 0 &&
    paths.every((path) => /^triggers\b/.test(path))
  );
}

/** Inputs as a person wrote them. */
function shown(state: ResourceState | null | undefined): unknown {
  const inputs = state?.inputs ?? {};
  const data = inputs.data;
  // The Docker API takes the text of a config as base64.
  if (
    state?.type !== "docker:index/serviceConfig:ServiceConfig" ||
    typeof data !== "string" ||
    isUnknown(data)
  )
    return inputs;
  return { ...inputs, data: Buffer.from(data, "base64").toString("utf8") };
}

/** Paths in which the plugin sees a difference; of a secret that is all there is to see. */
function touched(step: Step): (path: string) => boolean {
  const paths = Object.keys(step.detailedDiff ?? {});
  return (path) =>
    paths.some((one) => one === path || one.startsWith(`${path}.`) || one.startsWith(`${path}[`));
}

interface Found {
  values: string[];
  texts: { path: string; lines: string[] }[];
  unknown: string[];
}

type Touched = (path: string) => boolean;

function compare(before: unknown, after: unknown, path: string, isTouched: Touched, found: Found): void {
  if (isUnknown(after)) found.unknown.push(path);
  if (isSecret(before) && isSecret(after)) {
    if (isTouched(path)) found.values.push(`- ${path}: (secret)`, `+ ${path}: (another secret)`);
    return;
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  if (isText(before) || isText(after)) return compareTexts(before, after, path, found);
  if (isList(before) && isList(after) && [...before, ...after].every(isPlain))
    return compareLists(before, after, path, found);
  if (isContainer(before) || isContainer(after)) {
    if ((before === undefined || isContainer(before)) && (after === undefined || isContainer(after)))
      return compareMembers(before ?? {}, after ?? {}, path, isTouched, found);
  }
  if (before !== undefined) found.values.push(`- ${path}: ${inWords(before)}`);
  if (after !== undefined) found.values.push(`+ ${path}: ${inWords(after)}`);
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
  const lines = (list: unknown[]) => list.map((item) => `${inWords(item)}\n`).join("");
  found.texts.push({ path, lines: textDiff(lines(before), lines(after)) });
}

function compareTexts(before: unknown, after: unknown, path: string, found: Found): void {
  const text = (value: unknown) => (typeof value === "string" && !isUnknown(value) ? value : "");
  const lines = textDiff(text(before), text(after));
  const told = isUnknown(after) ? [`+ ${inWords(after)}`] : isSecret(after) ? ["+ (secret)"] : [];
  found.texts.push({ path, lines: [...lines, ...told] });
}

const isText = (value: unknown): value is string => typeof value === "string" && value.includes("\n");
const isList = (value: unknown): value is unknown[] => Array.isArray(value);
const isPlain = (value: unknown): boolean => typeof value !== "object" || value === null;
const isContainer = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !isUnknown(value) && !isSecret(value);

const PLAIN_KEY = /^[A-Za-z_][\w-]*$/;
const join = (path: string, key: string): string =>
  PLAIN_KEY.test(key) ? (path ? `${path}.${key}` : key) : `${path}[${JSON.stringify(key)}]`;

function inWords(value: unknown): string {
  if (isUnknown(value)) return "(known when the host has answered)";
  if (isSecret(value)) return "(secret)";
  return JSON.stringify(value);
}
