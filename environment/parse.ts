/** Turns plain values into an Environment. An error names every mistake with its path. */
import { describe, at, type Masks, type Problem, problem } from "./describe";
import { readBase } from "./layers";
import type { Get } from "./rule";
import { RULES } from "./rules";
import { type Environment, environmentSchema, SECRET_KEYS } from "./schema";
import { shapeAt } from "./shape";

export class EnvironmentError extends Error {
  /** One line for each mistake. */
  readonly problems: string[];

  constructor(
    problems: string[],
    /** The same, with their paths. Problems found before parsing have an empty path. */
    readonly details: Problem[] = problems.map((text) => ({ path: [], text })),
  ) {
    super(
      `${problems.length === 1 ? "one error" : `${problems.length} errors`}\n` +
        problems.map((p) => `  ${p}`).join("\n"),
    );
    this.name = "EnvironmentError";
    this.problems = problems;
  }
}

export interface ParseOptions {
  /** The project's folder. Default: the working directory, which the engine sets to it. */
  root?: string;
  /** Top-level keys with a secret inside, whose values are not shown. Default: none. */
  secret?: ReadonlySet<string>;
  /** Secret keys that are set. Default: unknown, so rules about them are not checked. */
  secrets?: readonly string[];
}

/**
 * @param raw the top-level keys of an environment, without the namespace
 * @param problems found before, to be reported together with what is found here
 * @throws EnvironmentError
 */
export function parseEnvironment(
  raw: Record<string, unknown>,
  problems: (string | Problem)[] = [],
  options: ParseOptions = {},
): Environment {
  const before = problems.map((p) => (typeof p === "string" ? { path: [], text: p } : p));
  // A secret file name is refused without trying to read it.
  const base = readBase(options.secret?.has("extends") ? undefined : raw.extends, options.root);
  const masks = { secret: options.secret ?? new Set<string>() };
  const { environment, problems: found } = judge(base.merge(raw), masks, options.secrets);
  const all = unique([...before, ...base.problems, ...found.filter((p) => !covered(p, before))]);
  if (all.length > 0)
    throw new EnvironmentError(
      all.map((p) => p.text),
      all,
    );
  return environment!;
}

/** Problems of complete values. */
export function judge(
  raw: Record<string, unknown>,
  masks: Masks = { secret: new Set() },
  secrets?: readonly string[],
): { environment?: Environment; problems: Problem[] } {
  const result = environmentSchema.safeParse(raw);
  const issues = result.success ? [] : result.error.issues.flatMap((issue) => describe(issue, raw, masks));
  return {
    environment: result.data,
    problems: [...issues, ...disagreements(raw, reader(raw, secrets), masks)],
  };
}

/** Where values that are right by themselves do not go together. @param get what rules see of them */
function disagreements(raw: unknown, get: Get, masks: Masks): Problem[] {
  return RULES.flatMap((rule) => rule.check(get)).map((violation) => ({
    ...problem(violation.path.split("."), violation.message, defaulted(raw, violation.path), masks),
    others: violation.others?.map((path) => path.split(".")),
  }));
}

/**
 * The same for some keys of an environment, those of one component.
 *
 * @param given paths that the component has arguments for; a rule that is about others is not its affair
 */
export function disagreementsIn(
  raw: unknown,
  given: readonly string[],
  secrets: readonly string[] = [],
): Problem[] {
  const read = reader(raw, secrets);
  const isGiven = (path: string) =>
    Object.hasOwn(SECRET_KEYS, path) || given.some((key) => path === key || path.startsWith(`${key}.`));
  const get: Get = (path) => (isGiven(path.replace(/\?$|\.length$/, "")) ? read(path) : undefined);
  return disagreements(raw, get, { secret: new Set() });
}

/** Rules read each value separately, so that a file with other mistakes is checked too. */
function reader(raw: unknown, secrets?: readonly string[]): Get {
  return <T>(path: string): T | undefined => {
    if (path.endsWith("?")) {
      const written = path.slice(0, -1);
      if (!Object.hasOwn(SECRET_KEYS, written)) return kind(at(raw, written.split("."))) as T;
      return (secrets ? secrets.includes(written) && "secret" : "unknown") as T;
    }
    const keys = path.split(".");
    if (keys.at(-1) === "length") {
      const list = at(raw, keys.slice(0, -1));
      return (Array.isArray(list) ? list.length : 0) as T;
    }
    const value = at(raw, keys);
    // Defaults inside an optional mapping count only if the mapping is written.
    const parent = at(raw, keys.slice(0, -1));
    if (value === undefined && parent === undefined && isOptional(keys.slice(0, -1))) return undefined;
    const parsed = shapeAt(keys)?.safeParse(value);
    return parsed?.success ? (parsed.data as T) : undefined;
  };
}

function kind(value: unknown): "mapping" | "list" | "value" | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return "list";
  return typeof value === "object" && value !== null ? "mapping" : "value";
}

const isOptional = (path: string[]) => path.length > 0 && shapeAt(path)?.def.type === "optional";

/** If a default breaks the rule, show the default. */
function defaulted(raw: unknown, path: string): unknown {
  const keys = path.split(".");
  if (at(raw, keys) !== undefined) return raw;
  const value = reader(raw)(path);
  return keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}

/** Drops problems inside of a value that was refused as a whole. */
const covered = (found: Problem, before: Problem[]) =>
  before.some((p) => p.covers && p.path.every((key, i) => found.path[i] === key));

/** Compares paths too, because two long keys may look the same when shortened. */
function unique(problems: Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ path, text }) => {
    const key = JSON.stringify([path, text]);
    return !seen.has(key) && seen.add(key);
  });
}
