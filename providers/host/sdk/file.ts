import * as pulumi from "@pulumi/pulumi";

export interface FileArgs {
  /** Absolute path of the file. A change makes a new resource. Folders above it are made as needed (0755). Example: "/etc/motd". */
  path: pulumi.Input<string>;
  /** The whole text. A secret stays one: in the state, in diffs, in messages. Example: "welcome\n". */
  content: pulumi.Input<string>;
  /** Permission bits in octal digits. Default: "0644". */
  mode?: pulumi.Input<string>;
  /** The owner's name; who is not on the host is an error. Default: "root". */
  owner?: pulumi.Input<string>;
  /** The group's name. Default: "root". */
  group?: pulumi.Input<string>;
  /** Run as root against the new file before it replaces the old one; `%s` is its path. What it refuses is never in place. Example: "nginx -t -q -c %s". */
  validate?: pulumi.Input<string>;
  /**
   * Run as root, in order, after content, mode or owner changed on the host, and not when only this list did. When one fails, the old
   * file is put back, the commands are run again, and the `up` fails with what was printed. Default: none. Example: ["systemctl reload nginx"].
   */
  onChange?: pulumi.Input<pulumi.Input<string>[]>;
  /** Run as root after the file was taken away at delete; they have to succeed a second time too. Default: none. */
  onDelete?: pulumi.Input<pulumi.Input<string>[]>;
}

/**
 * A text file. It is replaced in one step: a full disk or a lost connection leaves the old one as it was. Drift: content line by line,
 * mode, owner, group; a file that is gone is made again. A symbolic link or a directory at the path is an error.
 * Delete: what was at the path before comes back (it is kept on the host, not in the state); else the file is removed.
 */
export class File extends pulumi.CustomResource {
  declare readonly path: pulumi.Output<string>;
  declare readonly content: pulumi.Output<string>;
  declare readonly mode: pulumi.Output<string>;
  /** SHA-256 of the content, in hexadecimal digits. */
  declare readonly sha256: pulumi.Output<string>;

  constructor(name: string, args: FileArgs, opts?: pulumi.CustomResourceOptions) {
    super("host:index:File", name, { mode: undefined, ...args, sha256: undefined }, opts);
  }
}
