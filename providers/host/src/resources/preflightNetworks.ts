/**
 * Networks that the engine is going to make, held against those that the host and the operator are in. The engine itself avoids what the
 * host has a route for; it cannot know where its operator is, and a swarm takes its addresses without looking.
 */
import { IPv4 } from "ipaddr.js";
import { alone, overlap } from "../../../../shared/networks";
import type { Finding } from "./preflightFinding";
import type { EngineNetworks } from "./preflightInputs";

/** What facts.sh says of the host's networks. */
export interface HostNetworks {
  /** Address of each interface with its prefix; the engine's bridges are among them. */
  interfaces: { name: string; cidr: string }[];
  /** Networks that the host has a route for, without those of the engine's bridges. */
  routes: string[];
  /** Address that the SSH connection comes from; "" where it is not known. */
  client: string;
}

type Pool = EngineNetworks["pools"][number];

/** The engine's own default (libnetwork's ipamutils), in the order in which it takes them. */
const DEFAULT_POOLS: readonly Pool[] = [
  { base: "172.17.0.0/16", size: 16 },
  { base: "172.18.0.0/16", size: 16 },
  { base: "172.19.0.0/16", size: 16 },
  { base: "172.20.0.0/14", size: 16 },
  { base: "172.24.0.0/14", size: 16 },
  { base: "172.28.0.0/14", size: 16 },
  { base: "192.168.0.0/16", size: 20 },
];

const ENGINE_INTERFACE = /^(docker|br-|veth)/;

function* subnets(pools: readonly Pool[]): Generator<string> {
  for (const { base, size } of pools) {
    const prefix = Number(base.split("/")[1]);
    const first = IPv4.networkAddressFromCIDR(base).octets.reduce((sum, octet) => sum * 256 + octet, 0);
    for (let i = 0; i < 2 ** (size - prefix); i++) {
      const at = first + i * 2 ** (32 - size);
      yield `${[24, 16, 8, 0].map((bits) => Math.floor(at / 2 ** bits) % 256).join(".")}/${size}`;
    }
  }
}

interface Planned {
  name: string;
  cidr: string;
  /** The setting that moves it. */
  key: string;
}

/** What the engine will take at its first start, in its order; what exists already is not planned any more. */
function planned(found: HostNetworks, wanted: EngineNetworks): Planned[] {
  const exists = (name: string) => found.interfaces.some((one) => one.name === name);
  const taken = [...found.routes, ...found.interfaces.map(({ cidr }) => cidr)];
  if (wanted.bip) taken.push(wanted.bip);
  const pools = wanted.pools.length > 0 ? wanted.pools : DEFAULT_POOLS;
  const next = (): string | undefined => {
    for (const subnet of subnets(pools)) {
      if (taken.some((network) => overlap(network, subnet))) continue;
      taken.push(subnet);
      return subnet;
    }
    return undefined;
  };
  const plan: Planned[] = wanted.overlay.map((cidr) => ({
    name: "the swarm's networks",
    cidr,
    key: "swarm.addressPool",
  }));
  const docker0 = wanted.bip ?? (exists("docker0") ? undefined : next());
  if (docker0) plan.push({ name: "docker0", cidr: docker0, key: "docker.bip" });
  const gwbridge = exists("docker_gwbridge") ? undefined : next();
  if (gwbridge) plan.push({ name: "docker_gwbridge", cidr: gwbridge, key: "docker.defaultAddressPools" });
  return plan;
}

/** A network of the engine that lies over one that the host or the operator is in: from then on the host's answers go astray. */
export function checkNetworks(found: HostNetworks, wanted: EngineNetworks): Finding[] {
  const own = found.interfaces.filter(({ name }) => !ENGINE_INTERFACE.test(name));
  const used = own.map(({ name, cidr }) => ({ cidr, what: `the host's own ${cidr} on ${name}` }));
  const { client } = found;
  // Of a client in one of the host's own networks the host's address says as much.
  if (client && !own.some(({ cidr }) => overlap(cidr, alone(client))))
    used.push({ cidr: alone(client), what: `${client}, where this connection comes from` });
  return planned(found, wanted).flatMap(({ name, cidr, key }) =>
    used
      .filter((one) => overlap(one.cidr, cidr))
      .map(({ what }) => ({
        what: `the network of ${name}`,
        found: `${cidr} contains ${what}`,
        wanted: "a network that contains neither the host nor the machine that connects to it",
        remedy: `set ${key} to a free private network: when the engine starts, the host would be cut off`,
      })),
  );
}
