/** Reads a stack.yml in OpenFaaS's own format. Whatever of it is not supported is an error that names the key. */
import * as z from "zod";
import { parseDocument } from "yaml";

/** One function as the provider API takes it. */
export interface FunctionSpec {
  name: string;
  image: string;
  envProcess?: string;
  env: Record<string, string>;
  secrets: string[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  constraints: string[];
  limits?: { memory?: string; cpu?: string };
  requests?: { memory?: string; cpu?: string };
  readOnlyRootFilesystem: boolean;
}

/** How a function's image is built, where it is. */
export interface FunctionBuild {
  /** Folder with a Dockerfile, relative to the stack file. */
  handler: string;
  args: Record<string, string>;
}

/** A function of a stack.yml: what runs, and what it was built from (`lang: dockerfile`). */
export interface StackFunction {
  spec: FunctionSpec;
  build?: FunctionBuild;
}

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const texts = z
  .record(z.string(), text)
  .nullish()
  .transform((value) => value ?? {});
const list = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);
const resources = z.strictObject({ memory: text.optional(), cpu: text.optional() }).optional();

const functionSchema = z.strictObject({
  // How it was built; what runs is the image.
  lang: z.string().optional(),
  handler: z.string().optional(),
  build_args: texts,
  skip_build: z.boolean().optional(),
  image: z.string().min(1, "is required: the image to run"),
  fprocess: z.string().optional(),
  environment: texts,
  secrets: list,
  labels: texts,
  annotations: texts,
  constraints: list,
  limits: resources,
  requests: resources,
  readonly_root_filesystem: z.boolean().default(false),
});

const stackSchema = z.strictObject({
  version: text.optional(),
  provider: z.strictObject({ name: z.literal("openfaas"), gateway: z.string().optional() }),
  functions: z.record(
    z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be lower-case letters, digits and dashes"),
    functionSchema,
  ),
});

export class StackFileError extends Error {
  constructor(
    file: string,
    readonly problems: string[],
  ) {
    super(
      `${file}: ${problems.length === 1 ? "one error" : `${problems.length} errors`}\n` +
        problems.map((p) => `  ${p}`).join("\n"),
    );
    this.name = "StackFileError";
  }
}

/**
 * @param source the file's text
 * @param file its name, for messages
 * @param variables what `${NAME}` and `${NAME:-default}` stand for
 * @throws StackFileError naming every problem with its path
 */
export function parseStack(
  source: string,
  file: string,
  variables: Record<string, string | undefined> = {},
): StackFunction[] {
  const missing = new Set<string>();
  const document = parseDocument(substitute(source, variables, missing), { uniqueKeys: true });
  const problems = [
    ...document.errors.map((error) => error.message.split("\n")[0]!.replace(/:$/, "")),
    ...[...missing].map((name) => `\${${name}}: has no value and no default; write \${${name}:-default}`),
  ];
  if (problems.length > 0) throw new StackFileError(file, problems);
  const result = stackSchema.safeParse(document.toJS());
  if (!result.success) throw new StackFileError(file, result.error.issues.flatMap(describe));
  return Object.entries(result.data.functions).map(([name, spec]) => ({
    spec: toSpec(name, spec),
    build: toBuild(spec),
  }));
}

function describe(issue: z.core.$ZodIssue): string[] {
  const at = issue.path.map(String);
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => `${[...at, key].join(".")}: is not supported`);
  return [`${at.join(".") || "the file"}: ${issue.message}`];
}

function substitute(
  source: string,
  variables: Record<string, string | undefined>,
  missing: Set<string>,
): string {
  return source.replace(
    /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g,
    (_match, name: string, fallback?: string) => {
      const value = variables[name] || fallback;
      if (value === undefined) missing.add(name);
      return value ?? "";
    },
  );
}

function toSpec(name: string, spec: z.infer<typeof functionSchema>): FunctionSpec {
  return {
    name,
    image: spec.image,
    envProcess: spec.fprocess,
    env: spec.environment,
    secrets: spec.secrets,
    labels: spec.labels,
    annotations: spec.annotations,
    constraints: spec.constraints,
    limits: spec.limits,
    requests: spec.requests,
    readOnlyRootFilesystem: spec.readonly_root_filesystem,
  };
}

function toBuild(spec: z.infer<typeof functionSchema>): FunctionBuild | undefined {
  if (spec.skip_build || spec.lang?.toLowerCase() !== "dockerfile" || !spec.handler) return undefined;
  return { handler: spec.handler, args: spec.build_args };
}
