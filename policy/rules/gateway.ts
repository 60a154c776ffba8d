import type { PolicyResource, StackValidationPolicy } from "@pulumi/policy";
import { known } from "./known";

const FILE = "host:index:File";
const UNIT = "host:index:SystemdUnit";
const RULES = "/etc/oslo-faas/firewall.nft";

/** The widest network that is still somebody's, and not the world in one piece or in halves. */
const WIDEST = { v4: 8, v6: 16 };

/** What a service or a container publishes, as its provider has it. */
const PORTS: Record<string, (props: Props) => Port[]> = {
  "docker:index/service:Service": ({ endpointSpec }) =>
    (endpointSpec?.ports ?? []).map(({ publishedPort }) => ({ number: publishedPort })),
  "docker:index/container:Container": ({ ports }) =>
    (ports ?? []).map(({ external, ip }) => ({ number: external, ip })),
};

interface Props {
  endpointSpec?: { ports?: { publishedPort?: number }[] };
  ports?: { external?: number; ip?: string }[];
}

interface Port {
  /** Undefined: one that the engine chooses. */
  number?: number;
  /** Address it is published on. Default: all. */
  ip?: string;
}

/**
 * A port that the engine publishes is open to the world unless something closes it: neither ufw nor the input chain sees such a packet.
 * So each needs its number in the table that is loaded before the engine, and the unit that loads it.
 */
export const gatewayIsClosed: StackValidationPolicy = {
  name: "gateway-port-closed",
  description: "The ports of services, the gateway's above all, are not open to the world.",
  enforcementLevel: "mandatory",
  validateStack: ({ resources }, reportViolation) => {
    const table = resources.find(
      ({ type, props }) => type === FILE && known(() => props.path as unknown) === RULES,
    );
    const loaded = resources.some(
      ({ type, props }) =>
        type === UNIT && known(() => props.active === true && String(props.content ?? "").includes(RULES)),
    );
    const content = (loaded && known(() => String(table?.props.content ?? ""))) || "";
    const closed = closedPorts(content);
    for (const one of resources)
      for (const port of openPorts(one, closed))
        reportViolation(
          `${one.name} publishes ${port} and nothing closes it to the outside (firewall.enabled, firewall of the host component)`,
          one.urn,
        );
    for (const network of acceptedNetworks(content).filter(isWorld))
      reportViolation(
        `the closed ports are open to ${network}, a network that is the whole world or a large part of it (firewall.swarmPeers)`,
        table?.urn,
      );
  },
};

function openPorts({ type, props }: PolicyResource, closed: Set<number>): string[] {
  const ports = known(() => PORTS[type]?.(props as Props)) ?? [];
  return ports
    .filter(({ number, ip }) => !isLoopback(ip) && !(number && closed.has(number)))
    .map(({ number }) => (number ? `port ${number}` : "a port that the engine chooses"));
}

const isLoopback = (ip: string | undefined): boolean =>
  ip !== undefined && (/^127\./.test(ip) || ip === "::1");

/** Ports of "tcp dport { 8080, 2377 } drop". */
function closedPorts(content: string): Set<number> {
  const lists = [...content.matchAll(/^\s*tcp dport \{([^}]*)\} drop\s*$/gm)];
  return new Set(lists.flatMap(([, list]) => list!.split(",").map((port) => Number(port.trim()))));
}

/** Networks of "ip saddr { 192.0.2.0/24 } accept". */
function acceptedNetworks(content: string): string[] {
  const lists = [...content.matchAll(/^\s*ip6? saddr \{([^}]*)\} accept\s*$/gm)];
  return lists.flatMap(([, list]) => list!.split(",").map((network) => network.trim()));
}

function isWorld(network: string): boolean {
  const [address = "", bits] = network.split("/");
  return bits !== undefined && Number(bits) < (address.includes(":") ? WIDEST.v6 : WIDEST.v4);
}
