/** What a Function takes, as the gateway wants it, and back again. Pure. */
import * as z from "zod";
import { acrossFields, functionCore } from "../../../../shared/functionSpec";
import {
  DEFAULT_SCALE_MAX,
  DEFAULT_SCALE_MIN,
  MANAGED_LABEL,
  SCALE_FACTOR,
  SCALE_MAX,
  SCALE_MIN,
  scalesToZero,
  WAIT_ANNOTATION,
  WAIT_SECONDS,
} from "../../../../shared/labels";
import { parseCpu, parseMemory } from "../../../../shared/size";

export { MANAGED_LABEL, WAIT_ANNOTATION };

/** How the gateway was reached was an input of each resource once; now it is the provider's configuration. */
export const FORMER_ACCESS = ["gateway", "username", "password"] as const;

export const inputs = functionCore
  .extend({
    registryAuth: z
      .string()
      .regex(/^[^:\s]+:\S/, "is not user:password")
      .optional()
      .describe(
        'Login of the registry of the image, "user:password". Every node pulls with it until another one is given. A new login is an update of the function. Default: no login.',
      ),
    namespace: z.string().optional().describe("Namespace of the function. Default: that of the gateway."),
    secretRevisions: z
      .record(z.string(), z.number())
      .default({})
      .describe(
        "Revision of each secret, from `FunctionSecret.revision`: a new value then shows as a change of the function, and is waited for.",
      ),
    replicas: z
      .number()
      .int()
      .min(0)
      .max(1000)
      .optional()
      .describe(
        "Replicas that a count outside the bounds of the autoscaler is brought back to; rarely needed. Default: the lower bound.",
      ),
    waitSeconds: z
      .number()
      .int()
      .min(WAIT_SECONDS.least)
      .max(WAIT_SECONDS.most)
      .default(WAIT_SECONDS.default)
      .describe(
        "Seconds that a deployment is waited for since its last progress (one more replica of the new version, an image that is being fetched), 5 to 1800; never more than half an hour in all.",
      ),
  })
  .superRefine(acrossFields);
export type FunctionInputs = z.infer<typeof inputs>;

/** A function as GET /system/function/NAME reports it; providers leave out what they do not know. */
export interface FunctionStatus {
  name: string;
  image?: string;
  envProcess?: string;
  envVars?: Record<string, string> | null;
  constraints?: string[] | null;
  secrets?: string[] | null;
  labels?: Record<string, string> | null;
  annotations?: Record<string, string> | null;
  limits?: { memory?: string; cpu?: string } | null;
  requests?: { memory?: string; cpu?: string } | null;
  readOnlyRootFilesystem?: boolean;
  replicas?: number;
  availableReplicas?: number;
  /** Of this project's provider, while not every replica runs in the present version: those that do, and those whose image is fetched. */
  rollout?: { running: number; preparing: number };
  /** Of this project's provider: what is wrong, with the last lines of a replica that failed. */
  problem?: { kind: string; message: string; log?: string[] };
}

const names = z.array(z.string());
const extras = z
  .object({
    reports: names.describe(
      "Parts of a function that are reported at all: if one of these is absent later, it was taken away.",
    ),
    env: names.describe("Environment variables that were added."),
    labels: names.describe("Labels that were added."),
    annotations: names.describe("Annotations that were added."),
  })
  .meta({ id: "FunctionExtras", description: "What the platform adds to a function by itself." });
export type Extras = z.infer<typeof extras>;

export const outputs = z.object({
  path: z.string().describe('Path under the front door: "/function/NAME".'),
  extras: extras.describe(
    "What the platform reported right after the deployment. Its own additions are not drift later.",
  ),
});
export type FunctionOutputs = z.infer<typeof outputs>;

/** How many replicas an autoscaler may choose. With a factor of 0 no alert scales up: the least is also the most. */
export function bounds(labels: Record<string, string>): { min: number; max: number } {
  const min = Number(labels[SCALE_MIN] ?? DEFAULT_SCALE_MIN);
  const max = labels[SCALE_FACTOR] === "0" ? min : Number(labels[SCALE_MAX] ?? DEFAULT_SCALE_MAX);
  return { min: scalesToZero(labels) ? 0 : min, max: Math.max(max, min) };
}

/** The body of POST and PUT /system/functions. */
export function renderDeployment(wanted: FunctionInputs): object {
  return {
    service: wanted.name,
    image: wanted.image,
    // OpenFaaS's own field, in the form of Docker's config.json.
    ...(wanted.registryAuth ? { registryAuth: Buffer.from(wanted.registryAuth).toString("base64") } : {}),
    ...(wanted.namespace ? { namespace: wanted.namespace } : {}),
    ...(wanted.envProcess ? { envProcess: wanted.envProcess } : {}),
    envVars: wanted.env,
    constraints: wanted.constraints,
    secrets: wanted.secrets,
    labels: { ...wanted.labels, [MANAGED_LABEL]: "true" },
    annotations: wanted.annotations,
    ...(wanted.limits ? { limits: wanted.limits } : {}),
    ...(wanted.requests ? { requests: wanted.requests } : {}),
    readOnlyRootFilesystem: wanted.readOnlyRootFilesystem,
  };
}

