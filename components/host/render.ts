/** What the host component writes, as pure functions of plain values. */

export interface FirewallValues {
  /** TCP ports that only the host itself and its containers may reach. */
  closedTcp: number[];
  /** UDP ports likewise. */
  closedUdp: number[];
  /** Networks (CIDR) that may reach them all the same: the other nodes of the swarm. */
  peers: string[];
}

/**
 * An nftables table of our own that closes ports to the outside. It sits in prerouting before Docker's DNAT (-100), where a
 * published port still has the number the outside used: ufw and the input chain never see such a packet (moby#22054), and
 * neither a restart of the engine nor `ufw reload` touches this table.
 */
export function renderFirewall(values: FirewallValues): string {
  const v4 = values.peers.filter((peer) => !peer.includes(":"));
  const v6 = values.peers.filter((peer) => peer.includes(":"));
  const accept = [
    ...(v4.length > 0 ? [`    ip saddr { ${v4.join(", ")} } accept`] : []),
    ...(v6.length > 0 ? [`    ip6 saddr { ${v6.join(", ")} } accept`] : []),
  ];
  return [
    "# Written by oslo-faas; changes here are drift and are put back.",
    "table inet oslo_faas",
    "delete table inet oslo_faas",
    "table inet oslo_faas {",
    "  chain guard {",
    "    type filter hook prerouting priority -150; policy accept;",
    '    iifname { "lo", "docker0", "docker_gwbridge" } accept',
    ...accept,
    `    tcp dport { ${values.closedTcp.join(", ")} } drop`,
    `    udp dport { ${values.closedUdp.join(", ")} } drop`,
    "  }",
    "}",
    "",
  ].join("\n");
}

/** The unit that loads the table before the engine starts, so that no published port is open for a moment after a boot. */
export function renderFirewallUnit(rules: string): string {
  return [
    "[Unit]",
    "Description=Ports of oslo-faas that stay closed to the outside",
    "Before=network-pre.target docker.service",
    "Wants=network-pre.target",
    "DefaultDependencies=no",
    // The distribution's nftables.service flushes every table when it is restarted or reloaded: this one comes back after it.
    "After=local-fs.target nftables.service",
    "PartOf=nftables.service",
    "ReloadPropagatedFrom=nftables.service",
    "",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    `ExecStart=/usr/sbin/nft -f ${rules}`,
    `ExecReload=/usr/sbin/nft -f ${rules}`,
    "ExecStop=/usr/sbin/nft delete table inet oslo_faas",
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
