/** Makes error messages: the path, the value, what is allowed, and a similar name if there is one. */
import type * as z from "zod";
import { clean, pathName, shortened } from "./legible";
import { nearest } from "./nearest";
import { keysAt, placesOf, shapeAt, unwrap } from "./shape";
import { withoutSecrets } from "./url";

export interface Problem {
  /** Path below the environment, such as ["nginx", "keepalive"]; empty for the file as a whole. */
  path: string[];
  /** The whole line, path and value included. */
  text: string;
  /** Suppresses other problems of this path and of what is below it. Default: false. */
  covers?: boolean;
  /** The file with the problem, if the same path is right in another file. Default: any. */
  file?: string;
  /** Other paths of the problem, for when `path` itself is not written. Default: none. */
  others?: string[][];
}

export interface Masks {
  /** Top-level keys with a secret inside. None of their values is shown. */
  secret: ReadonlySet<string>;
}

const LIMIT = 80;
const SECRET_NAME = /passw|secret|token|credential|private_?key$|api_?key/i;

/** A value for a message. Large values are named by their kind, and possible secrets are not shown. */
export function shown(value: unknown): string {
  if (value === undefined) return "is missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a mapping";
  if (typeof value === "string") {
    if (/-----BEGIN|PRIVATE KEY/.test(value)) return "[a private key, not shown]";
    const open = withoutSecrets(value.replace(/\/\/[^/@\s]*@/, "//[hidden]@"));
    return clean(shortened(JSON.stringify(open), LIMIT));
  }
  return JSON.stringify(value);
}

export function at(value: unknown, path: readonly string[]): unknown {
  let inner = value;
  for (const key of path)
    inner =
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<string, unknown>)[key]
        : undefined;
  return inner;
}

export function problem(path: string[], message: string, raw: unknown, masks?: Masks): Problem {
  const hidden = path.length > 0 && masks?.secret.has(path[0]!);
  const value = at(raw, path);
  const text = hidden && value !== undefined ? "[secret]" : shown(value);
  return { path, text: `${pathName(path)}: ${text}: ${message}` };
}

/** Turns zod's issue into problems. One issue may be several unknown keys. */
export function describe(issue: z.core.$ZodIssue, raw: unknown, masks: Masks): Problem[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey([...path, key]));
  // A guess is derived from the value, and so as secret as the value.
  const hidden = path.length > 0 && masks.secret.has(path[0]!);
  return [problem(path, message(issue, path, raw, !hidden), raw, masks)];
}

function message(issue: z.core.$ZodIssue, path: string[], raw: unknown, guess: boolean): string {
  const value = at(raw, path);
  if (issue.code === "invalid_key") return issue.issues[0]?.message ?? "is not allowed as a name";
  if (issue.code === "invalid_type" && issue.expected === "object") {
    const keys = keysAt(path);
    const empty = value === null || value === "";
    const what = `must be a mapping, with keys such as ${keys.slice(0, 4).join(", ")}`;
    return empty ? `${what}; or remove ${pathName(path)}` : what;
  }
  return `${issue.message}${value === undefined || !guess ? "" : hint(issue, value, path)}`;
}

/** A guess at what was meant. */
function hint(issue: z.core.$ZodIssue, value: unknown, path: string[]): string {
  const { accepts, meant } = guesses(path);
  if (issue.code === "invalid_value" && typeof value === "string") {
    const guess = nearest(value, issue.values.map(String));
    return guess ? `; did you mean ${JSON.stringify(guess)}?` : "";
  }
  const found = meant(value).find(accepts);
  return found === undefined ? "" : `; did you mean ${JSON.stringify(found)}?`;
}

function guesses(path: string[]) {
  const schema = shapeAt(path);
  return {
    accepts: (value: unknown) => schema?.safeParse(value).success ?? false,
    meant: (value: unknown): unknown[] => {
      if (typeof value === "number") return [`${value}`, `${value}s`, `${value}m`];
      if (Array.isArray(value) && value.length === 1) return typeof value[0] === "object" ? [] : [value[0]];
      if (typeof value === "boolean") return value ? [] : ["NO"];
      if (typeof value !== "string" || value === "") return [];
      const trimmed = value.trim();
      const number = /^\d{1,15}$/.test(trimmed) ? [Number(trimmed), `${trimmed}s`] : [];
      const words = /^(yes|on|true)$/i.test(trimmed)
        ? [true]
        : /^(no|off|false)$/i.test(trimmed)
          ? [false]
          : [];
      const lists = unwrap(schema)?.def.type === "array" && !/[:{}]/.test(value) ? [[value]] : [];
      return [...number, ...words, ...lists, trimmed, trimmed.toLowerCase(), trimmed.toUpperCase()].filter(
        (guess) => guess !== value,
      );
    },
  };
}

/** An unknown key, with a guess: a similar key beside it, or the same key elsewhere. */
export function unknownKey(path: string[]): Problem {
  const name = path.at(-1)!;
  const parent = path.slice(0, -1);
  const parts = name.split(".");
  // `pulumi config set nginx.keepalive 99` writes this.
  if (parent.length === 0 && parts.length > 1 && shapeAt(parts))
    return {
      path,
      text: `${pathName(path)}: unknown; it is not read as a path: write ${parts.slice(1).join(": ")} under ${parts[0]}, or set it with pulumi config set --path ${name}`,
    };
  const known = keysAt(parent);
  const beside = nearest(name, known);
  const guess = beside ? [pathName([...parent, beside])] : placesOf(name).slice(0, 3);
  const secret = SECRET_NAME.test(name)
    ? "; if it is a secret: secrets are top-level keys of their own, set with pulumi config set --secret KEY"
    : "";
  const rest =
    guess.length > 0
      ? `, did you mean ${guess.join(" or ")}?`
      : `; known here: ${known.join(", ") || "nothing"}`;
  return { path, text: `${pathName(path)}: unknown${rest}${secret}` };
}
