/** Why a host is refused, and what preflight warns of. Pure. */
import { compareVersions, describeReleases, findRelease, RELEASES } from "../releases";
import type { Gathered, HostFacts } from "./facts";
import { checkLogins, checkSudo } from "./preflightAccess";
import { refuseIf, type Finding } from "./preflightFinding";
import type { PreflightInputs } from "./preflightInputs";
import { checkNetworks } from "./preflightNetworks";

export interface Verdict {
  refusals: Finding[];
  warnings: string[];
}

type Check = (facts: HostFacts, wanted: PreflightInputs, found: Gathered) => Finding[];

const CONTAINER_REASONS: Record<string, string> = {
  openvz:
    "OpenVZ shares its host's kernel: no overlay networks, no kernel settings and no recent Docker Engine",
  lxc: "an LXC container shares its host's kernel: a swarm forms, but its overlay networks and services fail",
  "lxc-libvirt":
    "an LXC container shares its host's kernel: a swarm forms, but its overlay networks and services fail",
};

const checkVirtualization: Check = (facts, wanted) => {
  const { virtualization, virtualizationKind } = facts;
  const reason =
    CONTAINER_REASONS[virtualization] ??
    (virtualizationKind === "container"
      ? "a container shares its host's kernel and cannot set it up"
      : undefined);
  return refuseIf(!wanted.allowVirtualization.includes(virtualization), {
    what: "virtualization",
    found: virtualization,
    wanted: `one of ${wanted.allowVirtualization.join(", ")}`,
    remedy:
      (reason ? `${reason}. ` : "") +
      `Use a KVM machine or bare metal; only for a throw-away test host add "${virtualization}" to allowVirtualization`,
  });
};

/** As `allowReleases` names it: "debian 14". Debian's development release has no version. */
const releaseOf = ({ osId, osVersion }: HostFacts): string => `${osId} ${osVersion}`.trim();

/** Later than the first release of its distribution in the table: nothing is known against it. */
const mayWork = ({ osId, osVersion }: HostFacts): boolean => {
  const first = RELEASES.find(({ id }) => id === osId);
  return first !== undefined && (osVersion === "" || compareVersions(osVersion, first.version) > 0);
};

const checkRelease: Check = (facts, wanted) => {
  const listed = wanted.releases.some(({ id, version }) => id === facts.osId && version === facts.osVersion);
  return refuseIf(!listed && !wanted.allowReleases.includes(releaseOf(facts)), {
    what: "release",
    found: facts.osName || releaseOf(facts),
    wanted: `one of ${describeReleases(wanted.releases)}`,
    remedy: mayWork(facts)
      ? `oslo-faas has not been tried on it; to go on all the same add "${releaseOf(facts)}" to preflight.allowReleases`
      : "reinstall the host with one of these releases",
  });
};

const checkArchitecture: Check = (facts, wanted) =>
  refuseIf(!wanted.architectures.includes(facts.arch), {
    what: "architecture",
    found: facts.arch || "unknown",
    wanted: `one of ${wanted.architectures.join(", ")}`,
    remedy: "use a host of one of these architectures: the images exist for no other",
  });

const checkSystemd: Check = (facts) =>
  refuseIf(!facts.systemd, {
    what: "init system",
    found: "systemd is not running",
    wanted: "systemd as the first process",
    remedy: "boot the host with systemd: services are its units",
  });

const checkSize: Check = (facts, wanted) => [
  ...refuseIf(facts.memoryMiB < wanted.minMemoryMiB, {
    what: "memory",
    found: `${facts.memoryMiB} MiB`,
    wanted: `at least ${wanted.minMemoryMiB} MiB`,
    remedy: "give the host more memory, or lower minMemoryMiB if you know what your functions need",
  }),
  ...refuseIf(facts.diskFreeMiB < wanted.minDiskMiB, {
    what: "free space under /var/lib",
    found: `${facts.diskFreeMiB} MiB`,
    wanted: `at least ${wanted.minDiskMiB} MiB`,
    remedy: "free some space, give the host a larger disk, or lower minDiskMiB",
  }),
];

const checkPorts: Check = (_facts, wanted, { listeners }) =>
  wanted.ports.flatMap(({ port, ours }) => {
    const named = ([] as string[]).concat(ours);
    // A port that a service publishes is held by the engine, or by the proxy that it starts for each.
    const own = named.includes("dockerd") ? [...named, "docker-proxy"] : named;
    const others = listeners.filter((listener) => listener.port === port && !own.includes(listener.name));
    const names = [
      ...new Set(others.map(({ name, address }) => `${name || "an unknown process"} on ${address}`)),
    ];
    return refuseIf(others.length > 0, {
      what: `port ${port}`,
      found: `taken by ${names.join(", ")}`,
      wanted: own.length > 0 ? `free, or taken by ${own.join(" or ")}` : "free",
      remedy: `stop what listens there (ss -ltnp 'sport = :${port}' shows it), or choose another port`,
    });
  });

