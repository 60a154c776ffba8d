/** Looks up paths and names in the schema. Only errors, documentation and the command line need it. */
import type * as z from "zod";
import { environmentSchema, SECRET_KEYS } from "./schema";

/** The members of zod's schemas that are read here. */
export interface Shape {
  def: { type: string; innerType?: Shape };
  shape?: Record<string, Shape>;
  element?: Shape;
  safeParse: z.ZodType["safeParse"];
}

/** Removes defaults and optionals. */
export function unwrap(schema: Shape | undefined): Shape | undefined {
  let inner = schema;
  while (inner?.def.innerType) inner = inner.def.innerType;
  return inner;
}

/** The schema at a path, with its default, or undefined. */
export function shapeAt(path: readonly string[]): Shape | undefined {
  let schema: Shape | undefined = environmentSchema;
  for (const key of path) {
    const outer = unwrap(schema);
    if (outer?.element) schema = /^\d+$/.test(key) ? outer.element : undefined;
    else schema = outer?.shape && Object.hasOwn(outer.shape, key) ? outer.shape[key] : undefined;
  }
  return schema;
}

/** Names allowed at a path; at the top level also those of secrets. */
export function keysAt(path: readonly string[]): string[] {
  const own = Object.keys(unwrap(shapeAt(path))?.shape ?? {});
  return path.length === 0 ? [...own, ...Object.keys(SECRET_KEYS)] : own;
}

/** Every path outside of lists with a key of that name, such as "nginx.keepalive". */
export function placesOf(name: string): string[] {
  const found: string[] = [];
  const walk = (path: string[]) => {
    for (const key of keysAt(path)) {
      if (key === name) found.push([...path, key].join("."));
      walk([...path, key]);
    }
  };
  walk([]);
  return found;
}
