/** A deployment as OpenFaaS's clients send it, checked whole: every problem at once, each with its field. */
import * as z from "zod";
import { functionProblems } from "../../../shared/functionSpec";
import { invalid } from "./errors";

export {
  ANNOTATION_PREFIX,
  DEFAULT_SCALE_MAX,
  FUNCTION_LABEL,
  LEGACY_LABEL,
  RESOURCE_PREFIX,
  SCALE_MAX,
  SCALE_MIN,
  SCALE_ZERO_DURATION,
  scalesToZero,
} from "../../../shared/labels";

/** Clients written in Go send null for nothing. */
const texts = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});
const list = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);
const resources = z
  .object({ memory: z.string().nullish(), cpu: z.string().nullish() })
  .nullish()
  .transform((value) => ({ memory: value?.memory || undefined, cpu: value?.cpu || undefined }));

/** The types alone: what the values may be is the core's to say. Fields of other versions of OpenFaaS are let through. */
const shape = z.object({
  service: z.string(),
  image: z.string(),
  namespace: z.string().nullish(),
  network: z.string().nullish(),
  envProcess: z.string().nullish(),
  envVars: texts,
  constraints: list,
  secrets: list,
  labels: texts,
  annotations: texts,
  limits: resources,
  requests: resources,
  readOnlyRootFilesystem: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
  registryAuth: z.string().nullish(),
});

export type Deployment = z.infer<typeof shape>;

/** What the core calls otherwise. */
const FIELDS: Readonly<Record<string, string>> = { name: "service", env: "envVars" };

/**
 * @param body what the client sent
 * @param network the functions' network, the one namespace there is
 * @throws ApiError 400 naming every field that is wrong
 */
export function parseDeployment(body: unknown, network: string): Deployment {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalid(["the request's body must be a JSON object"]);
  const found = [
    ...placeProblems(body as Record<string, unknown>, network),
    ...functionProblems(coreOf(body as Record<string, unknown>)).map(
      ({ path: [field, ...rest], message }) => [
        path([FIELDS[String(field)] ?? String(field), ...rest]),
        message,
      ],
    ),
  ];
  const { data, error } = shape.safeParse(body);
  // The core has judged these, and better.
  const others = (error?.issues ?? [])
    .map((issue) => [path(issue.path), issue.message])
    .filter(([at]) => !found.some(([known]) => known === at));
  const problems = [...found, ...others].map(([at, message]) => `${at}: ${message}`);
  if (problems.length > 0) throw invalid(problems);
  return data!;
}

/** In the core's words, without what says nothing. */
function coreOf(body: Record<string, unknown>) {
  const { service, image, envVars, envProcess, secrets, labels, annotations, constraints } = body;
  return {
    name: service,
    image,
    env: envVars ?? undefined,
    envProcess: envProcess || undefined,
    secrets: secrets ?? undefined,
    labels: labels ?? undefined,
    annotations: annotations ?? undefined,
    constraints: constraints ?? undefined,
    limits: amounts(body.limits),
    requests: amounts(body.requests),
    readOnlyRootFilesystem: body.readOnlyRootFilesystem ?? undefined,
  };
}

function amounts(given: unknown): unknown {
  if (typeof given !== "object" || given === null) return given ?? undefined;
  const { memory, cpu } = given as Record<string, unknown>;
  return { ...(memory ? { memory } : {}), ...(cpu ? { cpu } : {}) };
}

function path(parts: PropertyKey[]): string {
  return parts.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part),
    "",
  );
}

/** The network that OpenFaaS's own stack for Swarm has. Old clients and files name it, and mean the functions' network. */
const UPSTREAM_NETWORK = "func_functions";

function placeProblems(it: Record<string, unknown>, network: string): string[][] {
  return (["namespace", "network"] as const)
    .filter((key) => it[key] && it[key] !== network && !(key === "network" && it[key] === UPSTREAM_NETWORK))
    .map((key) => [key, `there is only ${network}; leave it out`]);
}
