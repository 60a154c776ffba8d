/** What answers calls: OpenFaaS and its queue, Nginx in front, the functions, and the calls that end an up. */
import * as z from "zod";
import { FUNCTION_NAME } from "../../shared/names";
import * as f from "../fields";

const retry = z.strictObject({
  attempts: f.whole(1, 100).default(10).meta({
    description: "Attempts of a failed call, the first included. 1: a failed call is forgotten.",
    unit: "attempts",
  }),
  codes: f
    .list(f.whole(400, 599))
    .default([429, 503])
    .meta({
      description:
        "Answers of a function that are worth another attempt; one not reached always is. 502 may have broken in the middle, and is then done twice.",
      examples: [[429, 500, 502, 503, 504]],
    }),
  minDelay: f.duration("100ms", "1h").default("1s").meta({
    description: "Wait before the second attempt; doubled for each further one.",
  }),
  maxDelay: f.duration("100ms", "1h").default("30s").meta({ description: "And never longer than this." }),
});

const queue = z.strictObject({
  ackWait: f.duration("1s").default("390s").meta({
    description:
      "Time until an unacknowledged call is delivered again; above the longest function and its callback.",
  }),
  maxInflight: f
    .whole(1, 1000)
    .default(8)
    .meta({ description: "Calls one worker has under way at once.", unit: "calls" }),
  workers: f.whole(1, 32).default(1).meta({ description: "Replicas of the queue worker.", unit: "replicas" }),
  retry: retry.prefault({}).meta({ description: "What becomes of a call that failed." }),
  maxBody: f.size("1k", "48m").default("10m").meta({
    description: "Largest body of an asynchronous call. A larger one is answered with 413.",
  }),
  maxBytes: f.size("1m").default("1g").meta({
    description:
      "Size of the queue's log on disk, answered calls included; beyond it the oldest are dropped, waiting ones too.",
  }),
  keepOnDestroy: f.flag().default(true).meta({
    description: "Leave the queue's volume on the host when the stack is destroyed.",
    plain: true,
  }),
});

export const openfaas = z.strictObject({
  user: f
    .pattern(/^[A-Za-z0-9._-]{1,64}$/, "1 to 64 letters, digits, dots, dashes or underscores")
    .default("admin")
    .meta({ description: "User of the gateway's management API." }),
  gatewayPort: f
    .port()
    .default(8080)
    .meta({ description: "The gateway's port on the host; closed from outside." }),
  readTimeout: f.duration().default("295s").meta({ description: "The gateway's read_timeout." }),
  writeTimeout: f.duration().default("295s").meta({ description: "The gateway's write_timeout." }),
  upstreamTimeout: f
    .duration()
    .default("290s")
    .meta({ description: "The longest a function may take (upstream_timeout)." }),
  scaleFromZero: f.flag().default(true).meta({
    description:
      "A call wakes a function that has no replica. Always true: without it the gateway calls any name or address that a path holds.",
  }),
  edge: f.flag().default(true).meta({
    description:
      "Calls from outside go straight to a function's replicas, through HAProxy, and to the gateway where none is ready. `false`: all of them go through the gateway.",
  }),
  queue: queue.prefault({}).meta({ description: "The queue of asynchronous calls." }),
  prometheusRetention: f
    .duration("1h", "87600h")
    .default("360h")
    .meta({ description: "How long Prometheus keeps what it measured." }),
});

const tls = z.strictObject({
  certificate: f.hostPath().meta({
    description: "Certificate chain, a path on the host.",
    examples: ["/etc/ssl/oslo-faas/fullchain.pem"],
  }),
  certificateKey: f.hostPath().meta({
    description: "Its private key, a path on the host.",
    examples: ["/etc/ssl/oslo-faas/privkey.pem"],
  }),
  redirect: f.flag().default(true).meta({
    description: "HTTP sends every caller on to HTTPS; false: both answer calls.",
  }),
});

export const nginx = z.strictObject({
  user: f
    .pattern(/^[a-z_][a-z0-9_-]{0,31}$/, "a user's name in lower case")
    .default("nginx")
    .meta({ description: "The workers' user; made where it is missing." }),
  workerProcesses: z
    .union([z.literal("auto"), f.whole(1, 256)], 'must be "auto" or a whole number from 1 to 256')
    .default("auto")
    .meta({ description: "worker_processes.", kind: '"auto" or whole number', allowed: '"auto", 1 to 256' }),
  workerConnections: f
    .whole(64, 500000)
    .default(10240)
    .meta({ description: "worker_connections, per worker.", unit: "connections" }),
  keepalive: f
    .whole(1, 10000)
    .default(64)
    .meta({ description: "Idle connections to the gateway kept per worker.", unit: "connections" }),
  keepaliveTimeout: f
    .duration()
    .default("65s")
    .meta({ description: "How long a client's idle connection is kept." }),
  proxyConnectTimeout: f.duration("1ms", "75s").default("5s").meta({ description: "proxy_connect_timeout." }),
  proxyReadTimeout: f.duration().default("300s").meta({ description: "proxy_read_timeout." }),
  proxySendTimeout: f.duration().default("300s").meta({ description: "proxy_send_timeout." }),
  clientMaxBodySize: f.size().default("100m").meta({ description: "Largest request body." }),
  backlog: f.whole(128, 65535).default(16384).meta({
    description: "Connections waiting to be accepted (and net.core.somaxconn).",
    unit: "connections",
  }),
  httpPort: f.port().default(80).meta({ description: "Port for HTTP." }),
  httpsPort: f.port().default(443).meta({ description: "Port for HTTPS, where tls is given." }),
  ipv6: f
    .flag()
    .default(true)
    .meta({ description: "Listen on IPv6 as well; false where the kernel has none." }),
  serverName: f
    .serverNames()
    .default("_")
    .meta({ description: "server_name; `_` answers to every name.", examples: ["faas.example.no"] }),
  tls: tls.optional().meta({ description: "TLS with files that are on the host. Default: HTTP only." }),
  managementAllow: f
    .list(f.cidr())
    .default([])
    .meta({
      description:
        "Networks that may reach /system/ and /ui/ beside the host itself (password needed in any case). Empty: all.",
      examples: [["198.51.100.0/24"]],
    }),
  publicUrl: f
    .url()
    .optional()
    .meta({
      description: "What the outside calls it. Default: made of the host's address and port.",
      examples: ["https://faas.example.no"],
    }),
});

export const functions = f.list(
  z.strictObject({
    stack: f.file().meta({
      description: "A stack.yml in OpenFaaS's format, relative to the project.",
      examples: ["functions/stack.yml"],
    }),
    only: f
      .list(f.pattern(FUNCTION_NAME.form, "a function's name: lower-case letters, digits and dashes"))
      .optional()
      .meta({
        description: "Names of the functions to deploy. Default: all in the file.",
        examples: [["hello"]],
      }),
  }),
);

export const checks = f.list(
  z.strictObject({
    path: f.pattern(/^\/[^\s\p{Cc}]*$/u, "a path that starts with / and has no blanks in it").meta({
      description: "Path called through Nginx at the end of an up.",
      examples: ["/function/hello"],
    }),
    status: f.whole(100, 599).default(200).meta({ description: "Status it must answer with." }),
  }),
);