const checkKernel: Check = (facts, wanted, found) => {
  const missing: string[] = [];
  if (facts.overlayfs === "no") missing.push("overlayfs (images)");
  if (facts.vxlan === "no") missing.push("vxlan (overlay networks)");
  if (facts.nfTables === "no" && wanted.nfTables) missing.push("nf_tables (closed ports)");
  else if (facts.nfTables === "no" && facts.ipTables === "no")
    missing.push("nf_tables or ip_tables (published ports)");
  const filter = wanted.nfTables ? "nf_tables" : "nf_tables or ip_tables";
  return [
    ...refuseIf(missing.length > 0, {
      what: "kernel features",
      found: `${facts.kernel} without ${missing.join(", ")}`,
      wanted: `overlayfs, vxlan, and ${filter}`,
      remedy:
        "boot the distribution's own kernel (linux-image-generic on Ubuntu, linux-image-amd64 on Debian)",
    }),
    ...refuseIf(wanted.ipv6 && !found.ipv6, {
      what: "IPv6",
      found: `${facts.kernel} without IPv6`,
      wanted: "a kernel with IPv6, on which Nginx listens too",
      remedy: "set nginx.ipv6 to false, or boot without ipv6.disable=1",
    }),
  ];
};

const checkSnap: Check = (_facts, _wanted, { dockerSnap }) =>
  refuseIf(dockerSnap, {
    what: "Docker",
    found: "installed as a snap, whose engine takes the same socket and ports",
    wanted: "no engine, or the one of apt",
    remedy: "on the host: snap remove --purge docker (its containers, images and volumes go with it)",
  });

const checkEngine: Check = (facts, wanted) => {
  const engine = findRelease(facts.osId, facts.osVersion)?.engine;
  const asked = /^(?:\d+:)?(\d+(?:\.\d+)*)/.exec(wanted.engineVersion ?? "")?.[1];
  if (!engine || !asked) return [];
  const { min, max } = engine;
  // The table's last release is a line: 24.0 is the line of 24.0.9.
  const line = asked.split(".").slice(0, 2).join(".");
  const late = max !== undefined && compareVersions(line, max) > 0;
  return refuseIf(compareVersions(asked, min) < 0 || late, {
    what: "Docker Engine",
    found: `${wanted.engineVersion} for ${facts.osName || facts.osVersion}`,
    wanted:
      max === undefined ? `${min} or later` : `${min} to ${max}, which Docker publishes for this release`,
    remedy: "choose another docker.version, or leave it out for the newest that there is",
  });
};

const checkDisk: Check = (facts, wanted) =>
  refuseIf(wanted.minFsyncPerSecond > 0 && facts.fsyncPerSecond < wanted.minFsyncPerSecond, {
    what: "synchronous writes under /var/lib",
    found: facts.fsyncPerSecond > 0 ? `${facts.fsyncPerSecond} a second` : "could not be measured",
    wanted: `at least ${wanted.minFsyncPerSecond} a second`,
    remedy:
      "use NVMe or a disk with a protected write cache: the queue syncs what it accepts; or lower minFsyncPerSecond",
  });

const CHECKS: Check[] = [
  checkVirtualization,
  checkRelease,
  checkArchitecture,
  (_facts, _wanted, found) => checkSudo(found),
  (_facts, _wanted, found) => checkLogins(found),
  checkSystemd,
  checkSize,
  checkPorts,
  checkKernel,
  checkSnap,
  checkEngine,
  (_facts, { engineNetworks }, { networks }) =>
    engineNetworks ? checkNetworks(networks, engineNetworks) : [],
  checkDisk,
];

function warningsFor(facts: HostFacts): string[] {
  const warnings: string[] = [];
  const release = findRelease(facts.osId, facts.osVersion);
  if (release?.warning) warnings.push(release.warning);
  if (!release)
    warnings.push(
      `oslo-faas has not been tried on ${facts.osName || releaseOf(facts)}: preflight.allowReleases lets it through`,
    );
  if (facts.ipvs === "no")
    warnings.push(
      "the kernel has no IP_VS: service addresses (VIP) and the routing mesh do not work; dnsrr and host-mode ports do",
    );
  if (facts.vxlan === "unknown" || facts.overlayfs === "unknown")
    warnings.push(
      "whether the kernel has overlayfs and vxlan could not be found out: it shows when the first overlay network is made",
    );
  if (facts.apparmor && !facts.apparmorParser)
    warnings.push(
      "AppArmor is on and its package is missing: no container starts without apparmor_parser, so install apparmor",
    );
  return warnings;
}

/** All reasons at once. Pure. */
export function judge(found: Gathered, wanted: PreflightInputs): Verdict {
  return {
    refusals: CHECKS.flatMap((check) => check(found.facts, wanted, found)),
    warnings: warningsFor(found.facts),
  };
}
