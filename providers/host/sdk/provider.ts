import * as pulumi from "@pulumi/pulumi";

/** A host on the way to another one. */
export interface JumpArgs {
  /** Its name or address. Example: "bastion.example.no". */
  host: pulumi.Input<string>;
  /** Its SSH port. Default: 22. */
  port?: pulumi.Input<number>;
  /** Who logs in there. Default: "root". */
  user?: pulumi.Input<string>;
  /** Its public host key, pinned like the host's own. */
  hostKey: pulumi.Input<string>;
  /** The private key's text (a secret in the state). Default: what the host itself is logged in to with. */
  privateKey?: pulumi.Input<string>;
  /** The private key's file, relative to the project's root, instead. */
  privateKeyPath?: pulumi.Input<string>;
}

export interface ProviderArgs {
  /** Name or address of the host. Example: "203.0.113.10". */
  host: pulumi.Input<string>;
  /** Its SSH port. Default: 22. */
  port?: pulumi.Input<number>;
  /** Who logs in. One who is not root needs sudo without a password. Default: "root". */
  user?: pulumi.Input<string>;
  /**
   * The host's public key, pinned: with any other key nothing is sent to the host. Several: one a line. The host prints it:
   * `cat /etc/ssh/ssh_host_ed25519_key.pub`. Example: "ssh-ed25519 AAAA…".
   */
  hostKey: pulumi.Input<string>;
  /** The private key's text; it goes into the state as a secret. Give at most one of privateKey, privateKeyPath and agent. */
  privateKey?: pulumi.Input<string>;
  /** The private key's file, relative to the project's root; its content is in no state. Example: "keys/id_ed25519". */
  privateKeyPath?: pulumi.Input<string>;
  /** Log in with the SSH agent at SSH_AUTH_SOCK. Default: true where no key is given. */
  agent?: pulumi.Input<boolean>;
  /** A host to connect through. Default: none. */
  jump?: pulumi.Input<JumpArgs>;
  /** Seconds, jump host and attempts included, until a host that cannot be reached is given up; 1 to 14. Default: 10. */
  dialTimeoutSeconds?: pulumi.Input<number>;
}

/**
 * The connection to one host: the provider of every resource on it. One SSH connection for a whole run, opened by the first step that
 * needs it; a preview without changes on the host needs none. A changed connection never replaces what is on the host.
 */
export class Provider extends pulumi.ProviderResource {
  constructor(name: string, args: ProviderArgs, opts?: pulumi.ResourceOptions) {
    const { privateKey, ...rest } = args;
    super(
      "host",
      name,
      { ...rest, ...(privateKey === undefined ? {} : { privateKey: pulumi.secret(privateKey) }) },
      opts,
    );
  }
}
