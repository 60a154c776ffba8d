import * as pulumi from "@pulumi/pulumi";
import * as host from "../../providers/host/sdk";
import { complete, completeArgs } from "../complete";
import { locationLabels } from "../location";
import type { LocationSettings, SwarmSettings } from "../settings.generated";

export interface SwarmArgs extends SwarmSettings {
  /** Where the host stands: labels of the node. Default: Oslo, NO, self-hosted. Example: { city: "Bergen" }. */
  location?: pulumi.Input<LocationSettings>;
}

/**
 * A swarm whose first manager is the host whose provider it takes. It needs an engine there.
 * Example: `new Swarm("swarm", {}, { provider: machine.provider, dependsOn: engine })`.
 */
export class Swarm extends pulumi.ComponentResource {
  /** The first manager's membership. */
  readonly member: host.SwarmMember;
  /** The swarm's own id. */
  readonly clusterId: pulumi.Output<string>;

  constructor(name: string, args: SwarmArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-faas:index:Swarm", name, { ...args }, opts);
    const { location, ...settings } = args;
    const { swarm } = completeArgs(`Swarm ${name}`, settings, { swarm: "" });
    this.member = new host.SwarmMember(
      `${name}-manager`,
      {
        role: "manager-init",
        advertiseAddr: swarm.apply(({ advertiseAddress }) => advertiseAddress!),
        defaultAddrPool: [swarm.addressPool],
        labels: complete("location", location).apply(locationLabels),
      },
      { parent: this },
    );
    this.clusterId = this.member.clusterId;
    this.registerOutputs({ clusterId: this.clusterId });
  }
}
