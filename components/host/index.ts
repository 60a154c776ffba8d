import * as pulumi from "@pulumi/pulumi";
import type { Environment } from "../../environment";
import { closedTcpPorts } from "../../environment/addresses";
import * as host from "../../providers/host/sdk";
import { complete, completeArgs, completeNow } from "../complete";
import type { BaseSettings, FirewallSettings, PreflightSettings } from "../settings.generated";
import { type ConnectionArgs, providerArgs } from "./connection";
import firewallScript from "./scripts/firewall.sh";
import {
  basePackages,
  KEEP_ZONE,
  preflightValues,
  renderFirewall,
  renderFirewallUnit,
  renderSysctl,
  ZONE_BACK,
} from "./render";

export interface HostArgs {
  /** How the host is reached. Example: { address: "203.0.113.10", hostKey: "ssh-ed25519 AAAA…" }. */
  connection: ConnectionArgs;
  /** What the host has to be before anything is changed on it. Default: as documented there. Example: { minMemoryMiB: 4096 }. */
  preflight?: pulumi.Input<PreflightSettings>;
  /**
   * TCP ports that have to be free before the first `up`, or taken by the program named in `ours`. Default: none.
   * Example: [{ port: 80, ours: "nginx" }].
   */
  ports?: host.PreflightArgs["ports"];
  /** Version of docker-ce that is to be installed: refused where Docker has none for the host's release. Default: not asked. Example: "5:24.0.2-1~ubuntu.18.04~bionic". */
  engineVersion?: pulumi.Input<string>;
  /**
   * Networks that the engine is going to make: the host is refused if it, or the address that this machine reaches it from, lies in one.
   * Default: not asked. Example: { overlay: ["10.201.0.0/16"] }.
   */
  engineNetworks?: host.PreflightArgs["engineNetworks"];
  /** Refuse a kernel without IPv6. Default: false. Example: true. */
  ipv6?: pulumi.Input<boolean>;
  /** Packages and settings of the host. Default: as documented there. Example: { timezone: "Europe/Oslo" }. */
  base?: pulumi.Input<BaseSettings>;
  /** Connections waiting to be accepted, which the kernel has to allow. Default: 16384. Example: 4096. */
  backlog?: pulumi.Input<number>;
  /** What is reachable from outside. Default: the gateway's and the swarm's ports are closed. Example: { enabled: false }. */
  firewall?: FirewallSettings;
  /** The gateway's port on the host, which the firewall closes. Default: 8080. Example: 8081. */
  gatewayPort?: pulumi.Input<number>;
  /** TCP ports of the host that containers may call: those of Nginx. Default: [80]. Example: [80, 443]. */
  openPorts?: pulumi.Input<pulumi.Input<number>[]>;
}

const RULES = "/etc/oslo-faas/firewall.nft";
const SCRIPT = "/etc/oslo-faas/firewall.sh";

/**
 * A checked host with its base: preflight, packages, time zone, kernel settings, closed ports.
 *
 * Everything else on the host is made with `provider` and depends on this component. Example:
 * `new Host("oslo-1", { connection: { address: "203.0.113.10", hostKey: "ssh-ed25519 AAAA…" } })`.
 */
export class Host extends pulumi.ComponentResource {
  /** The connection: one per run. */
  readonly provider: host.Provider;
  /** How the host is reached, for components that need more than the provider. */
  readonly connection: ConnectionArgs;
  /** What preflight found: release, kernel, architecture, memory, virtualization. */
  readonly facts: pulumi.Output<host.HostFacts>;

