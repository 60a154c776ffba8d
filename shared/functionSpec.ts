/**
 * The core of a function: what it is, in the words of the provider `openfaas`. A stack.yml, the resource of that provider and a
 * deployment at the Swarm provider are this with other names, so that what one of them takes the others take too.
 */
import * as z from "zod";
import { accessProblems } from "./access";
import { constraintProblem } from "./constraint";
import { healthProblems } from "./health";
import { parseImage } from "./image";
import { annotationProblems, labelProblems, type Wrong } from "./labels";
import { functionNameProblem, SECRET_NAME, VARIABLE_NAME } from "./names";
import { parseCpu, parseMemory } from "./size";
import { triggerProblems } from "./triggers";

const TEXT = "must be text; quote it";

/** A text of which `judge` says what is wrong. */
const judged = (judge: (value: string) => string | undefined, missing = TEXT) =>
  z.string(missing).superRefine((value, issues) => {
    const message = judge(value);
    if (message !== undefined) issues.addIssue({ code: "custom", message });
  });

/** Texts by name, of which `judge` says what is wrong. */
const texts = (judge: (value: Record<string, string>) => Wrong[]) =>
  z.record(z.string(), z.string(TEXT), "must be names with texts").superRefine((value, issues) => {
    for (const [name, message] of judge(value)) issues.addIssue({ code: "custom", path: [name], message });
  });

/** A process has neither a name nor a value with a NUL in it. */
const withoutNul = (value: string) => (value.includes("\0") ? "has a NUL character in it" : undefined);

function variableProblems(env: Record<string, string>): Wrong[] {
  return Object.entries(env).flatMap(([name, value]): Wrong[] => {
    const problem = VARIABLE_NAME.form.test(name) ? withoutNul(value) : VARIABLE_NAME.phrase;
    return problem === undefined ? [] : [[name, problem]];
  });
}

function imageProblem(text: string): string | undefined {
  try {
    parseImage(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const amount = (parse: (text: string) => number | undefined, example: string) =>
  judged((text) => (parse(text) === undefined ? `"${text}" is not an amount such as ${example}` : undefined));

const resources = z
  .strictObject({
    memory: amount(parseMemory, "64Mi, 128m or 67108864").optional().describe('Memory. Example: "128Mi".'),
    cpu: amount(parseCpu, "100m, 0.5 or 2")
      .optional()
      .describe('Share of a CPU. Example: "100m" (a tenth) or "0.5".'),
  })
  .meta({ id: "FunctionResources", description: "Memory and CPU of a replica." });

const secrets = z
  .array(judged((name) => (SECRET_NAME.form.test(name) ? undefined : `"${name}" ${SECRET_NAME.phrase}`)))
  .superRefine((names, issues) =>
    names.forEach((name, at) => {
      if (names.indexOf(name) < at)
        issues.addIssue({ code: "custom", path: [at], message: `${name} is given twice` });
    }),
  );

/** Without the rules between its parts: those are `acrossFunction`, since a schema with rules cannot be extended. */
export const functionCore = z.strictObject({
  name: judged(functionNameProblem, "is required: the function's name").describe(
    'Name of the function. Example: "resize-image".',
  ),
  image: judged(imageProblem, "is required: the image to run").describe(
    'Image, by digest if it must not change behind the program\'s back. Example: "registry/name:tag@sha256:…".',
  ),
  env: texts(variableProblems).default({}).describe("Environment variables; secrets belong in `secrets`."),
  envProcess: judged(withoutNul).optional().describe("What the watchdog runs. Default: what the image says."),
  secrets: secrets.default([]).describe("Names of existing secrets, mounted under /var/openfaas/secrets."),
  labels: texts((labels) => labelProblems(labels))
    .default({})
    .describe(
      'Labels. com.openfaas.scale.min and .max are the bounds of the autoscaler (default 1 and 20); with .factor "0" the lower bound is also the upper one.',
    ),
  annotations: texts((all) =>
    [annotationProblems, healthProblems, accessProblems, triggerProblems].flatMap((problems) =>
      problems(all),
    ),
  )
    .default({})
    .describe(
      "Annotations. com.oslo-faas.access says who may call the function from outside: public, internal, token or networks.",
    ),
  constraints: z
    .array(judged(constraintProblem))
    .default([])
    .describe('Constraints on the nodes that replicas run on. Example: ["node.role==worker"].'),
  limits: resources.optional().describe("The most that a replica may use. Default: no limit."),
  requests: resources.optional().describe("What is reserved for a replica. Default: nothing."),
  readOnlyRootFilesystem: z
    .boolean("must be true or false")
    .default(false)
    .describe("The file system of a replica is read-only but for /tmp."),
});
export type FunctionCore = z.infer<typeof functionCore>;

export interface FunctionProblem {
  path: PropertyKey[];
  message: string;
}

/** The rules between the parts of a function, as far as they are there. */
export function acrossFunction(it: Partial<FunctionCore>): FunctionProblem[] {
  const problems: FunctionProblem[] = [];
  const own = labelProblems(it.labels ?? {});
  for (const [label, message] of labelProblems(it.labels ?? {}, it.name))
    if (!own.some(([known]) => known === label)) problems.push({ path: ["labels", label], message });
  if (it.envProcess && it.env?.fprocess !== undefined)
    problems.push({
      path: ["env", "fprocess"],
      message: "is what the function's process sets; give one of them",
    });
  return [...problems, ...requestsAboveLimits(it)];
}

function requestsAboveLimits(it: Partial<FunctionCore>): FunctionProblem[] {
  const problems: FunctionProblem[] = [];
  for (const [what, parse] of [
    ["memory", parseMemory],
    ["cpu", parseCpu],
  ] as const) {
    const [limit, request] = [it.limits?.[what], it.requests?.[what]];
    const [most, asked] = [parse(limit ?? ""), parse(request ?? "")];
    // A limit of 0 means no limit.
    if (most && asked !== undefined && asked > most)
      problems.push({ path: ["requests", what], message: `${request} is above limits.${what}, ${limit}` });
  }
  return problems;
}

/** Refines a schema that extends the core, such as `functionCore.extend({ … }).superRefine(acrossFields)`. */
export function acrossFields(it: Partial<FunctionCore>, issues: z.RefinementCtx): void {
  for (const problem of acrossFunction(it)) issues.addIssue({ code: "custom", ...problem });
}

/** Everything wrong with a function at once, also where a part of it is of the wrong type or missing. */
export function functionProblems(
  given: Readonly<Partial<Record<keyof FunctionCore, unknown>>>,
): FunctionProblem[] {
  const right: Record<string, unknown> = {};
  const problems = Object.entries(functionCore.shape).flatMap(([key, part]) => {
    const value = given[key as keyof FunctionCore];
    const { data, error } = part.safeParse(value);
    right[key] = error ? part.safeParse(withoutWrong(value, error.issues)).data : data;
    return (error?.issues ?? []).map(({ path, message }) => ({ path: [key, ...path], message }));
  });
  return [...problems, ...acrossFunction(right)];
}

/** The valid entries of a mapping; empty for anything else. */
export function withoutWrong(value: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  const wrong = new Set(
    issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys : issue.path.slice(0, 1))),
  );
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !wrong.has(key)));
}
