/** What a SwarmMember takes and gives. */
import * as z from "zod";

const address = z.string().regex(/^[A-Za-z0-9._:[\]-]+$/, "is no address or interface");
const label = z.string().regex(/^[^\s=,][^\n]*$/, "is no label");

export const inputs = z
  .strictObject({
    role: z
      .enum(["manager-init", "manager", "worker"])
      .meta({ id: "SwarmRole", description: "What a host is in a swarm." })
      .describe('"manager-init" makes the swarm; "manager" and "worker" join one.'),
    advertiseAddr: address
      .optional()
      .describe(
        "Address or interface by which other nodes know this one; 127.0.0.1 is possible for a swarm of one. Default: that of the default route.",
      ),
    listenAddr: address
      .optional()
      .describe('Where the node listens for other nodes. Default: 0.0.0.0:2377. Example: "127.0.0.1:2377".'),
    dataPathAddr: address
      .optional()
      .describe("Address or interface for the traffic of overlay networks. Default: `advertiseAddr`."),
    dataPathPort: z
      .number()
      .int()
      .min(1024)
      .max(49151)
      .optional()
      .describe("UDP port of that traffic, 1024 to 49151; only for manager-init. Default: 4789."),
    defaultAddrPool: z
      .array(z.string().regex(/^\d+\.\d+\.\d+\.\d+\/\d+$/, "is no range such as 10.201.0.0/16"))
      .optional()
      .describe(
        'Ranges that overlay networks come from; only for manager-init. Default: 10.0.0.0/8. Example: ["10.201.0.0/16"].',
      ),
    subnetSize: z
      .number()
      .int()
      .min(16)
      .max(29)
      .optional()
      .describe("Prefix length of a network within the ranges, 16 to 29. Default: 24."),
    joinTokenFrom: z
      .strictObject({
        addr: z.string().min(1).describe('Address of a manager. Example: "10.0.0.1:2377".'),
        token: z.string().min(1).describe("Join token of that swarm."),
      })
      .meta({ id: "JoinToken", description: "A swarm to join." })
      .optional()
      .describe('The swarm to join; "manager" and "worker" need it. A rotated token changes nothing.'),
    taskHistoryLimit: z
      .number()
      .int()
      .min(0)
      .max(1000)
      .optional()
      .describe("How many ended tasks the swarm remembers for each slot; only for manager-init. Default: 5."),
    labels: z
      .record(label, z.string())
      .default({})
      .describe(
        "Labels of the node, for constraints. Managers only: labels of a worker are set on a manager.",
      ),
    availability: z
      .enum(["active", "pause", "drain"])
      .meta({ id: "SwarmAvailability", description: "Whether a node takes tasks." })
      .default("active")
      .describe("Whether tasks run on the node."),
    joinTimeoutSeconds: z
      .number()
      .int()
      .min(5)
      .max(600)
      .default(90)
      .describe("Seconds until the node must have become an active member, 5 to 600."),
  })
  .superRefine((value, issues) => {
    const problem = (path: string, message: string) =>
      issues.addIssue({ code: "custom", path: [path], message });
    const joins = value.role !== "manager-init";
    if (joins && !value.joinTokenFrom)
      problem("joinTokenFrom", `is needed by the role ${value.role}: whom to join, and its token`);
    if (!joins && value.joinTokenFrom)
      problem("joinTokenFrom", "a manager that initialises a swarm joins none");
    for (const key of ["defaultAddrPool", "subnetSize", "dataPathPort", "taskHistoryLimit"] as const)
      if (joins && value[key] !== undefined)
        problem(key, "is a setting of the whole swarm: give it to its manager-init");
    if (value.subnetSize !== undefined && !value.defaultAddrPool)
      problem("subnetSize", "has no meaning without defaultAddrPool");
    if (value.role === "worker" && Object.keys(value.labels).length > 0)
      problem("labels", "of a worker can be set on a manager only");
  });
export type SwarmMemberInputs = z.infer<typeof inputs>;

export const outputs = z.object({
  clusterId: z.string().describe("ID of the swarm; empty on a worker."),
  nodeId: z.string().describe("ID of this node."),
  addr: z.string().describe("Address by which the other nodes know this one."),
  caDigest: z
    .string()
    .describe("SHA-256 of the swarm's root certificate: the same on every node of one swarm."),
  joinTokens: z
    .object({
      worker: z.string().describe("Token that makes a host a worker."),
      manager: z.string().describe("Token that makes a host a manager."),
    })
    .meta({ id: "JoinTokens", description: "Tokens with which other hosts join." })
    .describe("Tokens with which other hosts join; both are empty on a worker."),
  adopted: z
    .boolean()
    .describe("True if the host was in the swarm before this resource; a delete then leaves it there."),
});
export type SwarmMemberOutputs = z.infer<typeof outputs>;
