import * as pulumi from "@pulumi/pulumi";

export interface FunctionSecretArgs {
  /** The gateway as seen from the host. Default: { host: "127.0.0.1", port: 8080 }. */
  gateway?: pulumi.Input<{ host?: pulumi.Input<string>; port?: pulumi.Input<number> }>;
  /** User of the gateway. */
  username: pulumi.Input<string>;
  /** Its password (secret). */
  password: pulumi.Input<string>;
  /** A change makes a new secret. Example: "api-key". */
  name: pulumi.Input<string>;
  /** Secret, at most 500 KiB. A new one rolls the functions that use it. */
  value: pulumi.Input<string>;
}

/**
 * A secret that functions name under `secrets` and read as a file in /var/openfaas/secrets. One that is there already is taken over, with a
 * warning: who made it cannot be told. Drift: whether it is there; its value cannot
 * be read back. Delete: it is removed, which is refused while a function uses it.
 */
export class FunctionSecret extends pulumi.CustomResource {
  /** Counts up with each new value. */
  declare readonly revision: pulumi.Output<number>;

  constructor(name: string, args: FunctionSecretArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "host:index:FunctionSecret",
      name,
      {
        ...args,
        password: pulumi.secret(args.password),
        value: pulumi.secret(args.value),
        revision: undefined,
      },
      opts,
    );
  }
}
