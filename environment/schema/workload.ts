/** What answers calls: OpenFaaS and its queue, Nginx in front, the functions, and the checks at the end of an `up`. */
import * as z from "zod";
import { DEFAULT_LEVELS } from "../../shared/access";
import { FUNCTION_NAME } from "../../shared/names";
import * as f from "../fields";
import { tls } from "./tls";

const retry = z.strictObject({
  attempts: f.whole(1, 100).default(10).meta({
    description: "Number of attempts of a call, including the first. With 1, a failed call is dropped.",
    unit: "attempts",
  }),
  codes: f
    .list(f.whole(400, 599))
    .default([429, 503])
    .meta({
      description:
        "Statuses of a function's answer that lead to another attempt. A function that was not reached is always tried again. With 502, a call that broke in the middle may run twice.",
      examples: [[429, 500, 502, 503, 504]],
    }),
  minDelay: f.duration("100ms", "1h").default("1s").meta({
    description: "Wait before the second attempt. It doubles for each further attempt.",
  }),
  maxDelay: f
    .duration("100ms", "1h")
    .default("30s")
    .meta({ description: "Longest wait between two attempts." }),
});

const dead = z.strictObject({
  maxBytes: f.size("64m").default("256m").meta({
    description: "Size of the kept calls on disk, their bodies included. Beyond it the oldest go.",
  }),
  days: f.whole(1, 365).default(14).meta({ description: "Time for which a call is kept.", unit: "days" }),
});

const queue = z.strictObject({
  ackWait: f.duration("1s").default("390s").meta({
    description:
      "Longest time that a worker spends on one attempt of a call. It must cover the longest function and its callback.",
  }),
  maxInflight: f
    .whole(1, 1000)
    .default(8)
    .meta({ description: "Calls of one function that one worker makes at the same time.", unit: "calls" }),
  workers: f.whole(1, 32).default(1).meta({ description: "Replicas of the queue worker.", unit: "replicas" }),
  retry: retry.prefault({}).meta({ description: "What happens to a call that failed." }),
  maxBody: f.size("1k", "48m").default("10m").meta({
    description: "Largest body of an asynchronous call. Larger ones are answered 413.",
  }),
  maxBytes: f.size("1m").default("1g").meta({
    description:
      "Size of the waiting calls on disk. When it is reached, new calls are answered 503 with Retry-After; accepted calls are kept.",
  }),
  dead: dead.prefault({}).meta({
    description:
      "Calls that failed in their last attempt. They are kept, and `npx oslo-faas queue` lists them, makes them again or drops them.",
  }),
  natsStreaming: f.flag().default(true).meta({
    description:
      "Run NATS Streaming beside JetStream, to move the calls that an earlier version of oslo-faas accepted. Set it to false when `npx oslo-faas status` shows that it is empty, and in an environment that never had an earlier version.",
    plain: true,
  }),
  keepOnDestroy: f.flag().default(true).meta({
    description: "Leave the queue's volume on the host when the stack is destroyed.",
    plain: true,
  }),
});

/** Above it the kernel ends the service's process, and the swarm starts it again. */
const memoryOf = (what: string, most: string) =>
  f
    .size("32m", "64g")
    .default(most)
    .meta({ description: `Most memory of ${what}.` });

const memory = z.strictObject({
  gateway: memoryOf(
    "the gateway, which holds the body of a function's asynchronous call about four times over",
    "768m",
  ),
  edge: memoryOf("the edge", "512m"),
  swarmProvider: memoryOf("the Swarm provider", "384m"),
  queueWorker: memoryOf("each queue worker, which holds answers of up to 64m for callbacks", "768m"),
  intake: memoryOf("the queue's intake, which holds bodies of up to 192m until they are on disk", "512m"),
  nats: memoryOf("NATS, whose index has an entry for each call that waits", "1g"),
  natsStreaming: memoryOf("NATS Streaming, where it still runs", "1g"),
  prometheus: memoryOf("Prometheus", "512m"),
  alertmanager: memoryOf("Alertmanager", "128m"),
  exporter: memoryOf("the exporter", "128m"),
  basicAuth: memoryOf("the basic-auth plugin", "64m"),
});

