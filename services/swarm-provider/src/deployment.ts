/** A deployment as OpenFaaS's clients send it, checked whole: every problem at once, each with its field. */
import * as z from "zod";
import { parseDuration } from "../../../shared/duration";
import { invalid } from "./errors";
import { checkHealth } from "./healthcheck";
import { LEAST_NANO_CPUS, parseCpu, parseMemory } from "../../../shared/size";

export const SCALE_MIN = "com.openfaas.scale.min";
export const SCALE_MAX = "com.openfaas.scale.max";
/** By how many per cent of the most replicas an alert scales up; 0 never. */
export const SCALE_FACTOR = "com.openfaas.scale.factor";
/** `true`: the idler may scale the function to zero, and a call to the provider wakes it. */
export const SCALE_ZERO = "com.openfaas.scale.zero";
/** How long nobody must have called it, such as 15m. */
export const SCALE_ZERO_DURATION = "com.openfaas.scale.zero-duration";
/** What the gateway takes for the ceiling of a function that names none. */
export const DEFAULT_SCALE_MAX = 20;
/** On every service that is a function, with the function's name. What does not carry it is none of our business. */
export const FUNCTION_LABEL = "com.openfaas.function";
/** Upstream's older mark of the same. */
export const LEGACY_LABEL = "function";
/** The network that OpenFaaS's own stack for Swarm has. Old clients and files name it, and mean the functions' network. */
const UPSTREAM_NETWORK = "func_functions";
export const ANNOTATION_PREFIX = "com.openfaas.annotations.";
/** Limits and requests as they were written, so that reading back gives the same words. */
export const RESOURCE_PREFIX = "com.openfaas.resources.";

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DOMAIN = "(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\\d+)?/)?";
const PATH = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const IMAGE = new RegExp(`^${DOMAIN}${PATH}(?:/${PATH})*(?::\\w[\\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`);
const CONSTRAINT = /^\s*[a-zA-Z][\w.-]*\s*(==|!=)\s*\S.*$/;
const SECRET = /^[a-zA-Z0-9]([\w.-]{0,62}[a-zA-Z0-9])?$/;

const texts = z
  .record(z.string(), z.string("must be text; quote it"))
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

/** Fields that are not ours are let through: clients of other versions send some. */
const shape = z.object({
  service: z
    .string("is required: the function's name")
    .max(63, "must have at most 63 characters")
    .regex(NAME, "must be lower-case letters, digits and dashes, with a letter or digit at both ends"),
  image: z
    .string("is required: the image to run")
    .regex(IMAGE, "is not an image name such as registry/name:tag"),
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

/**
 * @param body what the client sent
 * @param network the functions' network, the one namespace there is
 * @throws ApiError 400 naming every field that is wrong
 */
export function parseDeployment(body: unknown, network: string): Deployment {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalid(["the request's body must be a JSON object"]);
  const result = shape.safeParse(body);
  const problems = result.success
    ? []
    : result.error.issues.map((issue) => `${path(issue.path)}: ${issue.message}`);
  // What parses on its own is checked further even when another field does not: all errors at once.
  const parts = Object.entries(shape.shape).map(([key, part]) => [
    key,
    part.safeParse(Reflect.get(body, key)).data,
  ]);
  problems.push(...checkValues(Object.fromEntries(parts) as Partial<Deployment>, network));
  if (problems.length > 0) throw invalid(problems);
  return result.data!;
}

function path(parts: PropertyKey[]): string {
  return parts.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part),
    "",
  );
}

function checkValues(it: Partial<Deployment>, network: string): string[] {
  return [
    ...checkPlace(it, network),
    ...Object.keys(it.envVars ?? {})
      .filter((key) => !/^[^=\0\s]+$/.test(key))
      .map((key) => `envVars.${key}: is not a name for a variable`),
    ...(it.envProcess && it.envVars?.fprocess !== undefined
      ? ["envVars.fprocess: is what envProcess sets; give one of them"]
      : []),
    ...(it.constraints ?? []).flatMap((text, at) =>
      CONSTRAINT.test(text)
        ? []
        : [`constraints[${at}]: "${text}" is not like node.role==worker or node.labels.disk!=slow`],
    ),
    ...checkSecrets(it.secrets ?? []),
    ...checkLabels(it),
    ...checkHealth(it.annotations ?? {}),
    ...checkResources(it),
  ];
}

