import * as pulumi from "@pulumi/pulumi";
import * as host from "../../providers/host/sdk";
import type { LoadedEnvironment } from "../../environment";
import { locationLabels } from "../location";

export interface SwarmArgs {
  environment: LoadedEnvironment;
}

/** A swarm whose first manager is this host. */
export class Swarm extends pulumi.ComponentResource {
  readonly member: host.SwarmMember;

  constructor(name: string, args: SwarmArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-faas:index:Swarm", name, {}, opts);
    const { swarm, location } = args.environment;
    this.member = new host.SwarmMember(
      `${name}-manager`,
      {
        role: "manager-init",
        advertiseAddr: swarm.advertiseAddress,
        defaultAddrPool: [swarm.addressPool],
        labels: locationLabels(location),
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