export const openfaas = z.strictObject({
  user: f
    .pattern(/^[A-Za-z0-9._-]{1,64}$/, "1 to 64 letters, digits, dots, dashes or underscores")
    .default("admin")
    .meta({ description: "User of the gateway's management API." }),
  gatewayPort: f
    .port()
    .default(8080)
    .meta({ description: "The gateway's port on the host, closed to the outside." }),
  readTimeout: f
    .duration()
    .default("295s")
    .meta({ description: "Longest time for the gateway to read a request (its read_timeout)." }),
  writeTimeout: f
    .duration()
    .default("295s")
    .meta({ description: "Longest time for the gateway to write an answer (its write_timeout)." }),
  upstreamTimeout: f
    .duration()
    .default("290s")
    .meta({ description: "Longest time that a function may take (the gateway's upstream_timeout)." }),
  scaleFromZero: f.flag().default(true).meta({
    description:
      "A call wakes a function without a replica. Must be true: otherwise the gateway calls any name or address in a path.",
  }),
  edge: f.flag().default(true).meta({
    description:
      "Calls from outside go straight to a function's replicas, through HAProxy, and to the gateway where none is ready. `false`: all of them go through the gateway.",
  }),
  maxConcurrent: f.whole(0, 100000).default(1500).meta({
    description:
      "Calls of one function at the same time that come from outside and wait for their answer. More are answered 429 with Retry-After. The annotation com.oslo-faas.max-concurrent of a function overrides it. 0: no limit. Works with `edge`.",
    unit: "calls",
  }),
  failedLogins: f.whole(0, 1000).default(10).meta({
    description:
      "Wrong passwords for /system/ and /ui/ a minute, from one address or /64 of IPv6. After them every login from there is answered 429. 0: no limit. Works with `edge`.",
    unit: "logins",
  }),
  access: f.choice(DEFAULT_LEVELS).default("public").meta({
    description:
      "Who may call a function from outside that does not say so itself (com.oslo-faas.access): everybody, or nobody. New environments are written with `internal`.",
  }),
  queue: queue.prefault({}).meta({ description: "The queue of asynchronous calls." }),
  memory: memory.prefault({}).meta({
    description:
      "The most memory that each service of the platform may take. One that takes more is ended and started again.",
  }),
  prometheusRetention: f
    .duration("1h", "87600h")
    .default("360h")
    .meta({ description: "How long Prometheus keeps its data." }),
});

const perClient = z.strictObject({
  requests: f.whole(0, 1000000).default(1000).meta({
    description: "Requests a second. 0: no limit.",
    unit: "requests",
  }),
  burst: f.whole(0, 1000000).default(2000).meta({
    description: "Requests at once, beyond the rate.",
    unit: "requests",
  }),
  connections: f.whole(0, 1000000).default(1000).meta({
    description: "Connections with a request under way; with HTTP/2, requests under way. 0: no limit.",
    unit: "connections",
  }),
});

