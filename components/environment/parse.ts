/** From plain values to an Environment, or to one error that names every mistake with its path. */
import type { z } from "zod";
import { nearest } from "./nearest";
import { type Environment, environmentSchema } from "./schema";

export class EnvironmentError extends Error {
  constructor(readonly problems: string[]) {
    super(
      `${problems.length === 1 ? "one error" : `${problems.length} errors`}\n` +
        problems.map((p) => `  ${p}`).join("\n"),
    );
    this.name = "EnvironmentError";
  }
}

/**
 * @param raw the top-level keys of an environment, without the namespace
 * @param problems found before, to be reported together with what is found here
 * @throws EnvironmentError
 */
export function parseEnvironment(raw: Record<string, unknown>, problems: string[] = []): Environment {
  const result = environmentSchema.safeParse(raw);
  const all = [
    ...problems,
    ...(result.success ? [] : result.error.issues.flatMap((issue) => describe(issue, raw))),
  ];
  if (all.length > 0) throw new EnvironmentError(all);
  return result.data!;
}

function describe(issue: z.core.$ZodIssue, raw: unknown): string[] {
  const at = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(issue.path);
    return issue.keys.map((key) => {
      const guess = nearest(key, known);
      const where = [...at, key].join(".");
      return guess
        ? `${where}: unknown, did you mean ${[...at, guess].join(".")}?`
        : `${where}: unknown; known here: ${known.join(", ")}`;
    });
  }
  const value = issue.path.reduce<any>((v, key) => v?.[key as string], raw);
  const shown = value === undefined ? "is missing" : JSON.stringify(value).slice(0, 80);
  return [`${at.join(".")}: ${shown}: ${issue.message}`];
}

/** Names of the properties of the object schema at a path, seen through defaults, optionals and lists. */
function keysAt(path: readonly PropertyKey[]): string[] {
  let schema: any = unwrap(environmentSchema);
  for (const key of path)
    schema = unwrap(typeof key === "number" ? schema.element : schema.shape?.[key as string]);
  return Object.keys(schema?.shape ?? {});
}

function unwrap(schema: any): any {
  let inner = schema;
  while (inner?.def?.innerType) inner = inner.def.innerType;
  return inner;
}
