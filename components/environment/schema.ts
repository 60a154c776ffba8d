/**
 * The configuration of one environment: the single source of its types, defaults, units, ranges and cross-field rules.
 * A person writes it in stacks/Pulumi.<environment>.yaml; each top-level key here is `oslo-faas:<key>` there.
 */
import { z } from "zod";
import { duration, seconds as exactSeconds, size } from "./units";

/** Cross-field rules also run where a field is wrong by itself: it then compares as nothing (NaN), and has its own error. */
const seconds = (value: string) => (duration().safeParse(value).success ? exactSeconds(value) : NaN);

const port = () => z.number().int().min(1).max(65535);
const hostKey = () =>
  z
    .string()
    .regex(
      /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*( .*)?$/,
      'must be a public host key such as "ssh-ed25519 AAAA…" (the host prints it: cat /etc/ssh/ssh_host_ed25519_key.pub)',
    );
const address = () =>
  z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/, "must be a host name or an IP address");
const cidr = () =>
  z.string().refine((value) => z.cidrv4().safeParse(value).success || z.cidrv6().safeParse(value).success, {
    message: 'must be a network such as "10.0.0.0/8" or "2001:db8::/32"',
  });
const image = () =>
  z
    .string()
    .regex(
      /^[a-z0-9]+([._-][a-z0-9]+)*(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
      'must be an image reference such as "ghcr.io/openfaas/gateway:0.25.4"',
    );

const jump = z
  .strictObject({
    address: address().describe("Name or address of the jump host."),
    port: port().default(22).describe("Its SSH port."),
    user: z.string().min(1).default("root").describe("The user there."),
    hostKey: hostKey().describe("Its public host key; any other key is refused."),
    privateKeyPath: z
      .string()
      .optional()
      .describe("Private key for it, relative to the project. Default: as for the host."),
  })
  .describe("A host to connect through.");

const host = z
  .strictObject({
    address: address().describe("Name or address of the host to provision."),
    port: port().default(22).describe("Its SSH port."),
    user: z
      .string()
      .min(1)
      .default("root")
      .describe("Who logs in; one who is not root needs sudo without a password."),
    hostKey: hostKey()
      .optional()
      .describe("The host's public key, pinned: any other key is refused. This or hostKeyFile is required."),
    hostKeyFile: z.string().optional().describe("A file with that key instead, relative to the project."),
    privateKeyPath: z
      .string()
      .optional()
      .describe(
        "Private key to log in with, relative to the project. Default: the SSH agent (SSH_AUTH_SOCK).",
      ),
    jump: jump.optional(),
    dialTimeoutSeconds: z
      .number()
      .int()
      .min(1)
      .max(14)
      .default(10)
      .describe("Seconds until an unreachable host is given up."),
  })
  .superRefine((value, ctx) => {
    if (!value.hostKey && !value.hostKeyFile)
      ctx.addIssue({
        code: "custom",
        path: ["hostKey"],
        message: "is required: an unknown host is never trusted (or give hostKeyFile)",
      });
    if (value.hostKey && value.hostKeyFile)
      ctx.addIssue({
        code: "custom",
        path: ["hostKeyFile"],
        message: "contradicts hostKey: give one of the two",
      });
  });

const location = z.strictObject({
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be a two-letter country code (ISO 3166), such as "NO"')
    .default("NO")
    .describe("Where the host stands: country (ISO 3166)."),
  city: z.string().min(1).default("Oslo").describe("Where the host stands: city."),
  provider: z.string().min(1).default("self-hosted").describe("Who runs the hardware."),
});

const preflight = z.strictObject({
  allowVirtualization: z
    .array(z.string())
    .default([])
    .describe(
      'Container virtualization to accept, as systemd-detect-virt names it ("docker", "lxc"). Refused by default: a swarm needs a kernel of its own.',
    ),
  minMemoryMiB: z.number().int().min(256).default(1800).describe("Least memory of the host, MiB."),
  minDiskMiB: z
    .number()
    .int()
    .min(1024)
    .default(10240)
    .describe("Least free disk under /var/lib, MiB, before the first up."),
  minFsyncPerSecond: z
    .number()
    .int()
    .min(0)
    .default(100)
    .describe(
      "Least rate of synchronous 4 KiB writes under /var/lib, per second (a durable queue cannot be faster). 0: do not measure.",
    ),
});

const base = z.strictObject({
  packages: z
    .array(z.string().min(1))
    .default([])
    .describe('Further packages to install, such as "htop" or "jq>=1.5".'),
  timezone: z
    .string()
    .regex(/^[A-Za-z_+-]+(\/[A-Za-z_+-]+)*$/, 'must be a time zone such as "Europe/Oslo"')
    .default("Europe/Oslo")
    .describe("Time zone of the host."),
  sysctl: z
    .record(z.string(), z.union([z.string(), z.number()]))
    .default({})
    .describe("Kernel settings beside the tuned ones, or in their place."),
  openFiles: z
    .number()
    .int()
    .min(1024)
    .max(1048576)
    .default(65536)
    .describe("Limit of open files of Nginx and the engine."),
});

const firewall = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe("Keep the gateway's and the swarm's ports unreachable from outside the host."),
  swarmPeers: z
    .array(cidr())
    .default([])
    .describe("Networks of the other nodes, which may reach the swarm's ports (2377, 7946, 4789)."),
});

