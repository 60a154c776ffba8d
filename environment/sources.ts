/** Finds where a value comes from: the environment's own file, the base, or the default. Used in errors and by `env show`. */
import type { Problem } from "./describe";
import { at } from "./describe";
import { clean } from "./legible";
import type { StackFile } from "./stackfile";

export interface Source {
  file: string;
  line: number;
}

/** @param layers the environment's own file first, then its base */
export function sourceOf(path: readonly string[], layers: readonly StackFile[]): Source | undefined {
  for (const layer of layers) {
    const line = layer.line(path);
    if (line !== undefined) return { file: layer.file, line };
  }
  return undefined;
}

/**
 * Each problem's line, with a place in parentheses: of the value; of what it disagrees with, if the value is a default; or of the
 * nearest mapping around it, if the value is missing.
 */
export function located(problems: readonly Problem[], layers: readonly StackFile[]): string[] {
  return problems.map(({ path, text, file, others = [] }) => {
    const own = layers.filter((layer) => file === undefined || layer.file === file);
    const around = path.map((_, i) => path.slice(0, path.length - i));
    for (const place of [path, ...others, ...around]) {
      const source = place.length > 0 ? sourceOf(place, own) : undefined;
      if (source) return `${text} (${clean(source.file)}:${source.line})`;
    }
    return text;
  });
}

/** False if the engine read another file than the one on disk (`--config-file`), whose lines would mislead. */
export function isOrigin(file: StackFile, values: Record<string, unknown>): boolean {
  return Object.entries(values).every(([key, value]) => same(at(file.values, [key]), value));
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .map(([key, inner]): [string, unknown] => [key, sorted(inner)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
