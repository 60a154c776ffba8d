/** What the host component writes, as pure functions of plain values. */
import { PRIVATE_NETWORKS } from "../../environment/addresses";
import type { Environment } from "../../environment/schema";
import { VIRTUAL_MACHINES } from "../../shared/virtualization";

/** Preflight's own terms: what is accepted beside the virtual machines that always are. */
export function preflightValues({ allowVirtualization, ...least }: Environment["preflight"]) {
  return allowVirtualization.length > 0
    ? { ...least, allowVirtualization: [...VIRTUAL_MACHINES, ...allowVirtualization] }
    : { ...least, allowVirtualization: undefined };
}

/** What the later steps call on the host: curl and gnupg for the engine's key, nft for the closed ports. */
export function basePackages(further: string[], firewall: boolean): string[] {
  return ["ca-certificates", "curl", "gnupg", "tzdata", ...(firewall ? ["nftables"] : []), ...further];
}

/** What /etc/localtime pointed to before: a release without /etc/timezone says it nowhere else. */
const ZONE_FOLDER = "/var/lib/oslo-faas";
const ZONE_BEFORE = `${ZONE_FOLDER}/localtime`;
export const KEEP_ZONE = `[ -e ${ZONE_BEFORE} ] || { mkdir -p ${ZONE_FOLDER} && readlink /etc/localtime >${ZONE_BEFORE}; } || true`;

/** After /etc/timezone is back as it was; where nothing names a zone, the host was on UTC. */
export const ZONE_BACK = [
  `zone=$(cat ${ZONE_BEFORE} 2>/dev/null || true); rm -f ${ZONE_BEFORE}`,
  `rmdir ${ZONE_FOLDER} 2>/dev/null || true`,
  'cd /etc; [ -f "$zone" ] || zone=/usr/share/zoneinfo/$(cat timezone 2>/dev/null || true); [ -f "$zone" ] || zone=/usr/share/zoneinfo/Etc/UTC',
  'ln -sfn "$zone" localtime',
].join("; ");

export interface FirewallValues {
  /** TCP ports that only the host itself may reach. */
  closedTcp: number[];
  /** UDP ports likewise. */
  closedUdp: number[];
  /** Networks (CIDR) that may reach them all the same: the other nodes of the swarm. */
  peers: string[];
  /** TCP ports of the host that containers may call: those of Nginx. */
  openTcp: number[];
  /** Private networks that containers may call. */
  containersReach: string[];
}

/** The bridge of every container of the swarm; the networks between them are not on it. */
const SWARM_BRIDGE = "docker_gwbridge";

const isV6 = (network: string): boolean => network.includes(":");
const set = (values: (string | number)[]): string => `{ ${values.join(", ")} }`;

/** A rule for each family of which there are networks. */
function perFamily(networks: string[], side: "saddr" | "daddr", verdict: string): string[] {
  const v4 = networks.filter((network) => !isV6(network));
  const v6 = networks.filter(isV6);
  return [
    ...(v4.length > 0 ? [`ip ${side} ${set(v4)} ${verdict}`] : []),
    ...(v6.length > 0 ? [`ip6 ${side} ${set(v6)} ${verdict}`] : []),
  ];
}

/**
 * An nftables table of our own that closes ports to the outside and to containers. It sits in prerouting before Docker's DNAT (-100),
 * where a published port still has the number the outside used: ufw and the input chain never see such a packet (moby#22054), and
 * neither a restart of the engine nor `ufw reload` touches this table. What is on its way to another machine is left alone: a broadcast
 * or a multicast is not, for the host listens to it too.
 */
