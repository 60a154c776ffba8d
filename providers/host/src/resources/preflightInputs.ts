/** What a preflight may ask of a host. */
import * as z from "zod";
import { VIRTUAL_MACHINES } from "../../../../shared/virtualization";
import { RELEASES } from "../releases";

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

const network = z
  .string()
  .regex(/^\d+\.\d+\.\d+\.\d+\/\d+$/, "must be an IPv4 network such as 10.201.0.0/16");

const engineNetworks = z
  .strictObject({
    bip: network.optional().describe("Address of docker0 with its prefix. Default: the engine takes one."),
    pools: z
      .array(
        z
          .strictObject({
            base: network.describe('Network that is divided. Example: "10.213.0.0/16".'),
            size: z.number().int().min(8).max(30).describe("Prefix length of each part. Example: 24."),
          })
          .meta({ id: "AddressPool", description: "Addresses for the engine's own networks." }),
      )
      .default([])
      .describe("Addresses for the engine's own networks. Default: the engine's."),
    overlay: z
      .array(network)
      .default([])
      .describe('Networks that a swarm takes its addresses from. Example: ["10.201.0.0/16"].'),
  })
  .meta({ id: "EngineNetworks", description: "Networks that the engine is going to make." });
export type EngineNetworks = z.infer<typeof engineNetworks>;

export const preflightInputs = z.strictObject({
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
  allowReleases: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Further releases that the host may have, with a warning: ID and VERSION_ID in /etc/os-release. Example: ["debian 14"].',
    ),
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
  nfTables: z.boolean().default(false).describe("Refuse a kernel without nf_tables."),
  ipv6: z.boolean().default(false).describe("Refuse a kernel without IPv6."),
  engineNetworks: engineNetworks
    .optional()
    .describe(
      "Networks that the engine is going to make: refused where the host, or the address that the connection comes from, lies in one. Default: not asked.",
    ),
  engineVersion: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Version of docker-ce that is to be installed, as apt writes it; refused if Docker never published it for the release of the host. Default: any. Example: "5:24.0.2-1~ubuntu.18.04~bionic".',
    ),
});
export type PreflightInputs = z.infer<typeof preflightInputs>;
