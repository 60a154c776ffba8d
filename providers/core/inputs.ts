/** Inputs through a schema: every error at once with its property's path, and as far as it goes where values are not known yet. */
import * as z from "zod";
import { at, formatPath, hasUnknown, type Path, Unknown } from "./values";

export interface Failure {
  /** Always "": given a property, the engine prints its value beside the reason, secret or not. The reason names it instead. */
  property: string;
  /** Begins with the property's path. */
  reason: string;
}

export interface Parsed {
  value?: Record<string, any>;
  failures: Failure[];
}

/** With unknown values in it, what is known is checked and gets its defaults, and rules across properties wait until all is known. */
export function parseInputs(schema: z.ZodType<any>, inputs: Record<string, any>, secrets: Path[]): Parsed {
  const issues: Issue[] = [];
  const value = hasUnknown(inputs)
    ? parsePartly(schema, inputs, [], issues)
    : parseWhole(schema, inputs, [], issues);
  return { value, failures: issues.flatMap((issue) => explain(issue, schema, inputs, secrets)) };
}

type Issue = z.core.$ZodIssue & { path: Path };

function parseWhole(schema: z.ZodType<any>, value: any, path: Path, issues: Issue[]): any {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  issues.push(
    ...result.error.issues.map((issue) => ({ ...issue, path: [...path, ...(issue.path as Path)] })),
  );
  return value;
}

function parsePartly(schema: z.ZodType<any> | undefined, value: any, path: Path, issues: Issue[]): any {
  if (value instanceof Unknown || !schema) return value;
  const inner = unwrap(schema);
  if (!hasUnknown(value)) return parseWhole(schema, value, path, issues);
  if (Array.isArray(value)) {
    const element = inner instanceof z.ZodArray ? (inner.element as z.ZodType<any>) : undefined;
    return value.map((item, index) => parsePartly(element, item, [...path, index], issues));
  }
  if (inner instanceof z.ZodObject) return parseObject(inner, value, path, issues);
  const values = inner instanceof z.ZodRecord ? (inner.valueType as z.ZodType<any>) : undefined;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, parsePartly(values, item, [...path, key], issues)]),
  );
}

function parseObject(schema: z.ZodObject<any>, value: Record<string, any>, path: Path, issues: Issue[]): any {
  const shape = schema.shape as Record<string, z.ZodType<any>>;
  const result: Record<string, any> = {};
  for (const [key, property] of Object.entries(shape)) {
    const parsed = parsePartly(property, value[key], [...path, key], issues);
    if (parsed !== undefined) result[key] = parsed;
  }
  const odd = Object.keys(value).filter((key) => !(key in shape));
  if (odd.length > 0) issues.push({ code: "unrecognized_keys", keys: odd, path, message: "", input: value });
  return result;
}

function unwrap(schema: z.ZodType<any>): z.ZodType<any> {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable)
    return unwrap(schema.unwrap() as z.ZodType<any>);
  if (schema instanceof z.ZodPipe) {
    const first = schema.in as z.ZodType<any>;
    return unwrap(first instanceof z.ZodTransform ? (schema.out as z.ZodType<any>) : first);
  }
  return schema;
}

function explain(issue: Issue, schema: z.ZodType<any>, inputs: any, secrets: Path[]): Failure[] {
  if (issue.code === "unrecognized_keys") {
    const allowed = unwrap(schemaAt(schema, issue.path) ?? schema);
    const names =
      allowed instanceof z.ZodObject ? `; there is: ${Object.keys(allowed.shape).sort().join(", ")}` : "";
    return issue.keys.map((key) => ({
      property: "",
      reason: `there is no property ${formatPath([...issue.path, key])}${names}`,
    }));
  }
  const property = formatPath(issue.path);
  const value = at(inputs, issue.path);
  if (value === undefined && issue.code === "invalid_type")
    return [{ property: "", reason: `${property} is required (${issue.expected})` }];
  const hidden = secrets.some((secret) => secret.every((part, index) => issue.path[index] === part));
  const shown =
    hidden || value === undefined || typeof value === "object" ? "" : ` (it is ${shorten(value)})`;
  return [{ property: "", reason: `${property} ${issue.message}${shown}` }];
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function schemaAt(schema: z.ZodType<any>, path: Path): z.ZodType<any> | undefined {
  return path.reduce<z.ZodType<any> | undefined>((current, part) => {
    const inner = current && unwrap(current);
    if (inner instanceof z.ZodObject) return inner.shape[part as string];
    if (inner instanceof z.ZodArray) return inner.element as z.ZodType<any>;
    return inner instanceof z.ZodRecord ? (inner.valueType as z.ZodType<any>) : undefined;
  }, schema);
}
