import * as fs from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as host from "../../providers/host/sdk";
import type { LoadedEnvironment } from "../../environment";
import { closedTcpPorts } from "../../environment/addresses";
import { VIRTUAL_MACHINES } from "../../shared/virtualization";
import { providerArgs } from "./providerArgs";
import { type FirewallValues, renderFirewall, renderFirewallUnit, renderSysctl } from "./render";

export interface HostArgs {
  environment: LoadedEnvironment;
}

/** After /etc/timezone is back as it was; where it names nothing, the host was on UTC. */
const TIMEZONE_BACK =
  'zone=/usr/share/zoneinfo/$(cat /etc/timezone 2>/dev/null); [ -f "$zone" ] || zone=/usr/share/zoneinfo/Etc/UTC; ln -sfn "$zone" /etc/localtime';

const RULES = "/etc/oslo-faas/firewall.nft";
const SCRIPT = "/etc/oslo-faas/firewall.sh";

/**
 * A checked host with its base: preflight, packages, time zone, kernel settings, closed ports.
 *
 * Everything else on the host is made with `provider` and depends on this component.
 */
export class Host extends pulumi.ComponentResource {
  /** The connection: one per run. */
  readonly provider: host.Provider;
  /** What preflight found: release, kernel, architecture, memory, virtualization. */
  readonly facts: pulumi.Output<host.HostFacts>;

  constructor(name: string, args: HostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-faas:index:Host", name, {}, opts);
    const env = args.environment;
    this.provider = new host.Provider(`${name}-connection`, providerArgs(env), { parent: this });
    const own = { parent: this, provider: this.provider };

    const preflight = new host.Preflight(`${name}-preflight`, preflightArgs(env), own);
    this.facts = preflight.facts;

    const checked = { ...own, dependsOn: [preflight] };
    const packages = new host.Packages(`${name}-packages`, { packages: basePackages(env) }, checked);
    new host.Sysctl(
      `${name}-sysctl`,
      { name: "tuning", values: renderSysctl({ backlog: env.nginx.backlog, overrides: env.base.sysctl }) },
      checked,
    );
    new host.File(
      `${name}-timezone`,
      {
        path: "/etc/timezone",
        content: `${env.base.timezone}\n`,
        onChange: [`ln -sfn /usr/share/zoneinfo/${env.base.timezone} /etc/localtime`],
        onDelete: [TIMEZONE_BACK],
      },
      { ...own, dependsOn: [packages] },
    );
    if (env.firewall.enabled) this.closePorts(name, env, { ...own, dependsOn: [packages] });

    this.registerOutputs({ facts: this.facts });
  }

  private closePorts(name: string, env: LoadedEnvironment, opts: pulumi.CustomResourceOptions): void {
    const restart = [
      "if systemctl is-active --quiet oslo-faas-firewall; then systemctl restart oslo-faas-firewall; fi",
    ];
    const rules = new host.File(
      `${name}-firewall-rules`,
      {
        path: RULES,
        content: renderFirewall(firewallValues(env)),
        validate: "nft -c -f %s",
        onChange: restart,
        // Stopping the unit leaves it, or a restart would open the ports.
        onDelete: ["nft delete table inet oslo_faas 2>/dev/null || true"],
      },
      opts,
    );
    const text = fs.readFileSync(path.join(__dirname, "scripts", "firewall.sh"), "utf8");
    const script = new host.File(
      `${name}-firewall-script`,
      { path: SCRIPT, content: text, onChange: restart },
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

function firewallValues({ nginx, openfaas, firewall }: LoadedEnvironment): FirewallValues {
  return {
    closedTcp: closedTcpPorts(openfaas),
    closedUdp: [4789, 7946],
    peers: firewall.swarmPeers,
    openTcp: [nginx.httpPort, ...(nginx.tls ? [nginx.httpsPort] : [])],
    containersReach: firewall.containersReach,
  };
}

function preflightArgs(env: LoadedEnvironment): host.PreflightArgs {
  const ports = [{ port: env.nginx.httpPort, ours: "nginx" }];
  if (env.nginx.tls) ports.push({ port: env.nginx.httpsPort, ours: "nginx" });
  ports.push({ port: env.openfaas.gatewayPort, ours: "dockerd" });
  return {
    ...(env.preflight.allowVirtualization.length > 0
      ? { allowVirtualization: [...VIRTUAL_MACHINES, ...env.preflight.allowVirtualization] }
      : {}),
    minMemoryMiB: env.preflight.minMemoryMiB,
    minDiskMiB: env.preflight.minDiskMiB,
    minFsyncPerSecond: env.preflight.minFsyncPerSecond,
    ports,
    ...(env.docker.version ? { engineVersion: env.docker.version } : {}),
  };
}

/** What the later steps call on the host: curl and gnupg for the engine's key, nft for the closed ports. */
function basePackages(env: LoadedEnvironment): string[] {
  return [
    "ca-certificates",
    "curl",
    "gnupg",
    "tzdata",
    ...(env.firewall.enabled ? ["nftables"] : []),
    ...env.base.packages,
  ];
}
