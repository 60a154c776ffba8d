/** From a deployment to the Swarm service that runs it: plain values in, plain values out. */
import type Dockerode from "dockerode";
import {
  ANNOTATION_PREFIX,
  type Deployment,
  FUNCTION_LABEL,
  LEGACY_LABEL,
  RESOURCE_PREFIX,
  SCALE_MAX,
  SCALE_MIN,
} from "./deployment";
import { readHealthCheck } from "../../../shared/health";
import { PROBE_MOUNT, renderHealthcheck } from "./probe";
import { isPinned } from "../../../shared/image";
import { readSandbox } from "../../../shared/sandbox";
import { givenAmount } from "../../../shared/size";

const SECOND = 1e9;

/** A service whose tasks are containers, with all that the provider writes. */
export interface FunctionSpec extends Dockerode.ServiceSpec {
  Name: string;
  Labels: Record<string, string>;
  TaskTemplate: Dockerode.ContainerTaskSpec;
  Mode: { Replicated: { Replicas: number } };
}

export interface SpecContext {
  network: string;
  /** Each secret that the deployment names, in the version to use. */
  secrets: Record<string, { ID: string; Spec: { Name: string } }>;
  /** Volume with the program for health checks, where there is one, and where functions listen. */
  probe?: { volume: string; port: number };
  /** How long a replica that is told to end may finish its requests. */
  stopGraceMs: number;
  /** The service as it is, when this is an update. */
  current?: { replicas?: number; forceUpdate: number };
}

const TMP = {
  Type: "tmpfs" as const,
  Target: "/tmp",
  Source: "",
  TmpfsOptions: { SizeBytes: 0, Mode: 0o1777 },
};

export function renderSpec(it: Deployment, context: SpecContext): FunctionSpec {
  return {
    Name: it.service,
    Labels: renderLabels(it),
    TaskTemplate: {
      ContainerSpec: renderContainer(it, context),
      Networks: [{ Target: context.network }],
      Resources: renderResources(it),
      Placement: it.constraints.length > 0 ? { Constraints: it.constraints } : {},
      // A function that exits, with whatever code, is started again.
      RestartPolicy: { Condition: "any", Delay: 2 * SECOND, MaxAttempts: 0 },
      ForceUpdate: forceUpdate(it, context),
    },
    Mode: { Replicated: { Replicas: initialReplicas(it.labels, context.current?.replicas) } },
    // The new replica answers before the old one goes; one that does not stay up brings the old version back.
    UpdateConfig: {
      Parallelism: 1,
      Delay: 0,
      Order: "start-first",
      FailureAction: "rollback",
      Monitor: 10 * SECOND,
      MaxFailureRatio: 0,
    },
    RollbackConfig: {
      Parallelism: 1,
      Delay: 0,
      Order: "start-first",
      FailureAction: "pause",
      Monitor: 5 * SECOND,
      MaxFailureRatio: 0,
    },
    // Kernels without IP_VS have no virtual addresses, and callers that see every replica can balance themselves.
    EndpointSpec: { Mode: "dnsrr" },
  };
}

function renderLabels(it: Deployment): Record<string, string> {
  const labels: Record<string, string> = { ...it.labels };
  for (const [key, value] of Object.entries(it.annotations)) labels[`${ANNOTATION_PREFIX}${key}`] = value;
  for (const kind of ["limits", "requests"] as const)
    for (const what of ["memory", "cpu"] as const)
      if (it[kind][what]) labels[`${RESOURCE_PREFIX}${kind}.${what}`] = it[kind][what];
  return { ...labels, [FUNCTION_LABEL]: it.service, [LEGACY_LABEL]: "true" };
}

