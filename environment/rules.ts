/** Rules across several values of an environment. Each is a sentence for docs/configuration.md and a check. */
import { AFTER_LIMIT_MS } from "../shared/queueLimits";
import { NETWORK_RULES } from "./networkRules";
import type { Get, Rule, Violation } from "./rule";
import { TLS_RULES } from "./tlsRules";
import { bytes, seconds } from "./units";

/** `path` must be at least as long as each of `others`; the message names the longest. */
function longer(get: Get, path: string, others: string[], why: string): Violation[] {
  const own = get<string>(path);
  if (own === undefined) return [];
  const tooLong = others
    .map((name) => ({ name, value: get<string>(name) }))
    .filter((other): other is { name: string; value: string } => other.value !== undefined)
    .filter(({ value }) => seconds(own) < seconds(value))
    .sort((a, b) => seconds(b.value) - seconds(a.value))[0];
  if (!tooLong) return [];
  return [{ path, message: `is below ${tooLong.name} ${tooLong.value}: ${why}`, others: [tooLong.name] }];
}

/** Repeated entries of a list. @param by the member that must be unique. Default: the entry itself */
function duplicates(get: Get, path: string, by?: string): Violation[] {
  const seen = new Map<string, number>();
  const found: Violation[] = [];
  // One wrong element makes the whole list undefined, so each element is read alone.
  for (let i = 0; i < (get<number>(`${path}.length`) ?? 0); i++) {
    const at = by === undefined ? `${path}.${i}` : `${path}.${i}.${by}`;
    const value = get<unknown>(at);
    if (value === undefined) continue;
    const key = JSON.stringify(value);
    if (seen.has(key)) found.push({ path: at, message: `repeats ${path}.${seen.get(key)}` });
    else seen.set(key, i);
  }
  return found;
}

function hostKeys(get: Get): Violation[] {
  const [key, file] = [get("host.hostKey"), get("host.hostKeyFile")];
  const written = (path: string) => get<string>(`${path}?`);
  if (written("host") !== "mapping") return [];
  if (key !== undefined && file !== undefined)
    return [{ path: "host.hostKeyFile", message: "contradicts host.hostKey: set one of the two" }];
  if (!written("host.hostKey") && !written("host.hostKeyFile"))
    return [
      {
        path: "host.hostKey",
        message:
          "is required: an unknown host is never trusted (or set hostKeyFile; `npx oslo-faas env new` fetches and shows a host's key)",
      },
    ];
  return [];
}

function ownJump(get: Get): Violation[] {
  const jump = get<string>("host.jump.address");
  const same =
    jump !== undefined && jump === get("host.address") && get("host.jump.port") === get("host.port");
  return same
    ? [{ path: "host.jump.address", message: "is the host itself; a jump host is another machine" }]
    : [];
}

/** A URL has two possible places because it can be a secret, and Alertmanager posts to only one of them. */
function alertTargets(get: Get): Violation[] {
  const found: Violation[] = [];
  if (get("alerts.webhook.url?") && get("alertWebhookUrl?") === "secret")
    found.push({
      path: "alerts.webhook.url",
      message: "contradicts the secret alertWebhookUrl: set one of the two",
      others: ["alertWebhookUrl"],
    });
  if (get("alerts.email.username?") && !get("alertSmtpPassword?"))
    found.push({
      path: "alerts.email.username",
      message: "needs a password; set it with: pulumi config set --secret alertSmtpPassword",
    });
  return found;
}

const HANGS_UP = (who: string) => `${who} would give up before the function's answer`;

