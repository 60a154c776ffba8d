import * as pulumi from "@pulumi/pulumi";

export interface PasswordArgs {
  /** Characters, 16 to 256. A change makes a new password. Default: 32 (191 bits). */
  length?: pulumi.Input<number>;
  /** Any values; a change makes a new password. Default: none. Example: { rotated: "2026-11" }. */
  keepers?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
}

/** A random password of A-Z a-z 0-9 - _, made once and kept in the state as a secret. It never connects to a host. */
export class Password extends pulumi.CustomResource {
  /** Secret. */
  declare readonly value: pulumi.Output<string>;

  constructor(name: string, args: PasswordArgs = {}, opts?: pulumi.CustomResourceOptions) {
    const secret = pulumi.mergeOptions(opts, { additionalSecretOutputs: ["value"] });
    super("host:index:Password", name, { ...args, value: undefined }, secret);
  }
}