const docker = z.strictObject({
  source: z
    .enum(["docker", "distro"])
    .default("docker")
    .describe(
      "Where the engine comes from: Docker's own apt repository (docker-ce) or the distribution (docker.io).",
    ),
  repository: z
    .strictObject({
      uri: z
        .string()
        .regex(/^(https?|file):\/\//, "must be a URL")
        .default("https://download.docker.com/linux")
        .describe(
          "Docker's apt repository; the distribution's name is appended. A mirror for an air-gapped site.",
        ),
      keyUrl: z.string().optional().describe("Where its key is. Default: <uri>/<distribution>/gpg."),
      fingerprint: z
        .string()
        .regex(/^[0-9A-Fa-f]{40}$/, "must be a full fingerprint of 40 hexadecimal digits")
        .default("9DC858229FC7DD38854AE2D88D81803C0EBFCD88")
        .describe(
          "Full fingerprint of that key; a key with another one is refused before anything is installed.",
        ),
    })
    .prefault({}),
  version: z
    .string()
    .optional()
    .describe(
      'Version of docker-ce, as apt writes it ("5:24.0.2-1~ubuntu.18.04~bionic"). Default: the newest that the release\'s range allows; held.',
    ),
  registryMirrors: z.array(z.url()).default([]).describe("Mirrors of Docker Hub."),
  insecureRegistries: z
    .array(z.string())
    .default([])
    .describe("Registries spoken to without TLS: for a lab."),
  logMaxSize: size().default("10m").describe("A container's log is rotated at this size."),
  logMaxFiles: z.number().int().min(1).max(100).default(3).describe("Rotated log files kept per container."),
  mtu: z
    .number()
    .int()
    .min(576)
    .max(9000)
    .optional()
    .describe("MTU of the engine's networks, bytes. Default: the engine's (1500)."),
});

const swarm = z.strictObject({
  advertiseAddress: z
    .string()
    .optional()
    .describe("Address or interface the node is known by in the swarm. Default: that of the default route."),
  addressPool: cidr()
    .default("10.201.0.0/16")
    .describe("Networks of the overlay come out of this range, /24 each."),
});

const images = z.strictObject({
  registry: z
    .string()
    .optional()
    .describe(
      "Registry (and path) that stands in for every image's own: an air-gapped site's mirror. Default: none.",
    ),
  lock: z
    .string()
    .default("stacks/images.lock.json")
    .describe(
      "File that holds the digest of each image, relative to the project; written by `npm run images -- lock`.",
    ),
  own: z
    .enum(["build", "registry"])
    .default("build")
    .describe(
      "Where this project's own images come from, the Swarm provider's and those of functions with `lang: dockerfile`: built by the host's engine, or a registry.",
    ),
  node: image()
    .default("node:22-bookworm-slim")
    .describe("Base of the Swarm provider's image where it is built."),
  gateway: image().default("ghcr.io/openfaas/gateway:0.25.4").describe("OpenFaaS gateway."),
  basicAuth: image().default("ghcr.io/openfaas/basic-auth:0.25.4").describe("Its basic-auth plugin."),
  queueWorker: image().default("ghcr.io/openfaas/queue-worker:0.13.3").describe("Queue worker."),
  natsStreaming: image().default("nats-streaming:0.25.6").describe("NATS Streaming."),
  prometheus: image().default("prom/prometheus:v2.42.0").describe("Prometheus."),
  alertmanager: image().default("prom/alertmanager:v0.25.0").describe("Alertmanager."),
  swarmProvider: image()
    .default("ghcr.io/oslo-faas/swarm-provider:0.1.0")
    .describe("The Swarm provider of this project."),
});

const queue = z.strictObject({
  ackWait: duration()
    .default("330s")
    .describe("Time until an unacknowledged call is delivered again; above the longest function."),
  maxInflight: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(8)
    .describe("Calls one worker has under way at once."),
  workers: z.number().int().min(1).max(32).default(1).describe("Replicas of the queue worker."),
  maxBytes: size()
    .default("1g")
    .describe(
      "Size of the queue's log on disk, answered calls included; beyond it the oldest are dropped, waiting ones too.",
    ),
  keepOnDestroy: z
    .boolean()
    .default(true)
    .describe("Leave the queue's volume on the host when the stack is destroyed."),
});

const openfaas = z
  .strictObject({
    user: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, "must be letters, digits, dots, dashes")
      .default("admin")
      .describe("User of the gateway's management API."),
    gatewayPort: port().default(8080).describe("The gateway's port on the host; closed from outside."),
    readTimeout: duration().default("295s").describe("The gateway's read_timeout."),
    writeTimeout: duration().default("295s").describe("The gateway's write_timeout."),
    upstreamTimeout: duration()
      .default("290s")
      .describe("The longest a function may take (upstream_timeout)."),
    scaleFromZero: z.boolean().default(true).describe("A call wakes a function that has no replica."),
    queue: queue.prefault({}),
    prometheusRetention: duration().default("360h").describe("How long Prometheus keeps what it measured."),
  })
  .superRefine((value, ctx) => {
    const longest = seconds(value.upstreamTimeout);
    for (const key of ["readTimeout", "writeTimeout"] as const)
      if (seconds(value[key]) < longest)
        ctx.addIssue({
          code: "custom",
          path: [key],
          message: `${value[key]} is below upstreamTimeout ${value.upstreamTimeout}: the gateway would hang up on a function that may still answer`,
        });
    if (seconds(value.queue.ackWait) <= longest)
      ctx.addIssue({
        code: "custom",
        path: ["queue", "ackWait"],
        message: `${value.queue.ackWait} is not above upstreamTimeout ${value.upstreamTimeout}: a long call would be delivered twice`,
      });
  });