function renderContainer(it: Deployment, context: SpecContext): Dockerode.ContainerSpec {
  return {
    Image: it.image,
    // Not the user's labels: a changed scaling label must not restart every replica.
    Labels: { [FUNCTION_LABEL]: it.service, [LEGACY_LABEL]: "true" },
    Env: renderEnv(it),
    // The kernel keeps SIGTERM from a first process that does not handle it (Node's default): without an init of the engine's,
    // such a function would be waited for as long as the grace period lasts.
    Init: true,
    StopGracePeriod: Math.round(context.stopGraceMs * 1e6),
    ...(it.readOnlyRootFilesystem ? { ReadOnly: true } : {}),
    ...renderPrivileges(it),
    ...renderMounts(it, context),
    ...renderHealth(it, context),
    Secrets: [...it.secrets].sort().map((name) => ({
      SecretID: context.secrets[name]!.ID,
      SecretName: context.secrets[name]!.Spec.Name,
      // Functions run as users of their own, and see only the secrets they name.
      File: { Name: `/var/openfaas/secrets/${name}`, UID: "0", GID: "0", Mode: 0o444 },
    })),
  };
}

/** An engine before 25 does not know NoNewPrivileges, and passes it by: without capabilities, there are none to get. */
function renderPrivileges(it: Deployment) {
  const { capabilities, newPrivileges } = readSandbox(it.annotations);
  return {
    CapabilityDrop: ["ALL"],
    ...(capabilities.length > 0 ? { CapabilityAdd: capabilities.map((name) => `CAP_${name}`) } : {}),
    ...(newPrivileges ? {} : { Privileges: { NoNewPrivileges: true } as Dockerode.Privileges }),
  };
}

function renderMounts(it: Deployment, { probe }: SpecContext) {
  const mounts = [
    ...(it.readOnlyRootFilesystem ? [TMP] : []),
    ...(probe && readHealthCheck(it.annotations)
      ? [
          {
            Type: "volume" as const,
            Source: probe.volume,
            Target: PROBE_MOUNT,
            ReadOnly: true,
            VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: {} as never },
          },
        ]
      : []),
  ];
  return mounts.length > 0 ? { Mounts: mounts } : {};
}

function renderHealth(it: Deployment, { probe }: SpecContext) {
  const check = readHealthCheck(it.annotations);
  return probe && check ? { HealthCheck: renderHealthcheck(check, probe.port) } : {};
}

/** Sorted, so that the same deployment is the same service and restarts nothing. */
function renderEnv(it: Deployment): string[] {
  const env = Object.keys(it.envVars)
    .sort()
    .map((key) => `${key}=${it.envVars[key]}`);
  return it.envProcess ? [`fprocess=${it.envProcess}`, ...env] : env;
}

function renderResources(it: Deployment): Dockerode.ResourceRequirements {
  const part = (kind: "limits" | "requests") => {
    const given = (what: "memory" | "cpu") => givenAmount(kind, what, it[kind][what] ?? "");
    const [memory, cpu] = [given("memory"), given("cpu")];
    return { ...(memory ? { MemoryBytes: memory } : {}), ...(cpu ? { NanoCPUs: cpu } : {}) };
  };
  const requests = part("requests");
  return {
    Limits: { ...part("limits"), Pids: readSandbox(it.annotations).pids },
    ...(Object.keys(requests).length > 0 ? { Reservations: requests } : {}),
  };
}

/** A tag may name another image by now, so an update to it starts new replicas; a digest cannot. */
function forceUpdate(it: Deployment, { current }: SpecContext): number {
  if (!current) return 0;
  return isPinned(it.image) ? current.forceUpdate : current.forceUpdate + 1;
}

/** The count of before, kept within what the labels allow; a new function starts with its minimum, or one. */
export function initialReplicas(labels: Record<string, string>, current?: number): number {
  const min = labels[SCALE_MIN] === undefined ? undefined : Number(labels[SCALE_MIN]);
  const max = labels[SCALE_MAX] === undefined ? undefined : Number(labels[SCALE_MAX]);
  return Math.min(Math.max(current ?? min ?? 1, min ?? 0), max ?? Infinity);
}
