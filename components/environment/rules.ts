/** What two values of an environment have to agree on. Each rule is a sentence for docs/configuration.md and a check. */
import { isNetwork } from "./fields";
import { bytes, seconds } from "./units";

/** The effective value of a key: what is written, or its default. Undefined where it is wrong by itself, which is said elsewhere. */
export type Get = <T>(path: string) => T | undefined;

export interface Violation {
  path: string;
  message: string;
}

export interface Rule {
  /** For the documentation. */
  sentence: string;
  check(get: Get): Violation[];
}

/** Port → who has it, where nothing else may listen. */
const SWARM_PORTS: Record<number, string> = { 2377: "the swarm's management", 7946: "the swarm's gossip" };

/** `path` has to be at least (or, where `strictly`, above) every one of `others`; the highest of those is named. */
function longer(get: Get, path: string, others: string[], why: string, strictly = false): Violation[] {
  const own = get<string>(path);
  if (own === undefined) return [];
  const tooLong = others
    .map((name) => ({ name, value: get<string>(name) }))
    .filter((other): other is { name: string; value: string } => other.value !== undefined)
    .filter(({ value }) => (strictly ? seconds(own) <= seconds(value) : seconds(own) < seconds(value)))
    .sort((a, b) => seconds(b.value) - seconds(a.value))[0];
  if (!tooLong) return [];
  const relation = strictly ? "is not above" : "is below";
  return [{ path, message: `${relation} ${tooLong.name} ${tooLong.value}: ${why}` }];
}

/** Entries of a list that were there before. `by` is the member that has to be different, or the entry itself. */
function duplicates(get: Get, path: string, by?: string): Violation[] {
  const seen = new Map<string, number>();
  const found: Violation[] = [];
  // An element that is wrong by itself makes the list undefined as a whole; so each is looked at alone.
  for (let i = 0; i < (get<number>(`${path}.length`) ?? 0); i++) {
    const at = by === undefined ? `${path}.${i}` : `${path}.${i}.${by}`;
    const value = get<unknown>(at);
    if (value === undefined) continue;
    const key = JSON.stringify(value);
    if (seen.has(key)) found.push({ path: at, message: `is there twice, also at ${path}.${seen.get(key)}` });
    else seen.set(key, i);
  }
  return found;
}

function hostKeys(get: Get): Violation[] {
  const [key, file] = [get("host.hostKey"), get("host.hostKeyFile")];
  const written = (path: string) => get<string>(`${path}?`);
  if (written("host") !== "mapping") return [];
  if (key !== undefined && file !== undefined)
    return [{ path: "host.hostKeyFile", message: "contradicts host.hostKey: give one of the two" }];
  if (!written("host.hostKey") && !written("host.hostKeyFile"))
    return [
      {
        path: "host.hostKey",
        message:
          "is required: an unknown host is never trusted (or give hostKeyFile; `npm run env -- new` fetches and shows a host's key)",
      },
    ];
  return [];
}

function listeners(get: Get): Violation[] {
  const names = ["openfaas.gatewayPort", "nginx.httpPort", ...(get("nginx.tls") ? ["nginx.httpsPort"] : [])];
  const owners = new Map(Object.entries(SWARM_PORTS).map(([port, owner]) => [Number(port), owner]));
  return names.flatMap((path) => {
    const port = get<number>(path);
    if (port === undefined) return [];
    const owner = owners.get(port);
    owners.set(port, path);
    return owner ? [{ path, message: `one port for two listeners: ${owner} has ${port} too` }] : [];
  });
}

function addressPool(get: Get): Violation[] {
  const value = get<string>("swarm.addressPool");
  if (value === undefined) return [];
  if (isNetwork(value, 4) && Number(value.split("/")[1]) <= 24 && Number(value.split("/")[1]) >= 8) return [];
  return [
    {
      path: "swarm.addressPool",
      message: "must be an IPv4 network from /8 to /24: every overlay network takes a /24 of it",
    },
  ];
}

function ownJump(get: Get): Violation[] {
  const jump = get<string>("host.jump.address");
  const same =
    jump !== undefined && jump === get("host.address") && get("host.jump.port") === get("host.port");
  return same ? [{ path: "host.jump.address", message: "is the host itself: nothing to jump through" }] : [];
}

const HANGS_UP = (who: string) => `${who} would hang up on a function that may still answer`;

export const RULES: readonly Rule[] = [
  {
    sentence: "Of host.hostKey and host.hostKeyFile exactly one is given.",
    check: hostKeys,
  },
  { sentence: "host.jump is another machine, or another port, than host.", check: ownJump },
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
    sentence: "openfaas.queue.ackWait is above openfaas.upstreamTimeout.",
    check: (get) =>
      longer(
        get,
        "openfaas.queue.ackWait",
        ["openfaas.upstreamTimeout"],
        "a long call would be delivered twice",
        true,
      ),
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
          message: `is above a quarter of openfaas.queue.maxBytes ${log}: a few calls would push the waiting ones out`,
        },
      ];
    },
  },
  {
    sentence:
      "openfaas.gatewayPort, nginx.httpPort and, with nginx.tls, nginx.httpsPort are different, and none of the swarm's 2377 and 7946.",
    check: listeners,
  },
  {
    sentence: "nginx.keepalive is below nginx.workerConnections, out of which it is taken.",
    check: (get) => {
      const [keep, all] = [get<number>("nginx.keepalive"), get<number>("nginx.workerConnections")];
      if (keep === undefined || all === undefined || keep < all) return [];
      return [{ path: "nginx.keepalive", message: `is not below nginx.workerConnections ${all}` }];
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
          message: `is above base.openFiles ${files}: each is an open file`,
        },
      ];
    },
  },
  { sentence: "swarm.addressPool is an IPv4 network from /8 to /24.", check: addressPool },
  {
    sentence: "docker.repository.keyUrl is given where docker.repository.uri is http://.",
    check: (get) =>
      get<string>("docker.repository.uri")?.startsWith("http://") && !get("docker.repository.keyUrl?")
        ? [
            {
              path: "docker.repository.uri",
              message:
                "is without TLS, and a key is not fetched so: give docker.repository.keyUrl with https:// or file://",
            },
          ]
        : [],
  },
  {
    sentence: "docker.version is for docker.source docker.",
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
      "Nothing is twice in functions (stack), functions.only, checks (path), base.packages, firewall.swarmPeers, nginx.managementAllow, docker.registryMirrors, docker.insecureRegistries.",
    check: (get) => [
      ...duplicates(get, "functions", "stack"),
      ...Array.from({ length: get<number>("functions.length") ?? 0 }).flatMap((_, i) =>
        duplicates(get, `functions.${i}.only`),
      ),
      ...duplicates(get, "checks", "path"),
      ...[
        "base.packages",
        "firewall.swarmPeers",
        "nginx.managementAllow",
        "docker.registryMirrors",
        "docker.insecureRegistries",
      ].flatMap((path) => duplicates(get, path)),
    ],
  },
];
