/** Functions as people write them in a stack.yml, and what becomes of each: at `validate`, at the provider and at the Swarm. */

export interface FunctionInput {
  /** Keys of the function in YAML's flow style; `image` is example/x:1 where none is given. */
  keys: string;
  /** Default: fn. */
  name?: string;
  /** What has to be said of it, with the key in stack.yml's words. Not given: it is taken. */
  refused?: { key: string; text: string };
}

const hex = (count: number) => "0".repeat(count);
const refused = (keys: string, key: string, text: string): FunctionInput => ({
  keys,
  refused: { key, text },
});

const images: FunctionInput[] = [
  `x@sha256:${hex(64)}`,
  `x@sha384:${hex(96)}`,
  `x@sha512:${hex(128)}`,
  `reg.example:5000/a/b:1@sha512:${hex(128)}`,
  "X.example/a",
  "Team/a",
  "[::1]:5000/a",
].map((image) => ({ keys: `image: "${image}"` }));

const notImages = [
  `x@sha512:${hex(64)}`,
  `x@md5:${hex(32)}`,
  "a//b",
  "X",
  "a:b:c",
  hex(64),
  "http://x/y",
  "a".repeat(256),
].map((image) => refused(`image: "${image}"`, "image", "is not the name of an image"));

const timeouts: FunctionInput[] = [".5s", "500us", "500µs", "1.s", "1h2m3.5s", "90", "0"].map((text) => ({
  keys: `environment: { exec_timeout: "${text}" }`,
}));

const amounts: FunctionInput[] = [
  "requests: { memory: 1Mi, cpu: 0m }",
  "limits: { memory: 5m }",
  "limits: { memory: 5Mi }, requests: { memory: 5Mi }",
  "limits: { memory: 0 }, requests: { memory: 64Mi }",
  "limits: { cpu: 0.5m }",
  "limits: { cpu: .5 }",
  "limits: { memory: '' }",
  "limits: { memory: }",
  "limits: { memory: 64Mi }, requests: { memory: 65536Ki }",
].map((keys) => ({ keys }));

const notAmounts = [
  refused(
    "limits: { memory: 64Mi }, requests: { memory: 128Mi }",
    "requests.memory",
    "128Mi is above limits.memory, 64Mi",
  ),
  refused("limits: { cpu: 500m }, requests: { cpu: 1 }", "requests.cpu", "1 is above limits.cpu, 500m"),
  refused("limits: { memory: lots }", "limits.memory", "is not an amount"),
  refused("requests: { cpu: -1 }", "requests.cpu", "is not an amount"),
];

const scale = (label: string, value: string) => `labels: { com.openfaas.scale.${label}: "${value}" }`;
const labels: FunctionInput[] = [
  ...[
    scale("min", "0"),
    scale("max", "1"),
    scale("factor", "0"),
    scale("factor", "100"),
    scale("zero", "true"),
    scale("zero-duration", "1.5h"),
    scale("zero-duration", "90"),
    "labels: { team: a, com.example.profile: gpu }",
    "labels: { com.openfaas.function: fn, function: true, com.oslo-faas.managed: true }",
  ].map((keys) => ({ keys })),
  ...(
    [
      ["factor", "200", "must be a whole number, from 0 to 100"],
      ["factor", "", "must be a whole number"],
      ["min", "-1", "must be a whole number, 0 or more"],
      ["min", "two", "must be a whole number"],
      ["max", "0", "must be a whole number, 1 or more"],
      ["max", "1.5", "must be a whole number"],
      ["zero", "True", "is neither true nor false"],
      ["zero", "1", "is neither true nor false"],
      ["zero-duration", "0", "is not a duration"],
      ["zero-duration", "soon", "is not a duration"],
      ["type", "capacity", "does nothing here"],
      ["target", "50", "does nothing here"],
    ] as const
  ).map(([label, value, text]) => refused(scale(label, value), `labels.com.openfaas.scale.${label}`, text)),
  refused(
    "labels: { com.openfaas.scale.min: 5, com.openfaas.scale.max: 2 }",
    "labels.com.openfaas.scale.min",
    "5 is above",
  ),
  ...(
    [
      ["com.openfaas.function", "other"],
      ["function", "no"],
      ["com.openfaas.annotations.topic", "t"],
      ["com.openfaas.resources.limits.cpu", "1"],
      ["com.oslo-faas.managed", "false"],
    ] as const
  ).map(([label, value]) =>
    refused(`labels: { ${label}: ${value} }`, `labels.${label}`, "is the platform's own"),
  ),
  refused('labels: { "": a }', "labels.", "has no name"),
  refused(
    "labels: { com.openfaas.health.http.path: / }",
    "labels.com.openfaas.health.http.path",
    "it belongs under annotations",
  ),
];