export const RULES: readonly Rule[] = [
  {
    sentence: "Exactly one of host.hostKey and host.hostKeyFile is set.",
    check: hostKeys,
  },
  {
    sentence:
      "At most one of alerts.webhook.url and the secret alertWebhookUrl is set. alerts.email.username needs the secret alertSmtpPassword.",
    check: alertTargets,
  },
  {
    sentence: "openfaas.scaleFromZero is true.",
    check: (get) =>
      get("openfaas.scaleFromZero") === false
        ? [
            {
              path: "openfaas.scaleFromZero",
              message:
                "cannot be false: the gateway would call any name or address that a caller puts into a path; only with true does it check that the function exists",
            },
          ]
        : [],
  },
  {
    sentence: "openfaas.access is public where openfaas.edge is false.",
    check: (get) =>
      get("openfaas.edge") === false && get("openfaas.access") === "internal"
        ? [
            {
              path: "openfaas.access",
              message: 'cannot be "internal" with openfaas.edge false: only the edge keeps callers out',
              others: ["openfaas.edge"],
            },
          ]
        : [],
  },
  { sentence: "host.jump is another machine than host, or another port.", check: ownJump },
  {
    sentence: "openfaas.readTimeout and openfaas.writeTimeout are not below openfaas.upstreamTimeout.",
    check: (get) =>
      ["openfaas.readTimeout", "openfaas.writeTimeout"].flatMap((path) =>
        longer(get, path, ["openfaas.upstreamTimeout"], HANGS_UP("the gateway")),
      ),
  },
  {
    sentence: "nginx.proxyReadTimeout and nginx.proxySendTimeout are not below the gateway's three timeouts.",
    check: (get) =>
      ["nginx.proxyReadTimeout", "nginx.proxySendTimeout"].flatMap((path) =>
        longer(
          get,
          path,
          ["openfaas.upstreamTimeout", "openfaas.readTimeout", "openfaas.writeTimeout"],
          HANGS_UP("Nginx"),
        ),
      ),
  },
  {
    sentence: `openfaas.queue.ackWait is more than ${AFTER_LIMIT_MS / 1000} s above openfaas.upstreamTimeout, to leave time for the callback.`,
    check: (get) => {
      const [wait, call] = [get<string>("openfaas.queue.ackWait"), get<string>("openfaas.upstreamTimeout")];
      const after = AFTER_LIMIT_MS / 1000;
      if (wait === undefined || call === undefined || seconds(wait) > seconds(call) + after) return [];
      const message = `must be more than openfaas.upstreamTimeout ${call} plus ${after}s for the callback: a long call would be delivered twice`;
      return [{ path: "openfaas.queue.ackWait", message, others: ["openfaas.upstreamTimeout"] }];
    },
  },
  {
    sentence: "openfaas.queue.retry.minDelay is not above openfaas.queue.retry.maxDelay.",
    check: (get) =>
      longer(
        get,
        "openfaas.queue.retry.maxDelay",
        ["openfaas.queue.retry.minDelay"],
        "the first wait would be the longest",
      ),
  },
  {
    sentence: "openfaas.queue.maxBody is not above a quarter of openfaas.queue.maxBytes.",
    check: (get) => {
      const [body, log] = [get<string>("openfaas.queue.maxBody"), get<string>("openfaas.queue.maxBytes")];
      if (body === undefined || log === undefined || bytes(body) * 4 <= bytes(log)) return [];
      return [
        {
          path: "openfaas.queue.maxBody",
          message: `is above a quarter of openfaas.queue.maxBytes ${log}: a few calls would push out the waiting ones`,
          others: ["openfaas.queue.maxBytes"],
        },
      ];
    },
  },
  ...NETWORK_RULES,
  ...TLS_RULES,
  {
    sentence: "nginx.keepalive is below nginx.workerConnections, which it is part of.",
    check: (get) => {
      const [keep, all] = [get<number>("nginx.keepalive"), get<number>("nginx.workerConnections")];
      if (keep === undefined || all === undefined || keep < all) return [];
      return [
        {
          path: "nginx.keepalive",
          message: `must be below nginx.workerConnections ${all}`,
          others: ["nginx.workerConnections"],
        },
      ];
    },
  },
  {
    sentence: "nginx.workerConnections is not above base.openFiles: each connection is an open file.",
    check: (get) => {
      const [files, all] = [get<number>("base.openFiles"), get<number>("nginx.workerConnections")];
      if (files === undefined || all === undefined || all <= files) return [];
      return [
        {
          path: "nginx.workerConnections",
          message: `is above base.openFiles ${files}: each connection is an open file`,
          others: ["base.openFiles"],
        },
      ];
    },
  },
  {
    sentence: "docker.version is only for docker.source docker.",
    check: (get) =>
      get("docker.version") !== undefined && get("docker.source") === "distro"
        ? [
            {
              path: "docker.version",
              message: 'contradicts docker.source "distro": the distribution has one version',
            },
          ]
        : [],
  },
  {
    sentence:
      "These lists have no entry twice: functions (stack), functions.only, checks (path), firewall.swarmPeers, firewall.containersReach, nginx.managementAllow, docker.registryMirrors, docker.insecureRegistries.",
    check: (get) => [
      ...duplicates(get, "functions", "stack"),
      ...Array.from({ length: get<number>("functions.length") ?? 0 }).flatMap((_, i) =>
        duplicates(get, `functions.${i}.only`),
      ),
      ...duplicates(get, "checks", "path"),
      ...[
        "firewall.swarmPeers",
        "firewall.containersReach",
        "nginx.managementAllow",
        "docker.registryMirrors",
        "docker.insecureRegistries",
      ].flatMap((path) => duplicates(get, path)),
    ],
  },
];
