/** An environment's own values over those of the file it extends. */
import * as fs from "node:fs";
import * as path from "node:path";
import { type Problem, shown } from "./describe";
import { clean } from "./legible";
import { bareKeys, readStackFile, type StackFile } from "./stackfile";

type Values = Record<string, unknown>;

export interface Base {
  /** The file, where there is one that can be read. */
  layer?: StackFile;
  problems: Problem[];
  /** These values over the base's. */
  merge(values: Values): Values;
}

/** Mappings are merged key by key, at every depth; a list and any other value replaces what is below it. */
export function mergeLayers(below: unknown, above: unknown): unknown {
  if (above === undefined) return below;
  if (!isMapping(below) || !isMapping(above)) return above;
  const merged = new Map(Object.entries(below));
  for (const [key, value] of Object.entries(above)) merged.set(key, mergeLayers(merged.get(key), value));
  return Object.fromEntries(merged);
}

const isMapping = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Lists whose entries may be a text that stands for one key of them; one such entry needs no list around it. */
export const SHORTHANDS: Readonly<Record<string, string>> = { functions: "stack" };

/** `functions: functions/stack.yml` as what it is short for. What is neither is left to the schema to refuse. */
function spelledOut(values: Values): Values {
  const result = { ...values };
  for (const [key, inner] of Object.entries(SHORTHANDS)) {
    const entry = (value: unknown) => (typeof value === "string" ? { [inner]: value } : value);
    const value = result[key];
    if (typeof value === "string") result[key] = [entry(value)];
    else if (Array.isArray(value)) result[key] = value.map(entry);
  }
  return result;
}

const NOTHING: Base = { problems: [], merge: spelledOut };

/** The base that `extends` names. Anything but a text is left to the schema to refuse. */
export function readBase(name: unknown, root = "."): Base {
  if (typeof name !== "string" || name === "") return NOTHING;
  let text: string;
  try {
    text = fs.readFileSync(path.resolve(root, name), "utf8");
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : "cannot be read";
    return {
      ...NOTHING,
      problems: [{ path: ["extends"], text: `extends: ${shown(name)}: ${reason}` }],
    };
  }
  const layer = readStackFile(text, name);
  const problems: Problem[] = [...layer.problems, ...bareKeys(layer)].map((p) => ({
    ...p,
    file: name,
    text: `${clean(name)}: ${p.text}`,
  }));
  const refuse = (key: string, why: string) =>
    problems.push({ path: [key], file: name, text: `${clean(name)}: ${key}: ${why}`, covers: false });
  if ("extends" in layer.values) refuse("extends", "a base cannot have a base of its own");
  for (const key of layer.secrets)
    refuse(key, "a secret is encrypted for one environment; set it in each, not in the base");
  const { extends: _, ...values } = layer.values;
  return { layer, problems, merge: (own) => spelledOut(mergeLayers(values, own) as Values) };
}
