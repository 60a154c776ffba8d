import * as pulumi from "@pulumi/pulumi";

export interface SysctlArgs {
  /** Names the file /etc/sysctl.d/60-oslo-faas-NAME.conf. A change makes a new resource. Example: "network". */
  name: pulumi.Input<string>;
  /** Setting -> value. Example: { "net.core.somaxconn": 4096, "net.ipv4.ip_local_port_range": "1024 65535" }. */
  values: pulumi.Input<{ [key: string]: pulumi.Input<string | number> }>;
  /** Settings that a host may go without (a container, an old kernel): skipped there, and listed in `skipped`. Default: none. */
  optional?: pulumi.Input<pulumi.Input<string>[]>;
}

/**
 * Kernel settings, in force at once and after a reboot. All or none: settings that do not exist or cannot be written are one error
 * that lists them. Drift: the kernel's actual values, and the file. Delete: the file goes, the values from before come back.
 */
export class Sysctl extends pulumi.CustomResource {
  /** Optional settings that this host does not take -> why. */
  declare readonly skipped: pulumi.Output<{ [key: string]: string }>;
  /** Where the kernel made something else of a value -> what it reads back as. */
  declare readonly effective: pulumi.Output<{ [key: string]: string }>;

  constructor(name: string, args: SysctlArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "host:index:Sysctl",
      name,
      { ...args, skipped: undefined, previous: undefined, effective: undefined },
      opts,
    );
  }
}
