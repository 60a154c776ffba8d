/**
 * host:index:Facts and host:index:getFacts: what a host is, gathered by one script in one round trip.
 */
import * as z from "zod";
import type { FunctionHandler, ResourceHandler } from "../resource";
import { parseKeyValues, runScript } from "../scripts";
import type { Session } from "../session";
import type { HostNetworks } from "./preflightNetworks";

const knowledge = z
  .enum(["yes", "no", "unknown"])
  .meta({ id: "Known", description: "Whether a host has something." });
export type Known = z.infer<typeof knowledge>;

export const factsSchema = z
  .object({
    hostname: z.string().describe("Name of the host."),
    osId: z.string().describe('ID in /etc/os-release. Example: "debian".'),
    osVersion: z.string().describe('VERSION_ID in /etc/os-release. Example: "12".'),
    codename: z.string().describe('Codename of the release. Example: "bookworm".'),
    osName: z.string().describe("PRETTY_NAME in /etc/os-release."),
    kernel: z.string().describe("Release of the kernel."),
    arch: z.string().describe("Architecture by Debian's name: amd64, arm64."),
    cpus: z.number().int().describe("Number of CPUs."),
    memoryMiB: z.number().int().describe("Memory, in MiB."),
    diskFreeMiB: z
      .number()
      .int()
      .describe("Free space under /var/lib, in MiB, when the facts were first gathered."),
    virtualization: z
      .string()
      .describe(
        "What systemd-detect-virt says of the innermost layer: none, kvm, qemu, vmware, docker, lxc, openvz; or unknown.",
      ),
    virtualizationKind: z
      .enum(["none", "vm", "container", "unknown"])
      .meta({ id: "VirtualizationKind", description: "What kind of machine a host is." })
      .describe("Whether the host is bare metal, a virtual machine or a container."),
    systemd: z.boolean().describe("Whether systemd runs."),
    sudo: z
      .enum(["root", "yes", "no"])
      .meta({ id: "SudoAccess", description: "How a user becomes root." })
      .describe('"root": the user is root; "yes": sudo works without a password; "no": it does not.'),
    user: z.string().describe("User who logs in."),
    overlayfs: knowledge.describe("Whether the kernel has overlayfs."),
    vxlan: knowledge.describe("Whether the kernel has VXLAN."),
    nfTables: knowledge.describe("Whether the kernel has nf_tables."),
    ipTables: knowledge.describe("Whether the kernel has ip_tables."),
    ipvs: knowledge.describe("Whether the kernel has IP_VS."),
    cgroup: z.string().describe("Version of control groups: v1, v2, hybrid or none."),
    apparmor: z.boolean().describe("Whether AppArmor is on."),
    apparmorParser: z.boolean().describe("Whether apparmor_parser is installed."),
    defaultInterface: z.string().describe("Interface of the default route."),
    addresses: z
      .array(z.string())
      .describe("Global addresses of the host's own interfaces, without those of container bridges."),
    fsyncPerSecond: z.number().describe("Synchronous 4 KiB writes a second under /var/lib; 0: not measured."),
  })
  .meta({
    id: "HostFacts",
    description: "What is known of a host. Only `diskFreeMiB` and `fsyncPerSecond` fluctuate by themselves.",
  });
/** What is known of a host. Everything but `diskFreeMiB` and `fsyncPerSecond` stays the same from one run to the next. */
export type HostFacts = z.infer<typeof factsSchema>;

/** A listening TCP socket; `name` is empty where the process is unknown. */
export interface Listener {
  port: number;
  address: string;
  name: string;
}

/** What is known of a host for one run: the facts, which the state keeps, and what only preflight asks. */
export interface Gathered {
  facts: HostFacts;
  listeners: Listener[];
  networks: HostNetworks;
  /** Where the SSH connection comes from, and the port that it reached; "" and 22 where that is not known. */
  ssh: { client: string; port: number };
  /** What sudo said when it was tried; "" where it worked. */
  sudoSays: string;
  /** ufw's rules in their order, where it is on: "limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in". */
  ufwRules: string[];
  /** Whether Docker is there as a snap. */
  dockerSnap: boolean;
  ipv6: boolean;
}

const known = (value: string | undefined): Known => (value === "yes" || value === "no" ? value : "unknown");
const oneOf = <T extends string>(value: string | undefined, allowed: readonly T[], otherwise: T): T =>
  allowed.includes(value as T) ? (value as T) : otherwise;
const number = (value: string | undefined): number => {
  const parsed = Number(value);
  return Number.isFinite(parsed) ? parsed : 0;
};
const mebi = (kibibytes: string | undefined): number => Math.floor(number(kibibytes) / 1024);

const ARCHITECTURES: Record<string, string> = { x86_64: "amd64", aarch64: "arm64" };