export function renderFirewall(values: FirewallValues): string {
  const chain = (name: string, rules: string[]) => [
    `  chain ${name} {`,
    ...rules.map((rule) => `    ${rule}`),
    "  }",
  ];
  return [
    "# Written by oslo-faas; changes here are drift and are put back.",
    "table inet oslo_faas",
    "delete table inet oslo_faas",
    "table inet oslo_faas {",
    ...chain("containers", containerRules(values)),
    ...chain("guard", [
      "type filter hook prerouting priority -150; policy accept;",
      'iifname "lo" accept',
      "ip daddr 127.0.0.0/8 drop",
      "ip6 daddr ::1 drop",
      `iifname "${SWARM_BRIDGE}" jump containers`,
      "fib daddr type unicast accept",
      ...perFamily(values.peers, "saddr", "accept"),
      `tcp dport ${set(values.closedTcp)} drop`,
      `udp dport ${set(values.closedUdp)} drop`,
    ]),
    // A neighbour that routes to a container's own address; only what a published port leads to is let through.
    ...chain("routed", [
      "type filter hook forward priority -150; policy accept;",
      `oifname != "${SWARM_BRIDGE}" accept`,
      "ct state established,related accept",
      "ct status dnat accept",
      "drop",
    ]),
    "}",
    "",
  ].join("\n");
}

/**
 * What a container of the swarm may send through the host: names to resolve, calls of Nginx, answers, and whatever goes to the internet. Not to
 * the swarm's own ports, where a packet could be put into any overlay network, and not to private networks that the environment does not name.
 */
function containerRules({ closedTcp, closedUdp, peers, openTcp, containersReach }: FirewallValues): string[] {
  const here = "fib daddr type != unicast";
  return [
    `${here} tcp dport ${set(closedTcp)} drop`,
    `${here} udp dport ${set(closedUdp)} drop`,
    ...perFamily(peers, "daddr", `tcp dport ${set(closedTcp)} drop`),
    ...perFamily(peers, "daddr", `udp dport ${set(closedUdp)} drop`),
    "ct state established,related accept",
    // ICMP of both families, by number: a small system has no file of names.
    "meta l4proto { 1, 58 } accept",
    "tcp dport 53 accept",
    "udp dport 53 accept",
    `${here} tcp dport ${set(openTcp)} accept`,
    `${here} drop`,
    ...perFamily(containersReach, "daddr", "accept"),
    ...perFamily(PRIVATE_NETWORKS, "daddr", "drop"),
  ];
}

export interface FirewallFiles {
  rules: string;
  script: string;
}

/**
 * The unit that loads the table before the engine starts, so that no published port is open for a moment after a boot, and puts it back when
 * somebody flushes it, as the distribution's nftables.service does when it starts. It takes nothing away when it stops.
 */
export function renderFirewallUnit({ rules, script }: FirewallFiles): string {
  return [
    "[Unit]",
    "Description=Ports of oslo-faas that stay closed to the outside",
    "Before=network-pre.target docker.service",
    "Wants=network-pre.target",
    "DefaultDependencies=no",
    "After=local-fs.target nftables.service",
    "Conflicts=shutdown.target",
    "Before=shutdown.target",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    `Environment=RULES=${rules}`,
    `ExecStartPre=/bin/sh ${script} load`,
    `ExecStart=/bin/sh ${script} watch`,
    "Restart=always",
    "RestartSec=1",
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

export interface SysctlValues {
  /** Connections waiting to be accepted, as Nginx's `backlog`. */
  backlog: number;
  /** What the environment sets itself; wins over the tuned values. */
  overrides: Record<string, string | number>;
}

/** Kernel settings that make Nginx's numbers true; the kernel caps `backlog` at somaxconn silently. */
export function renderSysctl(values: SysctlValues): Record<string, string> {
  const tuned: Record<string, string> = {
    "net.core.somaxconn": String(values.backlog),
    "net.ipv4.tcp_max_syn_backlog": String(values.backlog),
    // One proxied request takes a local port towards the gateway: more of them, and soon usable again.
    "net.ipv4.ip_local_port_range": "10240 65535",
    "net.ipv4.tcp_tw_reuse": "1",
    "net.ipv4.tcp_fin_timeout": "30",
  };
  const own = Object.fromEntries(
    Object.entries(values.overrides).map(([key, value]) => [key, String(value)]),
  );
  return { ...tuned, ...own };
}