const nginx = z
  .strictObject({
    user: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]*$/, "must be a user's name")
      .default("nginx")
      .describe("The workers' user; made where it is missing."),
    workerProcesses: z
      .union([z.literal("auto"), z.number().int().min(1).max(256)])
      .default("auto")
      .describe("worker_processes."),
    workerConnections: z
      .number()
      .int()
      .min(64)
      .max(500000)
      .default(10240)
      .describe("worker_connections, per worker."),
    keepalive: z
      .number()
      .int()
      .min(1)
      .max(10000)
      .default(64)
      .describe("Idle connections to the gateway kept per worker."),
    keepaliveTimeout: duration().default("65s").describe("How long a client's idle connection is kept."),
    proxyConnectTimeout: duration().default("5s").describe("proxy_connect_timeout."),
    proxyReadTimeout: duration().default("300s").describe("proxy_read_timeout."),
    proxySendTimeout: duration().default("300s").describe("proxy_send_timeout."),
    clientMaxBodySize: size().default("100m").describe("Largest request body."),
    backlog: z
      .number()
      .int()
      .min(128)
      .max(65535)
      .default(16384)
      .describe("Connections waiting to be accepted (and net.core.somaxconn)."),
    httpPort: port().default(80).describe("Port for HTTP."),
    httpsPort: port().default(443).describe("Port for HTTPS, where tls is given."),
    ipv6: z.boolean().default(true).describe("Listen on IPv6 as well; false where the kernel has none."),
    serverName: z.string().default("_").describe("server_name; `_` answers to every name."),
    tls: z
      .strictObject({
        certificate: z.string().startsWith("/").describe("Certificate chain, a path on the host."),
        certificateKey: z.string().startsWith("/").describe("Its private key, a path on the host."),
      })
      .optional()
      .describe("TLS with files that are on the host; HTTP then redirects. Default: HTTP only."),
    managementAllow: z
      .array(cidr())
      .default([])
      .describe("Networks that may reach /system/ and /ui/ (password needed in any case). Empty: all."),
    publicUrl: z
      .url()
      .optional()
      .describe("What the outside calls it. Default: made of the host's address and port."),
  })
  .prefault({});

