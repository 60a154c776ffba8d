import * as pulumi from "@pulumi/pulumi";

export interface SwarmMemberArgs {
  /** "manager-init" makes the swarm; "manager" and "worker" join one. A change makes a new membership. */
  role: pulumi.Input<"manager-init" | "manager" | "worker">;
  /** Address or interface by which other nodes know this one; 127.0.0.1 is possible for a swarm of one. Default: that of the default route. */
  advertiseAddr?: pulumi.Input<string>;
  /** Where the node listens for other nodes. Default: the engine's, 0.0.0.0:2377. Example: "127.0.0.1:2377". */
  listenAddr?: pulumi.Input<string>;
  /** Address or interface for the overlay networks' traffic. Default: advertiseAddr. */
  dataPathAddr?: pulumi.Input<string>;
  /** UDP port of that traffic, 1024 to 49151, set once by manager-init. Default: 4789. */
  dataPathPort?: pulumi.Input<number>;
  /** Ranges that overlay networks come from, set once by manager-init. Default: the engine's, 10.0.0.0/8. Example: ["10.201.0.0/16"]. */
  defaultAddrPool?: pulumi.Input<pulumi.Input<string>[]>;
  /** Length of a network's prefix within the range, 16 to 29. Default: 24. */
  subnetSize?: pulumi.Input<number>;
  /** Whom to join, "10.0.0.1:2377", and a token of that swarm (secret). Needed by "manager" and "worker"; a rotated token changes nothing. */
  joinTokenFrom?: pulumi.Input<{ addr: pulumi.Input<string>; token: pulumi.Input<string> }>;
  /** How many ended tasks the swarm remembers for each slot; manager-init only. Default: the engine's, 5. */
  taskHistoryLimit?: pulumi.Input<number>;
  /** Labels of the node, for constraints. Managers only: a worker's are set on a manager. Default: none. */
  labels?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
  /** Whether tasks run on the node. Default: "active". */
  availability?: pulumi.Input<"active" | "pause" | "drain">;
  /** Limit for becoming an active member, in seconds. Default: 90. */
  joinTimeoutSeconds?: pulumi.Input<number>;
}

/**
 * This host's membership of a swarm. A host that is in the wanted swarm already is adopted (and stays there after a delete); one that
 * is in another is refused, and never made to leave. The swarm's identity is the digest of its root certificate, which every join
 * token carries. Drift: gone from the swarm, labels, availability.
 * Delete: a worker leaves; a manager hands its role over and leaves; the last manager leaves by force only where this very resource
 * initialised the swarm and neither a service nor another node is left: else it is refused with their list.
 */
export class SwarmMember extends pulumi.CustomResource {
  /** Empty on a worker. */
  declare readonly clusterId: pulumi.Output<string>;
  declare readonly nodeId: pulumi.Output<string>;
  /** Address by which the other nodes know this one. */
  declare readonly addr: pulumi.Output<string>;
  /** SHA-256 of the swarm's root certificate. */
  declare readonly caDigest: pulumi.Output<string>;
  /** Secret; both empty on a worker. */
  declare readonly joinTokens: pulumi.Output<{ worker: string; manager: string }>;
  /** True where the host was in the swarm before. */
  declare readonly adopted: pulumi.Output<boolean>;

  constructor(name: string, args: SwarmMemberArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = {
      clusterId: undefined,
      nodeId: undefined,
      addr: undefined,
      caDigest: undefined,
      adopted: undefined,
    };
    const secret = pulumi.mergeOptions(opts, { additionalSecretOutputs: ["joinTokens"] });
    super("host:index:SwarmMember", name, { ...args, ...outputs, joinTokens: undefined }, secret);
  }
}
