/**
 * host:index:Preflight: refuses a host on which the rest cannot work, with every reason at once, before anything is changed.
 */
import * as z from "zod";
import { VIRTUAL_MACHINES } from "../../../../shared/virtualization";
import { RELEASES, describeReleases, findRelease } from "../releases";
import type { ResourceHandler } from "../resource";
import { HostError } from "../session";
import { type Gathered, type HostFacts, type Listener, factsSchema, gatherFacts } from "./facts";

const port = z
  .strictObject({
    port: z.number().int().min(1).max(65535).describe("TCP port."),
    ours: z
      .union([z.string(), z.array(z.string())])
      .default([])
      .describe("Process or processes, by name, that may listen there."),
  })
  .meta({ id: "PreflightPort", description: "A port that must be free." });

const release = z
  .strictObject({
    id: z.string().min(1).describe('ID in /etc/os-release. Example: "ubuntu".'),
    version: z.string().min(1).describe('VERSION_ID in /etc/os-release. Example: "24.04".'),
  })
  .meta({ id: "PreflightRelease", description: "A release of a distribution." });

const inputs = z.strictObject({
  allowVirtualization: z
    .array(z.string().min(1))
    .min(1)
    .default(VIRTUAL_MACHINES)
    .describe(
      'What the host may run on, in the words of systemd-detect-virt; "none" is bare metal. The default allows bare metal and the known hypervisors, and no container.',
    ),
  releases: z
    .array(release)
    .min(1)
    .default(RELEASES.map(({ id, version }) => ({ id, version })))
    .describe('Releases that the host may have. Example: [{ id: "ubuntu", version: "18.04" }].'),
  architectures: z
    .array(z.string().min(1))
    .min(1)
    .default(["amd64", "arm64"])
    .describe("Architectures that the host may have, by Debian's names."),
  minMemoryMiB: z.number().min(0).default(1024).describe("Least memory, in MiB."),
  minDiskMiB: z.number().min(0).default(5120).describe("Least free space under /var/lib, in MiB."),
  ports: z
    .array(port)
    .default([])
    .describe(
      'TCP ports that must be free, or taken by a named process. Example: [{ port: 80, ours: "nginx" }].',
    ),
  minFsyncPerSecond: z
    .number()
    .min(0)
    .default(0)
    .describe(
      "Least number of synchronous 4 KiB writes a second under /var/lib; 0 measures nothing and writes nothing.",
    ),
  engineVersion: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Version of docker-ce that is to be installed, as apt writes it; refused if Docker never published it for the release of the host. Default: any. Example: "5:24.0.2-1~ubuntu.18.04~bionic".',
    ),
});
export type PreflightInputs = z.infer<typeof inputs>;

export interface Finding {
  /** What was looked at: "virtualization", "port 80". */
  what: string;
  found: string;
  wanted: string;
  remedy: string;
}

export interface Verdict {
  refusals: Finding[];
  warnings: string[];
}

type Check = (facts: HostFacts, wanted: PreflightInputs, listeners: Listener[]) => Finding[];

const refuseIf = (refused: boolean, finding: Finding): Finding[] => (refused ? [finding] : []);

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

const checkRelease: Check = (facts, wanted) =>
  refuseIf(!wanted.releases.some(({ id, version }) => id === facts.osId && version === facts.osVersion), {
    what: "release",
    found: facts.osName || `${facts.osId} ${facts.osVersion}`.trim(),
    wanted: `one of ${describeReleases(wanted.releases)}`,
    remedy: "reinstall the host with one of these releases",
  });

const checkArchitecture: Check = (facts, wanted) =>
  refuseIf(!wanted.architectures.includes(facts.arch), {
    what: "architecture",
    found: facts.arch || "unknown",
    wanted: `one of ${wanted.architectures.join(", ")}`,
    remedy: "use a host of one of these architectures: the images exist for no other",
  });