const health = (what: string, value: string) => `annotations: { com.openfaas.${what}: "${value}" }`;
const access = (level: string, more = "") => `annotations: { com.oslo-faas.access: "${level}"${more} }`;
const tokens = (text: string) => `, com.oslo-faas.access-tokens: "${text}"`;
const networks = (text: string) => `, com.oslo-faas.access-networks: "${text}"`;
const [TOKENS, NETWORKS] = ["tokens", "networks"].map(
  (what) => `annotations.com.oslo-faas.access-${what}`,
) as [string, string];
const callers: FunctionInput[] = [
  ...[
    access("public"),
    access("internal"),
    access("token", tokens(hex(64))),
    access("token", tokens(`ci=${hex(64)}, a.b-c=${hex(64)} ${hex(64)}`)),
    access("networks", networks("10.0.0.0/8, 198.51.100.7/32 2001:db8::/32, ::/0")),
  ].map((keys) => ({ keys })),
  refused(access("open"), "annotations.com.oslo-faas.access", "must be one of public, internal"),
  refused(access("Public"), "annotations.com.oslo-faas.access", "must be one of public, internal"),
  refused(access("token"), TOKENS, "is required"),
  refused(access("networks"), NETWORKS, "is required"),
  refused(access("token", tokens(" ")), TOKENS, "is empty"),
  ...["secret", hex(63), `ci:${hex(64)}`, "A".repeat(64)].map((word) =>
    refused(access("token", tokens(word)), TOKENS, `"${word}" is not the SHA-256 of a token`),
  ),
  ...["10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "example.no/8", "2001:db8::1/32", "010.0.0.0/8"].map((word) =>
    refused(access("networks", networks(word)), NETWORKS, `"${word}" is not a network`),
  ),
  refused(access("public", tokens(hex(64))), TOKENS, "does nothing here without"),
  refused(`annotations: { ${networks("10.0.0.0/8").slice(2)} }`, NETWORKS, "does nothing here without"),
  refused(
    "labels: { com.oslo-faas.access: public }",
    "labels.com.oslo-faas.access",
    "it belongs under annotations",
  ),
];

