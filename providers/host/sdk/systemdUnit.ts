import * as pulumi from "@pulumi/pulumi";

export interface SystemdUnitArgs {
  /** With its type. A change makes a new resource. Example: "nginx.service". */
  unit: pulumi.Input<string>;
  /** Starts at boot. Units that cannot be switched (static, indirect) pass either way. Default: true. */
  enabled?: pulumi.Input<boolean>;
  /** Runs now. For a oneshot unit without RemainAfterExit: it has run and ended well. Default: true. */
  active?: pulumi.Input<boolean>;
  /** The text of a unit of our own, written to /etc/systemd/system. Default: the unit comes from a package. */
  content?: pulumi.Input<string>;
  /** Name -> text, written to /etc/systemd/system/UNIT.d/NAME.conf. Default: none. Example: { limits: "[Service]\nLimitNOFILE=65536\n" }. */
  dropIns?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
  /** Any values; where one changes, a running unit gets what `reload` says. Example: [configFile.sha256]. Default: none. */
  restartOn?: pulumi.Input<pulumi.Input<string>[]>;
  /** What a change of `restartOn` means. Changes of `content` and `dropIns` always restart: no reload applies them. Default: "restart". */
  reload?: pulumi.Input<"restart" | "reload">;
  /** Limit of each step (start, stop, reload, becoming active), in seconds. Default: 60. */
  timeoutSeconds?: pulumi.Input<number>;
  /**
   * A shell command that ends with 0 while what the unit brought about is there; where it does not, the unit is read as not active, and the
   * next `up` restarts it. For a oneshot that stays active. Default: none. Example: "nft list table inet mine".
   */
  probe?: pulumi.Input<string>;
}

/**
 * A systemd unit in a wanted state. Waits until it is there, and has stayed for a second; where it does not get there, the error shows
 * its status and last journal lines, and files and state are put back as they were. A masked unit is refused. Drift: enabled, active,
 * the texts of our files. Delete: a unit of ours is stopped, disabled and removed; another one is put back as it was before.
 */
export class SystemdUnit extends pulumi.CustomResource {
  constructor(name: string, args: SystemdUnitArgs, opts?: pulumi.CustomResourceOptions) {
    super("host:index:SystemdUnit", name, { ...args, previous: undefined }, opts);
  }
}
