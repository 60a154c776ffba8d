/** Merges an environment with the file that it extends. */
import * as fs from "node:fs";
import * as path from "node:path";
import { type Problem, shown } from "./describe";
import { clean } from "./legible";
import { bareKeys, readStackFile, type StackFile } from "./stackfile";

type Values = Record<string, unknown>;

export interface Base {
  /** The file, if it can be read. */
  layer?: StackFile;
  problems: Problem[];
  /** Merges `values` over the base's. */
  merge(values: Values): Values;
}

/** Mappings are merged key by key at every depth; lists and other values override the base's. */
export function mergeLayers(below: unknown, above: unknown): unknown {
  if (above === undefined) return below;
  if (!isMapping(below) || !isMapping(above)) return above;
  const merged = new Map(Object.entries(below));
  for (const [key, value] of Object.entries(above)) merged.set(key, mergeLayers(merged.get(key), value));
  return Object.fromEntries(merged);
}

const isMapping = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Lists whose entries may be written as a text, which is the value of one key. A single entry needs no list. */
export const SHORTHANDS: Readonly<Record<string, string>> = { functions: "stack" };

/** Expands the short forms `functions: functions/stack.yml` and `nginx: { tls: auto }`. The schema refuses anything else. */
function spelledOut(values: Values): Values {
  const result = { ...values };
  if (isMapping(result.nginx) && result.nginx.tls === "auto")
    result.nginx = { ...result.nginx, tls: { auto: {} } };
  for (const [key, inner] of Object.entries(SHORTHANDS)) {
    const entry = (value: unknown) => (typeof value === "string" ? { [inner]: value } : value);
    const value = result[key];
    if (typeof value === "string") result[key] = [entry(value)];
    else if (Array.isArray(value)) result[key] = value.map(entry);
  }
  return result;
}

const NOTHING: Base = { problems: [], merge: spelledOut };

/** Reads the base that `extends` names. The schema refuses anything but a text. */
export function readBase(name: unknown, root = "."): Base {
  if (typeof name !== "string" || name === "") return NOTHING;
  let text: string;
  try {
    text = fs.readFileSync(path.resolve(root, name), "utf8");
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === "ENOENT" ? "does not exist" : "cannot be read";
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
    refuse(key, "a secret is encrypted for one environment: set it in each environment, not in the base");
  const { extends: _, ...values } = layer.values;
  return { layer, problems, merge: (own) => mergeLayers(spelledOut(values), spelledOut(own)) as Values };
}