const annotations: FunctionInput[] = [
  ...callers,
  ...[
    health("health.http.path", "/healthz"),
    health("health.http.initialDelay", "30s"),
    health("health.http.initialDelaySeconds", "0"),
    health("health.http.periodSeconds", "5"),
    health("health.http.timeoutSeconds", "500ms"),
    health("health.http.failureThreshold", "3"),
    health("health.http.successThreshold", "1"),
    health("ready.http.path", "/ready"),
    health("ready.http.initialDelay", "1m"),
    health("health.tcp", "true"),
    "annotations: { topic: orders, git.sha: abc }",
    'annotations: { topic: cron-function, schedule: "0 4 * * MON-FRI" }',
    'annotations: { topic: "orders, cron-function", schedule: "@daily" }',
    "labels: { topic: orders }",
    "annotations: { com.oslo-faas.wait-seconds: 600 }",
    "annotations: { com.oslo-faas.pids: 4096 }",
    'annotations: { com.oslo-faas.capabilities: "CHOWN, SETUID SETGID" }',
    "annotations: { com.oslo-faas.new-privileges: true }",
    "annotations: { com.oslo-faas.max-concurrent: 50 }",
    "annotations: { com.oslo-faas.max-concurrent: 0 }",
  ].map((keys) => ({ keys })),
  ...(
    [
      ["pids", "0", "must be a whole number from 16"],
      ["pids", "many", "must be a whole number from 16"],
      ["capabilities", "SYS_ADMIN", "cannot be kept"],
      ["capabilities", "ALL", "cannot be kept"],
      ["new-privileges", "yes", "is neither true nor false"],
      ["max-concurrent", "-1", "is not a whole number from 0"],
    ] as const
  ).map(([what, value, text]) =>
    refused(`annotations: { com.oslo-faas.${what}: "${value}" }`, `annotations.com.oslo-faas.${what}`, text),
  ),
  refused(
    "labels: { com.oslo-faas.max-concurrent: 64 }",
    "labels.com.oslo-faas.max-concurrent",
    "it belongs under annotations",
  ),
  refused("labels: { com.oslo-faas.pids: 64 }", "labels.com.oslo-faas.pids", "it belongs under annotations"),
  ...(
    [
      ["health.http.path", "healthz", "is not a path"],
      ["health.http.initialDelay", "soon", "is not a time"],
      ["health.http.periodSeconds", "0", "is not a time"],
      ["health.http.failureThreshold", "0", "must be a whole number"],
      ["health.http.port", "80", "is not known"],
      ["health.grpc", "true", "is not known"],
      ["health.tcp", "yes", "is neither true nor false"],
      ["scale.zero", "true", "it belongs under labels"],
      ["scale.type", "rps", "does nothing here"],
      ["profile", "gpu", "does nothing here"],
    ] as const
  ).map(([what, value, text]) => refused(health(what, value), `annotations.com.openfaas.${what}`, text)),
  refused('annotations: { schedule: "@daily" }', "annotations.schedule", "does nothing here without topic"),
  refused("annotations: { topic: cron-function }", "annotations.schedule", "is required"),
  refused(
    'annotations: { topic: cron-function, schedule: "0 4 * *" }',
    "annotations.schedule",
    "must be five fields",
  ),
  refused(
    'annotations: { topic: cron-function, schedule: "0 4 31 2 *" }',
    "annotations.schedule",
    "never comes",
  ),
  refused('labels: { schedule: "@daily" }', "labels.schedule", "it belongs under annotations"),
  refused(
    "annotations: { com.oslo-faas.wait-seconds: 5m }",
    "annotations.com.oslo-faas.wait-seconds",
    "is not whole seconds from 5 to 1800",
  ),
];

const variables: FunctionInput[] = [
  { keys: 'environment: { A.b-c: x, "1": "=", æ: "two\\nlines" }' },
  { keys: "fprocess: cat" },
  { keys: "environment: { fprocess: cat }" },
  refused('environment: { "my var": x }', "environment.my var", "cannot name a variable"),
  refused('environment: { "a=b": x }', "environment.a=b", "cannot name a variable"),
  refused('environment: { "": x }', "environment.", "cannot name a variable"),
  refused('environment: { A: "a\\0b" }', "environment.A", "has a NUL character in it"),
  refused("fprocess: cat, environment: { fprocess: cat }", "environment.fprocess", "give one of them"),
];

const names: FunctionInput[] = [
  { name: "a", keys: "" },
  { name: "0-0", keys: "" },
  { name: "x".repeat(63), keys: "" },
  { name: "nats-2", keys: "" },
  ...["A", "a_b", "a.b", "-a", "x".repeat(64)].map((name) => ({
    name,
    keys: "",
    refused: { key: "", text: "must be lower-case letters" },
  })),
  ...[
    "alertmanager",
    "basic-auth-plugin",
    "edge",
    "exporter",
    "gateway",
    "intake",
    "nats",
    "nats-streaming",
    "prometheus",
    "queue-worker",
    "swarm-provider",
  ].map((name) => ({ name, keys: "", refused: { key: "", text: "is the name of a service of the stack" } })),
];

const others: FunctionInput[] = [
  { keys: "secrets: [api-key, a.b_c]" },
  refused("secrets: [a/b]", "secrets.0", "must be letters, digits"),
  refused("secrets: [a, a]", "secrets.1", "is given twice"),
  { keys: 'constraints: ["node.role == worker", "node.labels.disk!=slow", "engine.labels.a==b"]' },
  refused('constraints: ["node.role=worker"]', "constraints.0", "is not like node.role==worker"),
  refused('constraints: ["disk==fast"]', "constraints.0", "is not like node.role==worker"),
  refused('constraints: ["node.labels.a==b,c"]', "constraints.0", "is not like node.role==worker"),
];

export const FUNCTION_INPUTS: FunctionInput[] = [
  ...images,
  ...notImages,
  ...timeouts,
  ...amounts,
  ...notAmounts,
  ...labels,
  ...annotations,
  ...variables,
  ...names,
  ...others,
];
