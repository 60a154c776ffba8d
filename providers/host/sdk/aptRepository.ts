import * as pulumi from "@pulumi/pulumi";

export interface AptRepositoryArgs {
  /** Names the files: /etc/apt/sources.list.d/NAME.list and /etc/apt/keyrings/NAME.gpg. A change makes a new source. Example: "docker". */
  name: pulumi.Input<string>;
  /** Where the repository is: https://, http:// or file:/. Example: "https://download.docker.com/linux/ubuntu". */
  uri: pulumi.Input<string>;
  /** Default: the host's codename (bionic, jammy, bookworm), read on the host. */
  suite?: pulumi.Input<string>;
  /** At least one. Example: ["stable"]. */
  components: pulumi.Input<pulumi.Input<string>[]>;
  /** Default: every architecture of the host. Example: ["amd64"]. */
  architectures?: pulumi.Input<pulumi.Input<string>[]>;
  /** Where the key is, https:// only; the host fetches it, with retries, within 60 s. Give this or `key`. */
  keyUrl?: pulumi.Input<string>;
  /** The key itself, armored or not: for a host with no way out. Give this or `keyUrl`. */
  key?: pulumi.Input<string>;
  /**
   * The whole fingerprint of the primary key: 40 hexadecimal digits, spaces allowed. A file with another key, or with one more, is
   * refused with both fingerprints before anything is written. Value: the repository owner's own documentation.
   */
  fingerprint: pulumi.Input<string>;
  /** Further options of the source. Those that weaken or move trust (trusted, signed-by, ...) are errors. Example: { "by-hash": "no" }. */
  options?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
}

/**
 * An apt source that is signed by a pinned key, and by no other. The host needs curl, gnupg and ca-certificates. Only this source is
 * updated; one that does not answer, or whose signature is wrong, is taken back, and what was there before returns. Drift: either file.
 * Delete: both files and apt's lists of the source are removed.
 */
export class AptRepository extends pulumi.CustomResource {
  /** The suite that the source names. */
  declare readonly resolvedSuite: pulumi.Output<string>;
  /** The line that apt reads. */
  declare readonly source: pulumi.Output<string>;
  /** SHA-256 of the keyring file. */
  declare readonly keyringSha256: pulumi.Output<string>;

  constructor(name: string, args: AptRepositoryArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = { resolvedSuite: undefined, source: undefined, keyringSha256: undefined };
    super("host:index:AptRepository", name, { ...args, ...outputs }, opts);
  }
}
