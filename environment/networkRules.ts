/** Rules across values about ports, networks and packages. */
import { isIP } from "node:net";
import { alone, isNetwork, networkAround, overlap } from "../shared/networks";
import { PRIVATE_NETWORKS } from "./addresses";
import type { Get, Rule, Violation } from "./rule";

interface Owner {
  /** The listener, for a message. */
  name: string;
  /** The key that sets the port, if one does. */
  path?: string;
}

/** Ports that are always taken. */
const OWNERS: readonly [number, Owner][] = [
  [22, { name: "the host's SSH server" }],
  [2377, { name: "the swarm's management" }],
  [7946, { name: "the swarm's gossip" }],
];

/** Otherwise a login at host.port would reach Nginx, or the gateway's port, which is closed to the outside. */
function listeners(get: Get): Violation[] {
  const names = ["openfaas.gatewayPort", "nginx.httpPort", ...(get("nginx.tls") ? ["nginx.httpsPort"] : [])];
  const owners = new Map<number, Owner>(OWNERS);
  const ssh = get<number>("host.port");
  if (ssh !== undefined) owners.set(ssh, { name: "host.port", path: "host.port" });
  return names.flatMap((path) => {
    const port = get<number>(path);
    if (port === undefined) return [];
    const owner = owners.get(port);
    owners.set(port, { name: path, path });
    if (!owner) return [];
    const message = `is used by two listeners: ${owner.name} has ${port} too`;
    return [{ path, message, others: owner.path ? [owner.path] : [] }];
  });
}

function addressPool(get: Get): Violation[] {
  const path = "swarm.addressPool";
  const value = get<string>(path);
  if (value === undefined) return [];
  const [first = 0, prefix = 0] = [value.split(".")[0], value.split("/")[1]].map(Number);
  if (!isNetwork(value, 4) || prefix > 24 || prefix < 8)
    return [
      { path, message: "must be an IPv4 network from /8 to /24: every overlay network takes a /24 of it" },
    ];
  const ofHosts = first >= 1 && first <= 223 && first !== 127;
  return ofHosts ? [] : [{ path, message: "has no addresses for containers" }];
}

/** The engine's networks lie apart from each other and from the host. What the host itself is in, preflight sees. */
function engineNetworks(get: Get): Violation[] {
  const pools = Array.from({ length: get<number>("docker.defaultAddressPools.length") ?? 0 }, (_, i) => ({
    path: `docker.defaultAddressPools.${i}.base`,
    value: get<string>(`docker.defaultAddressPools.${i}.base`),
    size: get<number>(`docker.defaultAddressPools.${i}.size`),
  }));
  const networks = [
    { path: "docker.bip", value: get<string>("docker.bip") },
    { path: "swarm.addressPool", value: get<string>("swarm.addressPool") },
    ...pools,
  ].filter((one): one is { path: string; value: string } => one.value !== undefined);
  const wrong = networks
    .filter(({ path, value }) => path !== "swarm.addressPool" && !isNetwork(value, 4))
    .map(({ path }) => ({ path, message: "must be IPv4, with a prefix from 0 to 32" }));
  const [address, bip] = [get<string>("host.address"), get<string>("docker.bip")];
  const own = address && isIP(address) === 4 ? [{ path: "host.address", value: alone(address) }] : [];
  const valid = [...own, ...networks.filter(({ value }) => isNetwork(value, 4))];
  return [
    ...wrong,
    ...(bip && isNetwork(bip, 4) && !networkAround(bip)
      ? [
          {
            path: "docker.bip",
            message: "must be an address inside of its network, such as 192.168.127.1/24",
          },
        ]
      : []),
    ...pools.flatMap(({ value = "", size = 32 }, i) =>
      Number(value.split("/")[1]) > size
        ? [{ path: `docker.defaultAddressPools.${i}.size`, message: `is a wider network than ${value}` }]
        : [],
    ),
    ...valid.flatMap(({ path, value }, i) =>
      valid.slice(0, i).flatMap((other) =>
        overlap(other.value, value)
          ? [
              {
                path,
                message: `overlaps with ${other.path} ${other.value.replace(/\/32$/, "")}`,
                others: [other.path],
              },
            ]
          : [],
      ),
    ),
  ];
}

