/** One Swarm service of the stack, from the few things in which they differ. */
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

export interface ServiceValues {
  /** Image by digest. */
  image: pulumi.Input<string>;
  /** Labels of the service itself: another one restarts nothing. */
  labels: pulumi.Input<Record<string, string>>;
  args?: pulumi.Input<string[]>;
  env?: pulumi.Input<Record<string, string>>;
  networks: docker.Network[];
  /** Secrets by the file name under /run/secrets. */
  secrets?: Record<string, docker.Secret>;
  /** Configs by their full path in the container. */
  configs?: Record<string, docker.ServiceConfig>;
  /** Named volumes by their path in the container. */
  volumes?: Record<string, pulumi.Input<string>>;
  /** Folders or sockets of the host by their path in the container. */
  binds?: Record<string, string>;
  /** Ports by the container's port, published on the host the task runs on. */
  ports?: Record<number, pulumi.Input<number>>;
  replicas?: pulumi.Input<number>;
  resources: docker.types.input.ServiceTaskSpecResources;
  /** User and group in the container. Default: the image's. */
  user?: string;
  /** What tells it to end. Default: the image's, or SIGTERM. */
  stopSignal?: string;
  /** Seconds a task has to finish what it has begun. Default: the engine's, 10. */
  stopGraceSeconds?: number;
  /** True: the new task starts before the old one stops. Not for what holds a port or a volume of the host. */
  startFirst?: boolean;
}

/** As the provider reads it back, or every refresh would find another: "35s", "2m", "1m30s". */
export function dockerDuration(seconds: number): string {
  const parts = { h: Math.floor(seconds / 3600), m: Math.floor(seconds / 60) % 60, s: seconds % 60 };
  return Object.entries(parts)
    .filter(([, count]) => count > 0)
    .map(([unit, count]) => `${count}${unit}`)
    .join("");
}

/** Seconds in nanoseconds' clothing: the provider wants Go durations. */
const CONVERGE = { delay: "2s", timeout: "3m" };

/**
 * A service named `service` with a dnsrr endpoint (kernels without IP_VS have no virtual addresses) and, where it has ports,
 * host-mode ones. It is restarted whatever it exits with; an update that does not come up fails the `up`.
 */
export function stackService(
  resource: string,
  service: string,
  values: ServiceValues,
  opts: pulumi.CustomResourceOptions,
): docker.Service {
  const update = {
    parallelism: 1,
    delay: "0s",
    monitor: "5s",
    order: values.startFirst ? "start-first" : "stop-first",
  };
  return new docker.Service(
    resource,
    {
      name: service,
      labels: pulumi.output(values.labels).apply(labelList),
      taskSpec: {
        containerSpec: {
          image: values.image,
          ...(values.args ? { args: values.args } : {}),
          ...(values.env ? { env: values.env } : {}),
          ...(values.user ? { user: values.user } : {}),
          ...(values.stopSignal ? { stopSignal: values.stopSignal } : {}),
          ...(values.stopGraceSeconds ? { stopGracePeriod: dockerDuration(values.stopGraceSeconds) } : {}),
          labels: [{ label: "no.oslo-faas.part", value: service }],
          mounts: mounts(values),
          // None of them needs a capability, the two that are root least of all, nor writes beside its volumes.
          capDrops: ["ALL"],
          readOnly: true,
          ...files(values),
        },
        networksAdvanceds: values.networks.map((network) => ({ id: network.id })),
        // Volumes and published ports are the manager's.
        placement: { constraints: ["node.role==manager"] },
        resources: values.resources,
        restartPolicy: { condition: "any", delay: "2s", maxAttempts: 0, window: "0s" },
      },
      mode: { replicated: { replicas: values.replicas ?? 1 } },
      endpointSpec: {
        mode: "dnsrr",
        ports: Object.entries(values.ports ?? {}).map(([target, published]) => ({
          targetPort: Number(target),
          publishedPort: published,
          protocol: "tcp",
          publishMode: "host",
        })),
      },
      updateConfig: { ...update, failureAction: "pause", maxFailureRatio: "0.0" },
      convergeConfig: CONVERGE,
    },
    {
      ...opts,
      // A fixed name: two of them cannot exist for a moment.
      deleteBeforeReplace: true,
      // Filled in by the registry's answer when the service is made, and not ours to say.
      ignoreChanges: ["taskSpec.placement.platforms"],
    },
  );
}

const labelList = (labels: Record<string, string>) =>
  Object.entries(labels).map(([label, value]) => ({ label, value }));

/** Services run under users of their own and only ever see the files given to them, so every user may read these. */
const FILE = { fileUid: "0", fileGid: "0", fileMode: 0o444 };

const files = ({ secrets = {}, configs = {} }: ServiceValues) => ({
  secrets: Object.entries(secrets).map(([fileName, { id, name }]) => ({
    secretId: id,
    secretName: name,
    fileName,
    ...FILE,
  })),
  configs: Object.entries(configs).map(([fileName, { id, name }]) => ({
    configId: id,
    configName: name,
    fileName,
    ...FILE,
  })),
});

function mounts(values: ServiceValues) {
  const volumes = Object.entries(values.volumes ?? {}).map(([target, source]) => ({
    target,
    source,
    type: "volume",
  }));
  const binds = Object.entries(values.binds ?? {}).map(([target, source]) => ({
    target,
    source,
    type: "bind",
  }));
  return [...volumes, ...binds];
}