const checkSudo: Check = (facts) =>
  refuseIf(facts.sudo === "no", {
    what: "root privileges",
    found: `user ${facts.user} cannot run sudo without a password`,
    wanted: "root, or sudo without a password",
    remedy: `on the host, as root: echo '${facts.user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/${facts.user} && chmod 0440 /etc/sudoers.d/${facts.user}`,
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

const checkPorts: Check = (_facts, wanted, listeners) =>
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

const checkKernel: Check = (facts) => {
  const missing: string[] = [];
  if (facts.overlayfs === "no") missing.push("overlayfs (images)");
  if (facts.vxlan === "no") missing.push("vxlan (overlay networks)");
  if (facts.nfTables === "no" && facts.ipTables === "no")
    missing.push("nf_tables or ip_tables (published ports)");
  return refuseIf(missing.length > 0, {
    what: "kernel features",
    found: `${facts.kernel} without ${missing.join(", ")}`,
    wanted: "overlayfs, vxlan, and nf_tables or ip_tables",
    remedy: "boot the distribution's own kernel (linux-image-generic on Ubuntu, linux-image-amd64 on Debian)",
  });
};

const checkEngine: Check = (facts, wanted) => {
  const engine = findRelease(facts.osId, facts.osVersion)?.engine;
  const line = /^(?:\d+:)?(\d+)\.(\d+)/.exec(wanted.engineVersion ?? "");
  if (!engine || !line) return [];
  const number = (text: string) => Number(text.split(".")[0]) * 1000 + Number(text.split(".")[1]);
  const asked = number(`${line[1]}.${line[2]}`);
  const { min, max } = engine;
  return refuseIf(asked < number(min) || (max !== undefined && asked > number(max)), {
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
  checkSudo,
  checkSystemd,
  checkSize,
  checkPorts,
  checkKernel,
  checkEngine,
  checkDisk,
];

function warningsFor(facts: HostFacts): string[] {
  const warnings: string[] = [];
  const warning = findRelease(facts.osId, facts.osVersion)?.warning;
  if (warning) warnings.push(warning);
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

/** All that speaks against a host, at once. Pure. */
export function judge({ facts, listeners }: Gathered, wanted: PreflightInputs): Verdict {
  return {
    refusals: CHECKS.flatMap((check) => check(facts, wanted, listeners)),
    warnings: warningsFor(facts),
  };
}

/** "1. port 80: taken by apache2 on 0.0.0.0; wanted: free. Remedy: ...", one line each. */
export function describeRefusals(refusals: Finding[]): string {
  return refusals
    .map(
      ({ what, found, wanted, remedy }, index) =>
        `  ${index + 1}. ${what}: ${found}; wanted: ${wanted}\n     ${remedy}`,
    )
    .join("\n");
}

const outputs = z.object({
  facts: factsSchema.describe("What is known of the host."),
  warnings: z.array(z.string()).describe("What was found and did not stop the run."),
});
type Outputs = z.infer<typeof outputs>;

async function check(
  ctx: Parameters<ResourceHandler["create"]>[0],
  wanted: PreflightInputs,
): Promise<Outputs> {
  const session = await ctx.session();
  // 200 writes tell a slow disk from a fast one, and take 0.1 s on NVMe and 2 s on a rotating disk.
  const gathered = await gatherFacts(session, wanted.minFsyncPerSecond > 0 ? 200 : 0);
  const { refusals, warnings } = judge(gathered, wanted);
  for (const warning of warnings) ctx.log(warning, "warning");
  if (refusals.length > 0) {
    const count = refusals.length === 1 ? "1 reason" : `${refusals.length} reasons`;
    throw new HostError(`${session.name} cannot be used, for ${count}:\n${describeRefusals(refusals)}`, {
      host: session.name,
      step: "preflight",
      remedy: "nothing was changed on the host; put right what is listed and run again",
    });
  }
  return { facts: gathered.facts, warnings };
}

/**
 * Runs when it is created and when its inputs change; a refresh returns what is stored, because a check that passed has nothing to
 * drift. Delete: nothing to do.
 */
export const preflight: ResourceHandler<PreflightInputs, Outputs> = {
  type: "host:index:Preflight",
  description:
    "Refuses a host on which the rest cannot work, with every reason at once (what was found, what is wanted, what to do), before anything is changed on it. Runs when it is created and when its arguments change. Delete: nothing to do.",
  schema: inputs,
  outputs,
  replaceOn: [],
  async create(ctx, wanted) {
    return { id: "preflight", outputs: await check(ctx, wanted) };
  },
  async read(_ctx, _id, wanted, outputs) {
    return { inputs: wanted, outputs };
  },
  async update(ctx, _id, _olds, news) {
    return check(ctx, news);
  },
  async delete() {
    // A check leaves nothing on a host.
  },
};
