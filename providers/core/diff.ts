/** What changed between two sets of inputs, by property path: this is what `pulumi preview --diff` prints. */
import { formatPath, type Path, Unknown } from "./values";

export type Kind = "add" | "delete" | "update";

export interface Change {
  path: string;
  /** The property of the resource it belongs to. */
  property: string;
  kind: Kind;
}

/** A list is compared by position. Two unknowns are never equal: nobody can tell. */
export function diffInputs(olds: Record<string, any>, news: Record<string, any>): Change[] {
  const changes: Change[] = [];
  compare(olds, news, [], changes);
  return changes;
}

function compare(before: any, after: any, path: Path, changes: Change[]): void {
  if (before === after && !(after instanceof Unknown)) return;
  const add = (kind: Kind): void =>
    void changes.push({ path: formatPath(path), property: String(path[0]), kind });
  if (before === undefined) return add("add");
  if (after === undefined) return add("delete");
  if (!isContainer(before) || !isContainer(after) || Array.isArray(before) !== Array.isArray(after))
    return add("update");
  const keys = Array.isArray(before)
    ? Array.from({ length: Math.max(before.length, after.length) }, (_, index) => index)
    : [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  for (const key of keys) compare(before[key], after[key], [...path, key], changes);
}

function isContainer(value: any): boolean {
  return value !== null && typeof value === "object" && !(value instanceof Unknown);
}