function checkPlace(it: Partial<Deployment>, network: string): string[] {
  return (["namespace", "network"] as const)
    .filter((key) => it[key] && it[key] !== network && !(key === "network" && it[key] === UPSTREAM_NETWORK))
    .map((key) => `${key}: there is only ${network}; leave it out`);
}

function checkSecrets(names: string[]): string[] {
  return names.flatMap((name, at) => {
    if (!SECRET.test(name)) return [`secrets[${at}]: "${name}" is not a name of a secret`];
    return names.indexOf(name) < at ? [`secrets[${at}]: ${name} is there twice`] : [];
  });
}

export function isSecretName(name: string): boolean {
  return SECRET.test(name);
}

function checkLabels({ labels = {}, service }: Partial<Deployment>): string[] {
  const problems: string[] = [];
  for (const key of Object.keys(labels)) {
    const ours =
      (key === FUNCTION_LABEL && labels[key] !== service) ||
      (key === LEGACY_LABEL && labels[key] !== "true") ||
      key.startsWith(ANNOTATION_PREFIX) ||
      key.startsWith(RESOURCE_PREFIX);
    if (ours || key === "") problems.push(`labels.${key}: is the provider's own; choose another`);
  }
  const count = (key: string, least: number, most = Infinity) => {
    const value = Number(labels[key] || least);
    const isRight = /^\d{1,6}$/.test(labels[key] ?? "") && value >= least && value <= most;
    if (labels[key] === undefined || isRight) return value;
    const range = most === Infinity ? `${least} or more` : `from ${least} to ${most}`;
    problems.push(`labels.${key}: "${labels[key]}" must be a whole number, ${range}`);
    return undefined;
  };
  count(SCALE_FACTOR, 0, 100);
  problems.push(...checkZero(labels));
  const min = count(SCALE_MIN, 0);
  const max = count(SCALE_MAX, 1);
  if (labels[SCALE_MIN] && labels[SCALE_MAX] && min! > max!)
    problems.push(`labels.${SCALE_MIN}: ${min} is above ${SCALE_MAX}, ${max}`);
  return problems;
}

export function scalesToZero(labels: Record<string, string> = {}): boolean {
  return labels[SCALE_ZERO] === "true";
}

function checkZero(labels: Record<string, string>): string[] {
  const { [SCALE_ZERO]: zero, [SCALE_ZERO_DURATION]: duration } = labels;
  return [
    ...(zero === undefined || ["true", "false"].includes(zero)
      ? []
      : [`labels.${SCALE_ZERO}: "${zero}" is neither true nor false`]),
    ...(duration === undefined || (parseDuration(duration) ?? 0) > 0
      ? []
      : [`labels.${SCALE_ZERO_DURATION}: "${duration}" is not a duration such as 15m or 90s`]),
  ];
}

function checkResources(it: Partial<Deployment>): string[] {
  const problems: string[] = [];
  const amount = (
    kind: "limits" | "requests",
    what: "memory" | "cpu",
    parse: (text: string) => number | undefined,
    say: string,
  ) => {
    const text = it[kind]?.[what];
    if (!text) return undefined;
    const value = parse(text);
    if (!value) problems.push(`${kind}.${what}: "${text}" is not an amount such as ${say}`);
    // Too little memory is taken: memory.ts gives the least amount.
    else if (what === "cpu" && value < LEAST_NANO_CPUS)
      problems.push(`${kind}.${what}: ${text} is below 1m, the least the engine takes`);
    return value;
  };
  for (const [what, parse, say] of [
    ["memory", parseMemory, "64Mi, 128m or 67108864"],
    ["cpu", parseCpu, "100m, 0.5 or 2"],
  ] as const) {
    const limit = amount("limits", what, parse, say);
    const request = amount("requests", what, parse, say);
    if (limit !== undefined && request !== undefined && request > limit)
      problems.push(`requests.${what}: ${it.requests?.[what]} is above limits.${what}, ${it.limits?.[what]}`);
  }
  return problems;
}
