import type { PolicyResource, StackValidationPolicy } from "@pulumi/policy";

const SERVICE = "docker:index/service:Service";
const FILE = "host:index:File";
const UNIT = "host:index:SystemdUnit";
const RULES = "/etc/oslo-faas/firewall.nft";

/** Networks that are the whole world, or half of it. */
const WORLD = /\b0\.0\.0\.0\/[01]\b|(?<![0-9a-f])::\/[01]\b/;

/**
 * A port that the engine publishes is open to the world unless something closes it: neither ufw nor the input chain sees such a packet.
 * So each needs its number in the table that is loaded before the engine, and the unit that loads it.
 */
export const gatewayIsClosed: StackValidationPolicy = {
  name: "gateway-port-closed",
  description: "The ports of services, the gateway's above all, are not open to the world.",
  enforcementLevel: "mandatory",
  validateStack: ({ resources }, reportViolation) => {
    const table = resources.find(({ type, props }) => type === FILE && props.path === RULES);
    const loaded = resources.some(
      ({ type, props }) =>
        type === UNIT && props.active === true && String(props.content ?? "").includes(RULES),
    );
    const content = loaded ? String(table?.props.content ?? "") : "";
    const closed = closedPorts(content);
    for (const service of resources.filter(({ type }) => type === SERVICE))
      for (const port of publishedPorts(service))
        if (!closed.has(port))
          reportViolation(
            `${service.name} publishes port ${port} and nothing closes it to the outside (firewall.enabled, firewall of the host component)`,
            service.urn,
          );
    if (WORLD.test(content))
      reportViolation(
        "the closed ports are open to a network that is the whole world (firewall.swarmPeers)",
        table?.urn,
      );
  },
};

function publishedPorts({ props }: PolicyResource): number[] {
  const ports = (props.endpointSpec as { ports?: { publishedPort?: number }[] } | undefined)?.ports ?? [];
  return ports.flatMap(({ publishedPort }) => (publishedPort ? [publishedPort] : []));
}

/** Ports of "tcp dport { 8080, 2377 } drop". */
function closedPorts(content: string): Set<number> {
  const lists = [...content.matchAll(/^\s*tcp dport \{([^}]*)\} drop\s*$/gm)];
  return new Set(lists.flatMap(([, list]) => list!.split(",").map((port) => Number(port.trim()))));
}
