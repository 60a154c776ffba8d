/** From the engine's services and tasks to what OpenFaaS's clients are shown. */
import { ANNOTATION_PREFIX, FUNCTION_LABEL, LEGACY_LABEL, RESOURCE_PREFIX } from "./deployment";
import type { Problem } from "./problems";
import { replicasOf, type ServiceRecord, type Spec, type TaskRecord } from "./records";
import type { Rollout } from "./rollout";
import { formatCpu, formatMemory, givenAmount } from "../../../shared/size";
import type { Usage } from "./usage";

/** Empty objects and lists are there: some clients crash on null. */
export interface FunctionStatus {
  name: string;
  image: string;
  namespace: string;
  envProcess: string;
  envVars: Record<string, string>;
  constraints: string[];
  secrets: string[];
  /** The deployment's own; the provider's marks are left out, so that reading back gives what was sent. */
  labels: Record<string, string>;
  annotations: Record<string, string>;
  limits?: Amounts;
  requests?: Amounts;
  readOnlyRootFilesystem: boolean;
  /** Wanted. */
  replicas: number;
  /** Running, healthy where there is a health check, and open for connections. */
  availableReplicas: number;
  /** The gateway fills it in. */
  invocationCount: number;
  createdAt: string;
  /** Where it was asked for. */
  usage?: Usage;
  /** While not every replica runs in the present version; not in a list. Not of OpenFaaS's API either. */
  rollout?: Rollout;
  /** What is wrong, when something is. Not of OpenFaaS's API: its clients pass it by. */
  problem?: Problem;
}

export interface Amounts {
  memory?: string;
  cpu?: string;
}

/** A service is a function when its label says so and names it: a label copied to another service does not. */
export function isFunction(service: ServiceRecord): boolean {
  return (
    service.Spec.Labels?.[FUNCTION_LABEL] === service.Spec.Name && service.Spec.Mode?.Replicated !== undefined
  );
}

/** Tasks by service id: one pass for a whole list. */
export function byService(tasks: TaskRecord[]): Map<string, TaskRecord[]> {
  const found = new Map<string, TaskRecord[]>();
  for (const task of tasks) {
    const others = found.get(task.ServiceID);
    if (others) others.push(task);
    else found.set(task.ServiceID, [task]);
  }
  return found;
}

/** Ids of the secrets that a spec mounts. */
export function secretsOf(spec?: Spec): string[] {
  return (spec?.TaskTemplate?.ContainerSpec?.Secrets ?? []).map((secret) => secret.SecretID ?? "");
}

/** Ids of the secrets that a service mounts, and of those that it would go back to when its update failed. */
export function secretsInUse(service: ServiceRecord): string[] {
  const isSettled = replicasOf(service) === 0 || service.UpdateStatus?.State === "completed";
  return [...secretsOf(service.Spec), ...(isSettled ? [] : secretsOf(service.PreviousSpec))];
}

export function toStatus(service: ServiceRecord, available: number, namespace: string): FunctionStatus {
  const task = service.Spec.TaskTemplate ?? {};
  const container = task.ContainerSpec ?? {};
  const labels = service.Spec.Labels ?? {};
  const env = splitEnv(container.Env ?? []);
  const limits = amounts("limits", task.Resources?.Limits, labels);
  const requests = amounts("requests", task.Resources?.Reservations, labels);
  return {
    name: service.Spec.Name ?? "",
    image: container.Image ?? "",
    namespace,
    envProcess: env.process,
    envVars: env.vars,
    constraints: task.Placement?.Constraints ?? [],
    secrets: (container.Secrets ?? []).map(
      (secret) => baseName(secret.File?.Name) ?? secret.SecretName ?? "",
    ),
    ...splitLabels(labels),
    ...(limits ? { limits } : {}),
    ...(requests ? { requests } : {}),
    readOnlyRootFilesystem: container.ReadOnly ?? false,
    replicas: replicasOf(service),
    availableReplicas: available,
    invocationCount: 0,
    createdAt: service.CreatedAt,
  };
}

function baseName(path?: string): string | undefined {
  return path?.split("/").pop() || undefined;
}

function splitEnv(env: string[]): { process: string; vars: Record<string, string> } {
  const vars: Record<string, string> = {};
  let process = "";
  for (const line of env) {
    const at = line.indexOf("=");
    const [key, value] = at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
    if (key === "fprocess") process = value;
    else vars[key] = value;
  }
  return { process, vars };
}

/** Annotations, out of a service's labels. */
export const annotationsOf = (labels: Record<string, string> = {}) => splitLabels(labels).annotations;

function splitLabels(all: Record<string, string>) {
  const labels: Record<string, string> = {};
  const annotations: Record<string, string> = {};
  for (const [key, value] of Object.entries(all)) {
    if (key.startsWith(ANNOTATION_PREFIX)) annotations[key.slice(ANNOTATION_PREFIX.length)] = value;
    else if (key !== FUNCTION_LABEL && key !== LEGACY_LABEL && !key.startsWith(RESOURCE_PREFIX))
      labels[key] = value;
  }
  return { labels, annotations };
}

/** In the words of the deployment as long as they still mean what the service has; else (changed by hand) in our own. */
function amounts(
  kind: "limits" | "requests",
  actual: { MemoryBytes?: number; NanoCPUs?: number } | undefined,
  labels: Record<string, string>,
): Amounts | undefined {
  const text = (what: "memory" | "cpu", value: number | undefined, format: (value: number) => string) => {
    const written = labels[`${RESOURCE_PREFIX}${kind}.${what}`];
    if (written && givenAmount(kind, what, written) === (value || undefined)) return { [what]: written };
    return value ? { [what]: format(value) } : {};
  };
  const result: Amounts = {
    ...text("memory", actual?.MemoryBytes, formatMemory),
    ...text("cpu", actual?.NanoCPUs, formatCpu),
  };
  return Object.keys(result).length > 0 ? result : undefined;
}
