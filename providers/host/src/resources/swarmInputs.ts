/** What a SwarmMember takes and gives. */
import * as z from "zod";

const address = z.string().regex(/^[A-Za-z0-9._:[\]-]+$/, "is no address or interface");
const label = z.string().regex(/^[^\s=,][^\n]*$/, "is no label");

export const inputs = z
  .strictObject({
    role: z.enum(["manager-init", "manager", "worker"]),
    advertiseAddr: address.optional(),
    listenAddr: address.optional(),
    dataPathAddr: address.optional(),
    dataPathPort: z.number().int().min(1024).max(49151).optional(),
    defaultAddrPool: z
      .array(z.string().regex(/^\d+\.\d+\.\d+\.\d+\/\d+$/, "is no range such as 10.201.0.0/16"))
      .optional(),
    subnetSize: z.number().int().min(16).max(29).optional(),
    joinTokenFrom: z.strictObject({ addr: z.string().min(1), token: z.string().min(1) }).optional(),
    taskHistoryLimit: z.number().int().min(0).max(1000).optional(),
    labels: z.record(label, z.string()).default({}),
    availability: z.enum(["active", "pause", "drain"]).default("active"),
    joinTimeoutSeconds: z.number().int().min(5).max(600).default(90),
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

export interface SwarmMemberOutputs {
  /** Empty on a worker: only managers are told. */
  clusterId: string;
  nodeId: string;
  /** Address by which the other nodes know this one. */
  addr: string;
  /** SHA-256 of the swarm's root certificate: the same on every node of one swarm. */
  caDigest: string;
  /** Managers only; both empty on a worker. */
  joinTokens: { worker: string; manager: string };
  /** True where the host was in the swarm before this resource; then delete leaves it there. */
  adopted: boolean;
}