/** "128Mi" -> 134217728, read as the provider reads it. */
export function memoryBytes(text: string): number {
  return parseMemory(text) ?? Number.NaN;
}

/** "100m" -> 0.1. */
export function cpuShare(text: string): number {
  return (parseCpu(text) ?? Number.NaN) / 1e9;
}

type Resources = { memory?: string; cpu?: string };

/** `wanted` where both mean the same amount, else what was found. */
function foundResources(
  wanted: Resources | undefined,
  found: Resources | null | undefined,
): Resources | undefined {
  // A provider that reports no amounts at all cannot show a difference.
  if (found === undefined || found === null) return wanted;
  const result: Resources = {};
  for (const [key, measure] of [["memory", memoryBytes] as const, ["cpu", cpuShare] as const]) {
    const [asked, is] = [wanted?.[key], found?.[key] || undefined];
    const value =
      asked !== undefined && is !== undefined && Math.abs(measure(asked) - measure(is)) < 1e-6 ? asked : is;
    if (value !== undefined) result[key] = value;
  }
  return Object.keys(result).length > 0 || wanted !== undefined ? result : undefined;
}

/** The wanted order where the members are the same, else what was found. */
function foundList(wanted: string[], found: string[] | null | undefined): string[] {
  if (found === undefined || found === null) return wanted;
  return JSON.stringify([...wanted].sort()) === JSON.stringify([...found].sort()) ? wanted : found;
}

function foundMap(
  wanted: Record<string, string>,
  found: Record<string, string> | null | undefined,
  extras: string[],
): Record<string, string> {
  if (found === undefined || found === null) return wanted;
  return Object.fromEntries(
    Object.entries(found).filter(([name]) => name in wanted || !extras.includes(name)),
  );
}

/** "registry/name:tag" is what runs also where the provider reports it with the digest that it resolved. */
export function sameImage(wanted: string, found: string): boolean {
  return found === wanted || found.startsWith(`${wanted}@`);
}

const REPORTED = [
  "envVars",
  "constraints",
  "secrets",
  "labels",
  "annotations",
  "limits",
  "requests",
] as const;

/** Providers leave out what is empty: what they reported once and do not report now is empty, and not unknown. */
function complete(status: FunctionStatus, extras: Extras): FunctionStatus {
  const absent = REPORTED.filter(
    (key) => extras.reports.includes(key) && (status[key] === undefined || status[key] === null),
  );
  const empty = absent.map((key) => [key, key === "secrets" || key === "constraints" ? [] : {}] as const);
  return { ...status, ...(Object.fromEntries(empty) as Partial<FunctionStatus>) };
}

const surplus = (
  found: Record<string, string> | null | undefined,
  wanted: Record<string, string>,
): string[] =>
  Object.keys(found ?? {})
    .filter((name) => !(name in wanted))
    .sort();

/** What the provider added by itself: taken right after a deployment. */
export function extrasOf(wanted: FunctionInputs, status: FunctionStatus): Extras {
  return {
    reports: REPORTED.filter((key) => status[key] !== undefined && status[key] !== null),
    env: surplus(status.envVars, wanted.env),
    labels: surplus(status.labels, wanted.labels),
    annotations: surplus(status.annotations, wanted.annotations),
  };
}

/** The number to report as drift: one outside what an autoscaler may choose. */
export function strayReplicas(wanted: FunctionInputs, status: FunctionStatus): number | undefined {
  const { min, max } = bounds(wanted.labels);
  const { replicas } = status;
  return replicas !== undefined && (replicas < min || replicas > max) ? replicas : undefined;
}

/** The inputs that would make the function what it is. */
export function inputsFound(
  wanted: FunctionInputs,
  reported: FunctionStatus,
  extras: Extras,
): FunctionInputs {
  const status = complete(reported, extras);
  const labels = foundMap(wanted.labels, status.labels, [...extras.labels, MANAGED_LABEL]);
  const env = foundMap(wanted.env, status.envVars, extras.env);
  const annotations = foundMap(wanted.annotations, status.annotations, extras.annotations);
  const image =
    status.image === undefined || sameImage(wanted.image, status.image) ? wanted.image : status.image;
  const limits = foundResources(wanted.limits, status.limits);
  const requests = foundResources(wanted.requests, status.requests);
  const replicas = strayReplicas(wanted, status) ?? wanted.replicas;
  const envProcess =
    wanted.envProcess !== undefined && status.envProcess !== undefined
      ? status.envProcess
      : wanted.envProcess;
  const found: FunctionInputs = {
    ...wanted,
    image,
    env,
    labels,
    annotations,
    secrets: foundList(wanted.secrets, status.secrets),
    constraints: foundList(wanted.constraints, status.constraints),
    readOnlyRootFilesystem: status.readOnlyRootFilesystem ?? wanted.readOnlyRootFilesystem,
  };
  // A key without a value would differ from a key that is not there.
  return Object.assign(
    Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as FunctionInputs,
    defined({ limits, requests, replicas, envProcess }),
  );
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Partial<T>;
}