  constructor(name: string, args: HostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-faas:index:Host", name, { ...args }, opts);
    this.connection = args.connection;
    this.provider = new host.Provider(`${name}-connection`, providerArgs(args.connection), { parent: this });
    const own = { parent: this, provider: this.provider };
    const completed = completeArgs(
      `Host ${name}`,
      {
        preflight: args.preflight,
        base: args.base,
        firewall: args.firewall,
        backlog: args.backlog,
        gatewayPort: args.gatewayPort,
      },
      {
        preflight: "preflight",
        base: "base",
        firewall: "firewall",
        "nginx.backlog": "backlog",
        "openfaas.gatewayPort": "gatewayPort",
      },
    );
    const { base } = completed;
    const { backlog } = completed.nginx;
    const firewall = completeNow("firewall", { enabled: args.firewall?.enabled });

    const preflight = this.check(name, args, completed.preflight, own);
    this.facts = preflight.facts;

    const checked = { ...own, dependsOn: [preflight] };
    const packages = new host.Packages(
      `${name}-packages`,
      { packages: base.apply((values) => basePackages(values.packages, firewall.enabled)) },
      checked,
    );
    new host.Sysctl(
      `${name}-sysctl`,
      {
        name: "tuning",
        values: pulumi.output({ backlog, overrides: base.sysctl }).apply(renderSysctl),
      },
      checked,
    );
    new host.File(
      `${name}-timezone`,
      {
        path: "/etc/timezone",
        content: pulumi.interpolate`${base.timezone}\n`,
        onChange: [
          KEEP_ZONE,
          pulumi.interpolate`ln -sfn /usr/share/zoneinfo/${base.timezone} /etc/localtime`,
        ],
        onDelete: [ZONE_BACK],
      },
      { ...own, dependsOn: [packages] },
    );
    if (firewall.enabled) this.closePorts(name, args, completed, { ...own, dependsOn: [packages] });

    this.registerOutputs({ facts: this.facts });
  }

  private check(
    name: string,
    { ports, engineVersion, engineNetworks, ipv6, firewall }: HostArgs,
    preflight: pulumi.Output<Environment["preflight"]>,
    opts: pulumi.CustomResourceOptions,
  ): host.Preflight {
    const values = preflight.apply(preflightValues);
    return new host.Preflight(
      `${name}-preflight`,
      {
        allowVirtualization: values.apply(({ allowVirtualization }) => allowVirtualization!),
        minMemoryMiB: values.minMemoryMiB,
        minDiskMiB: values.minDiskMiB,
        minFsyncPerSecond: values.minFsyncPerSecond,
        allowReleases: values.allowReleases,
        nfTables: completeNow("firewall", { enabled: firewall?.enabled }).enabled,
        ipv6,
        ports,
        engineNetworks,
        engineVersion,
      },
      opts,
    );
  }

  private closePorts(
    name: string,
    args: HostArgs,
    completed: pulumi.Output<Pick<Environment, "firewall" | "openfaas">>,
    opts: pulumi.CustomResourceOptions,
  ): void {
    const openTcp = args.openPorts ?? [complete("nginx", {}).httpPort];
    const content = pulumi.all([completed, openTcp]).apply(([{ firewall, openfaas }, open]) =>
      renderFirewall({
        closedTcp: closedTcpPorts(openfaas),
        closedUdp: [4789, 7946],
        peers: firewall.swarmPeers,
        openTcp: open,
        containersReach: firewall.containersReach,
      }),
    );
    const restart = [
      "if systemctl is-active --quiet oslo-faas-firewall; then systemctl restart oslo-faas-firewall; fi",
    ];
    const rules = new host.File(
      `${name}-firewall-rules`,
      {
        path: RULES,
        content,
        validate: "nft -c -f %s",
        onChange: restart,
        // Stopping the unit leaves it, or a restart would open the ports.
        onDelete: ["nft delete table inet oslo_faas 2>/dev/null || true"],
      },
      opts,
    );
    const script = new host.File(
      `${name}-firewall-script`,
      { path: SCRIPT, content: firewallScript, onChange: restart },
      opts,
    );
    new host.SystemdUnit(
      `${name}-firewall`,
      {
        unit: "oslo-faas-firewall.service",
        content: renderFirewallUnit({ rules: RULES, script: SCRIPT }),
        enabled: true,
        active: true,
        // The unit puts back what somebody flushes; this looks at the rules themselves.
        probe: `sh ${SCRIPT} check`,
      },
      { ...opts, dependsOn: [rules, script] },
    );
  }
}