export const nginx = z.strictObject({
  user: f
    .pattern(/^[a-z_][a-z0-9_-]{0,31}$/, "a user's name in lower case")
    .default("nginx")
    .meta({ description: "User of Nginx's workers. It is created if it does not exist." }),
  workerProcesses: z
    .union([z.literal("auto"), f.whole(1, 256)], 'must be "auto" or a whole number from 1 to 256')
    .default("auto")
    .meta({
      description: "Number of worker processes (worker_processes); auto: one per CPU.",
      kind: '"auto" or whole number',
      allowed: '"auto", 1 to 256',
    }),
  workerConnections: f
    .whole(64, 500000)
    .default(10240)
    .meta({ description: "Connections per worker (worker_connections).", unit: "connections" }),
  keepalive: f.whole(1, 10000).default(64).meta({
    description: "Idle connections that each worker keeps open, to the edge or, without one, to the gateway.",
    unit: "connections",
  }),
  keepaliveTimeout: f
    .duration()
    .default("65s")
    .meta({ description: "How long a client's idle connection stays open." }),
  proxyConnectTimeout: f
    .duration("1ms", "75s")
    .default("5s")
    .meta({ description: "Longest time to connect to the gateway (proxy_connect_timeout)." }),
  proxyReadTimeout: f
    .duration()
    .default("300s")
    .meta({ description: "Longest wait between two reads from the gateway (proxy_read_timeout)." }),
  proxySendTimeout: f
    .duration()
    .default("300s")
    .meta({ description: "Longest wait between two writes to the gateway (proxy_send_timeout)." }),
  clientMaxBodySize: f.size().default("100m").meta({ description: "Largest request body." }),
  clientHeaderTimeout: f.duration("1s").default("20s").meta({
    description: "Longest time for a client to send a request's headers (client_header_timeout).",
  }),
  clientBodyTimeout: f.duration("1s").default("30s").meta({
    description: "Longest wait between two reads of a request's body (client_body_timeout).",
  }),
  sendTimeout: f.duration("1s").default("60s").meta({
    description: "Longest wait between two writes of an answer to a client (send_timeout).",
  }),
  perClient: perClient.prefault({}).meta({
    description:
      "Limits for one client, which is an address, or a /64 of IPv6. More is answered 429 with Retry-After. The host itself has none.",
  }),
  backlog: f.whole(128, 65535).default(16384).meta({
    description: "Connections that may wait to be accepted (also net.core.somaxconn).",
    unit: "connections",
  }),
  httpPort: f.port().default(80).meta({ description: "Port for HTTP." }),
  httpsPort: f.port().default(443).meta({ description: "Port for HTTPS, used with tls." }),
  ipv6: f
    .flag()
    .default(true)
    .meta({ description: "Also listen on IPv6. Set it to false if the kernel has no IPv6." }),
  serverName: f
    .serverNames()
    .default("_")
    .meta({
      description: "Names that Nginx answers to (server_name); `_` is every name.",
      examples: ["faas.example.no"],
    }),
  tls: tls.optional().meta({
    description:
      "TLS with a certificate that is ordered (`tls: auto`), or with one on the host. Default: HTTP only.",
  }),
  logAddresses: f.choice(["shortened", "whole"]).default("shortened").meta({
    description:
      "Callers' addresses in Nginx's access log: the network alone (/24, /48), or whole. The error log, which has whole addresses and queries, is kept only for failures of Nginx itself unless both logAddresses and logQueries allow them.",
  }),
  logQueries: f.flag().default(false).meta({
    description: "Query strings in Nginx's access log.",
  }),
  managementAllow: f
    .list(f.cidr())
    .default([])
    .meta({
      description:
        "Networks that may reach /system/ and /ui/, in addition to the host itself. The password is always required. Empty: all networks.",
      examples: [["198.51.100.0/24"]],
    }),
  publicUrl: f
    .url()
    .optional()
    .meta({
      description:
        "URL under which the platform is reached from outside. Default: from the host's address and port.",
      examples: ["https://faas.example.no"],
    }),
});

export const functions = f.list(
  z.strictObject({
    stack: f.file().meta({
      description: "Function file (stack.yml) in OpenFaaS's format, relative to the project.",
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
    path: f.pattern(/^\/[^\s\p{Cc}]*$/u, "a path that starts with / and contains no blanks").meta({
      description: "Path to call through Nginx at the end of an `up`.",
      examples: ["/function/hello"],
    }),
    status: f.whole(100, 599).default(200).meta({ description: "Expected status of the answer." }),
  }),
);