const functions = z.array(
  z.strictObject({
    stack: z.string().min(1).describe("A stack.yml in OpenFaaS's format, relative to the project."),
    only: z
      .array(z.string())
      .optional()
      .describe("Names of the functions to deploy. Default: all in the file."),
  }),
);

const checks = z.array(
  z.strictObject({
    path: z.string().startsWith("/").describe("Path called through Nginx at the end of an up."),
    status: z.number().int().min(100).max(599).default(200).describe("Status it must answer with."),
  }),
);

/** Every top-level key of an environment. */
export const environmentSchema = z
  .strictObject({
    location: location.prefault({}),
    host,
    preflight: preflight.prefault({}),
    base: base.prefault({}),
    firewall: firewall.prefault({}),
    docker: docker.prefault({}),
    swarm: swarm.prefault({}),
    images: images.prefault({}),
    openfaas: openfaas.prefault({}),
    nginx,
    functions: functions.default([]).describe("Functions to deploy."),
    checks: checks.default([]).describe("Further calls through the front door that end an up."),
  })
  .superRefine((value, ctx) => {
    for (const key of ["proxyReadTimeout", "proxySendTimeout"] as const)
      if (seconds(value.nginx[key]) < seconds(value.openfaas.upstreamTimeout))
        ctx.addIssue({
          code: "custom",
          path: ["nginx", key],
          message: `${value.nginx[key]} is below openfaas.upstreamTimeout ${value.openfaas.upstreamTimeout}: Nginx would hang up on a function that may still answer`,
        });
    const ports = [
      value.nginx.httpPort,
      value.nginx.tls ? value.nginx.httpsPort : 0,
      value.openfaas.gatewayPort,
    ].filter(Boolean);
    if (new Set(ports).size < ports.length)
      ctx.addIssue({
        code: "custom",
        path: ["nginx", "httpPort"],
        message: `one port for two listeners: ${ports.join(", ")}`,
      });
  });

export type Environment = z.infer<typeof environmentSchema>;

/** Secret keys of an environment: separate top-level keys, set with `pulumi config set --secret`. */
export const SECRET_KEYS = {
  gatewayPassword:
    "Password of the gateway's management API. Default: one is made and kept, encrypted, in the state.",
} as const;