const networksOf = (get: Get, list: string) =>
  Array.from({ length: get<number>(`${list}.length`) ?? 0 }, (_, i) => ({
    path: `${list}.${i}`,
    value: get<string>(`${list}.${i}`),
  })).filter((network): network is { path: string; value: string } => network.value !== undefined);

/** Private addresses that the firewall would keep alerts from. The address behind a name is known only on the host. */
function alertsReach(get: Get): Violation[] {
  if (!get("firewall.enabled")) return [];
  const reach = networksOf(get, "firewall.containersReach");
  const targets: [string, string | undefined][] = [
    ["alerts.webhook.url", hostOf(get<string>("alerts.webhook.url"))],
    ["alerts.email.smarthost", get<string>("alerts.email.smarthost")?.split(":")[0]],
  ];
  return targets.flatMap(([path, address = ""]) => {
    const alone = `${address}/${isIP(address) === 6 ? 128 : 32}`;
    if (!isIP(address) || !PRIVATE_NETWORKS.some((network) => overlap(network, alone))) return [];
    if (reach.some(({ value }) => overlap(value, alone))) return [];
    const message = `is a private address that firewall.containersReach lacks: add ${alone} there`;
    return [{ path, message }];
  });
}

const hostOf = (url: string | undefined) =>
  url && URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : undefined;

/** Some releases of nft refuse a set with two overlapping networks, and one fails silently. */
function overlapping(get: Get, list: string): Violation[] {
  const networks = networksOf(get, list);
  return networks.flatMap(({ path, value }, i) => {
    // Equal entries are reported as repeated.
    const other = networks
      .slice(0, i)
      .find((before) => before.value !== value && overlap(before.value, value));
    return other
      ? [{ path, message: `overlaps with ${other.path} ${other.value}: the wider one is enough` }]
      : [];
  });
}

function repositoryKey(get: Get): Violation[] {
  const uri = get<string>("docker.repository.uri");
  if (get("docker.source") !== "docker" || !uri?.startsWith("http:")) return [];
  if (get<string>("docker.repository.keyUrl?")) return [];
  return [
    {
      path: "docker.repository.uri",
      message: "needs docker.repository.keyUrl, with https:// or file:///: a key is not fetched without TLS",
    },
  ];
}

/** Packages that docker.source installs, in the version of docker.version. */
const ENGINE = ["docker.io", "docker-ce", "docker-ce-cli", "containerd", "containerd.io"];

function packages(get: Get): Violation[] {
  const seen = new Map<string, string>();
  return Array.from({ length: get<number>("base.packages.length") ?? 0 }).flatMap((_, i): Violation[] => {
    const path = `base.packages.${i}`;
    const name = get<string>(path)?.replace(/>?=.*/, "");
    if (name === undefined) return [];
    if (ENGINE.includes(name))
      return [{ path, message: "belongs to the engine: see docker.source and docker.version" }];
    const before = seen.get(name);
    if (before) return [{ path, message: `repeats ${before}` }];
    seen.set(name, path);
    return [];
  });
}

export const NETWORK_RULES: readonly Rule[] = [
  {
    sentence:
      "openfaas.gatewayPort, nginx.httpPort and, with nginx.tls, nginx.httpsPort differ from each other, from host.port, from SSH's port 22 and from the swarm's ports 2377 and 7946.",
    check: listeners,
  },
  {
    sentence: "swarm.addressPool is an IPv4 network of unicast addresses, from /8 to /24.",
    check: addressPool,
  },
  {
    sentence:
      "docker.bip, docker.defaultAddressPools and swarm.addressPool are IPv4 networks that do not overlap, and host.address is in none of them.",
    check: engineNetworks,
  },
  {
    sentence:
      "No network in firewall.swarmPeers or firewall.containersReach contains another one of the same list.",
    check: (get) => [
      ...overlapping(get, "firewall.swarmPeers"),
      ...overlapping(get, "firewall.containersReach"),
    ],
  },
  {
    sentence:
      "With firewall.enabled, a private address in alerts.webhook.url or alerts.email.smarthost is part of firewall.containersReach.",
    check: alertsReach,
  },
  { sentence: "docker.repository.uri with http:// needs docker.repository.keyUrl.", check: repositoryKey },
  { sentence: "base.packages has no package twice, and none that belongs to the engine.", check: packages },
];
