/**
 * Completes the outputs of a creation on paper. Values that only a host knows are left blank. The plugin itself decides the type of the
 * blank: the state is settled when the plugin sees no difference between it and its inputs.
 */
import { isUnknown } from "../../../shared/propertyValues";

type Values = Record<string, unknown>;

/** Paths (`taskSpec.containerSpec.env`) that the plugin would change in a resource with these outputs. Throws for outputs it cannot read. */
export type Compare = (outputs: Values) => Promise<string[]>;

const BLANKS: readonly unknown[] = ["", {}, [], 0, false];

/** Does not throw for what cannot be settled: it shows as a change later. */
export async function settle(planned: Values, compare: Compare): Promise<Values> {
  let settled = withoutUnknowns(planned) as Values;
  let open = await differences(compare, settled);
  if (!open) return settled;
  for (const blank of BLANKS) {
    if (open.length === 0) break;
    settled = await tryBlank(settled, open, blank, compare);
    open = (await differences(compare, settled)) ?? open;
  }
  return settled;
}

/** All at once; if the plugin cannot read the result, one at a time, keeping those that it accepts. */
async function tryBlank(before: Values, open: string[], blank: unknown, compare: Compare): Promise<Values> {
  const all = open.reduce((values, path) => withBlank(values, path, blank), before);
  const left = await differences(compare, all);
  if (left)
    return left.filter((path) => open.includes(path)).reduce((v, path) => withBlank(v, path, undefined), all);
  let settled = before;
  for (const path of open) {
    const one = withBlank(settled, path, blank);
    const still = await differences(compare, one);
    if (still && !still.includes(path)) settled = one;
  }
  return settled;
}

async function differences(compare: Compare, outputs: Values): Promise<string[] | undefined> {
  try {
    return await compare(outputs);
  } catch {
    return undefined;
  }
}

/** Fills only gaps and earlier blanks, never what the plugin knows. */
function withBlank(values: Values, path: string, blank: unknown): Values {
  return set(values, keysOf(path), blank) as Values;
}

function set(value: unknown, [key, ...rest]: (string | number)[], blank: unknown): unknown {
  if (key === undefined) return isBlank(value) ? blank : value;
  if (typeof key === "number") {
    if (!Array.isArray(value) || key >= value.length) return value;
    return (value as unknown[]).map((item, index) => (index === key ? set(item, rest, blank) : item));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return { ...value, [key]: set((value as Values)[key], rest, blank) };
}

const isBlank = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  BLANKS.some((blank) => JSON.stringify(blank) === JSON.stringify(value));

/** `a.b[0].c` and `a["b.c"]` → ["a", "b", 0, "c"], ["a", "b.c"]. */
export function keysOf(path: string): (string | number)[] {
  const parts = path.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g);
  return [...parts].map(([, index, quoted, plain]) =>
    index !== undefined ? Number(index) : (quoted ?? plain)!,
  );
}

function withoutUnknowns(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !isUnknown(item)).map(withoutUnknowns);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => !isUnknown(inner))
      .map(([key, inner]) => [key, withoutUnknowns(inner)]),
  );
}