/** Parses the output of facts.sh. @throws an Error if it is incomplete, because the connection was cut */
export function parseFacts(output: string): Gathered {
  const values = parseKeyValues(output);
  if (values.end !== "ok") throw new Error("the host's answer is incomplete");
  const lines = output.split("\n");
  const listeners = lines.flatMap((line): Listener[] => {
    const [, port, address = "", name = ""] = /^listen=(\d+) (\S+) ?(.*)$/.exec(line) ?? [];
    return port ? [{ port: Number(port), address, name: name.trim() }] : [];
  });
  const addresses = lines.flatMap((line) => /^address=\S+ (\S+)$/.exec(line)?.[1] ?? []).sort();
  const facts: HostFacts = {
    hostname: values.hostname ?? "",
    osId: values.osId || "unknown",
    osVersion: values.osVersion ?? "",
    codename: values.codename ?? "",
    osName: values.osName ?? "",
    kernel: values.kernel ?? "",
    arch: ARCHITECTURES[values.arch ?? ""] ?? values.arch ?? "",
    cpus: number(values.cpus),
    memoryMiB: mebi(values.memoryKiB),
    diskFreeMiB: mebi(values.diskFreeKiB),
    virtualization: values.virtualization || "unknown",
    virtualizationKind: oneOf(values.virtualizationKind, ["none", "vm", "container", "unknown"], "unknown"),
    systemd: values.systemd === "yes",
    sudo: oneOf(values.sudo, ["root", "yes", "no"], "no"),
    user: values.user ?? "",
    overlayfs: known(values.overlayfs),
    vxlan: known(values.vxlan),
    nfTables: known(values.nfTables),
    ipTables: known(values.ipTables),
    ipvs: known(values.ipvs),
    cgroup: values.cgroup || "unknown",
    apparmor: values.apparmor === "yes",
    apparmorParser: values.apparmorParser === "yes",
    defaultInterface: values.defaultInterface ?? "",
    addresses: [...new Set(addresses)],
    fsyncPerSecond: number(values.fsyncPerSecond),
  };
  return { facts, listeners, ...askedOnce(lines, values) };
}

/** What only preflight asks. */
function askedOnce(lines: string[], values: Record<string, string>): Omit<Gathered, "facts" | "listeners"> {
  const { client = "", sshPort, sudoSays = "", dockerSnap, ipv6 } = values;
  return {
    networks: networksIn(lines, client),
    ssh: { client, port: number(sshPort) || 22 },
    sudoSays,
    ufwRules: valuesOf(lines, "ufw"),
    dockerSnap: dockerSnap === "yes",
    ipv6: ipv6 === "yes",
  };
}

const valuesOf = (lines: string[], key: string): string[] =>
  lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));

function networksIn(lines: string[], client: string): HostNetworks {
  const interfaces = valuesOf(lines, "interface").flatMap((text) => {
    const [name = "", cidr = ""] = text.split(" ");
    return cidr ? [{ name, cidr }] : [];
  });
  return { interfaces, routes: valuesOf(lines, "route"), client };
}

/** One round trip. `fsyncCount`: how many synchronous writes to measure with, 0 for none; the measurement ends after 20 s. */
export async function gatherFacts(session: Session, fsyncCount = 0): Promise<Gathered> {
  const result = await runScript(
    session,
    "facts",
    { FSYNC_COUNT: fsyncCount, FSYNC_SECONDS: 20 },
    // Not as root: whether root can be had is one of the things it finds out.
    { step: "gather facts", root: false, timeoutSeconds: 60 },
  );
  return parseFacts(result.stdout);
}

/** What changes by itself keeps its stored value, so that a refresh shows a change only where the host became another one. */
export function keepFluctuating(stored: HostFacts | undefined, found: HostFacts): HostFacts {
  if (!stored) return found;
  const { diskFreeMiB, fsyncPerSecond } = stored;
  // The kernel reserves a little more or less of the same memory from one boot to the next.
  const sameMemory = Math.abs(stored.memoryMiB - found.memoryMiB) <= found.memoryMiB / 50;
  return {
    ...found,
    diskFreeMiB,
    fsyncPerSecond,
    memoryMiB: sameMemory ? stored.memoryMiB : found.memoryMiB,
  };
}

const factsInputs = z.strictObject({
  triggers: z.array(z.string()).default([]).describe("Any values; a change gathers the facts again."),
});
type FactsInputs = z.infer<typeof factsInputs>;
const factsOutputs = z.object({ facts: factsSchema.describe("What is known of the host.") });
type FactsOutputs = z.infer<typeof factsOutputs>;

/** Reads the host at creation, on a refresh, and when `triggers` change. Delete: nothing to do. */
export const facts: ResourceHandler<FactsInputs, FactsOutputs> = {
  type: "host:index:Facts",
  description:
    "What a host is: gathered at creation, in a refresh and when `triggers` change. Values that fluctuate by themselves are no drift. Delete: nothing to do.",
  schema: factsInputs,
  outputs: factsOutputs,
  replaceOn: [],
  async create(ctx) {
    return { id: "facts", outputs: { facts: (await gatherFacts(await ctx.session())).facts } };
  },
  async read(ctx, _id, inputs, outputs) {
    const found = (await gatherFacts(await ctx.session())).facts;
    return { inputs, outputs: { facts: keepFluctuating(outputs?.facts, found) } };
  },
  async update(ctx) {
    return { facts: (await gatherFacts(await ctx.session())).facts };
  },
  async delete() {
    // Facts leave nothing on a host.
  },
};

const getFactsInputs = z.strictObject({});
const getFactsOutputs = z.object({
  reachable: z
    .boolean()
    .describe("False if no connection could be made: `error` then says why and `facts` is absent."),
  facts: factsSchema.optional().describe("What is known of the host."),
  error: z.string().optional().describe("Why no connection could be made."),
});
type GetFactsResult = z.infer<typeof getFactsOutputs>;

/** Not an error where the host cannot be reached: previews go on without it. */
export const getFacts: FunctionHandler<z.infer<typeof getFactsInputs>, GetFactsResult> = {
  type: "host:index:getFacts",
  description: "Facts of a host, in preview too. A host that cannot be reached is an answer, not an error.",
  schema: getFactsInputs,
  outputs: getFactsOutputs,
  async call(ctx) {
    try {
      return { reachable: true, facts: (await gatherFacts(await ctx.session())).facts };
    } catch (error) {
      return { reachable: false, error: error instanceof Error ? error.message : String(error) };
    }
  },
};
