import * as pulumi from "@pulumi/pulumi";

export interface PackagesArgs {
  /**
   * What has to be installed, and in which version: any, exactly one ("=", with `*` for anything), or at least one (">=").
   * Example: ["curl", "nginx>=1.18", "docker-ce=5:24.0.*"], or { curl: "", nginx: ">=1.18" }.
   */
  packages: pulumi.Input<pulumi.Input<string>[]> | pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
  /** Keep them at their version when the host upgrades itself (apt-mark hold). Default: false. */
  hold?: pulumi.Input<boolean>;
  /** Install recommended packages too. Default: false. */
  recommends?: pulumi.Input<boolean>;
}

/**
 * Packages of apt, on Debian and Ubuntu. Waits up to 300 s for another apt, and names who holds the lock. Lists are fetched only when
 * something is missing and they are older than a day or do not have it. Configuration files that were changed stay as they are.
 * Drift: a package that is missing, in another version, or no longer held.
 * Delete: purges what this resource itself brought to the host, dependencies that nothing needs any more included.
 */
export class Packages extends pulumi.CustomResource {
  /** Package -> installed version. */
  declare readonly versions: pulumi.Output<{ [name: string]: string }>;
  /** What this resource brought to the host, dependencies included. */
  declare readonly installed: pulumi.Output<string[]>;

  constructor(name: string, args: PackagesArgs, opts?: pulumi.CustomResourceOptions) {
    super("host:index:Packages", name, { ...args, versions: undefined, installed: undefined }, opts);
  }
}
