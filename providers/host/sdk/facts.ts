import * as pulumi from "@pulumi/pulumi";
import type { HostFacts } from "../src/resources/facts";

/** What preflight accepts unless it is told otherwise: machines, no containers. */
export { DEFAULT_VIRTUALIZATION as VIRTUAL_MACHINES } from "../src/releases";
export type { HostFacts } from "../src/resources/facts";

export interface FactsArgs {
  /** Where one changes, the facts are gathered again. Default: none. */
  triggers?: pulumi.Input<pulumi.Input<string>[]>;
}

/** What a host is: gathered at creation, on a refresh and when `triggers` change. What fluctuates by itself is no drift. */
export class Facts extends pulumi.CustomResource {
  declare readonly facts: pulumi.Output<HostFacts>;

  constructor(name: string, args: FactsArgs = {}, opts?: pulumi.CustomResourceOptions) {
    super("host:index:Facts", name, { ...args, facts: undefined }, opts);
  }
}

export interface GetFactsResult {
  /** False where no connection could be made; then `error` says why and `facts` is absent. */
  reachable: boolean;
  facts?: HostFacts;
  error?: string;
}

/** Facts in preview too. A host that cannot be reached is an answer and no error. Example: `getFacts({ provider })`. */
export function getFacts(opts: pulumi.InvokeOptions): Promise<GetFactsResult> {
  return pulumi.runtime.invoke("host:index:getFacts", {}, opts) as Promise<GetFactsResult>;
}

export interface PreflightArgs {
  /**
   * What the host may run on: systemd-detect-virt's words, "none" is bare metal. Default: bare metal and the known hypervisors; no
   * container (openvz, lxc, docker) is among them.
   */
  allowVirtualization?: pulumi.Input<pulumi.Input<string>[]>;
  /** ID and VERSION_ID of /etc/os-release. Default: the table in providers/host/src/releases.ts. Example: [{ id: "ubuntu", version: "18.04" }]. */
  releases?: pulumi.Input<pulumi.Input<{ id: pulumi.Input<string>; version: pulumi.Input<string> }>[]>;
  /** Debian's names. Default: ["amd64", "arm64"]. */
  architectures?: pulumi.Input<pulumi.Input<string>[]>;
  /** Default: 1024. */
  minMemoryMiB?: pulumi.Input<number>;
  /** Free space under /var/lib. Default: 5120. */
  minDiskMiB?: pulumi.Input<number>;
  /** TCP ports that have to be free, or taken by a process of ours (name, or names). Default: none. Example: [{ port: 80, ours: "nginx" }]. */
  ports?: pulumi.Input<
    pulumi.Input<{ port: pulumi.Input<number>; ours?: pulumi.Input<string | string[]> }>[]
  >;
  /** Synchronous 4 KiB writes a second under /var/lib; 0 measures nothing and writes nothing. Default: 0. */
  minFsyncPerSecond?: pulumi.Input<number>;
  /**
   * Version of docker-ce that is to be installed, as apt writes it; refused where Docker never published it for the host's release.
   * Default: none. Example: "5:24.0.2-1~ubuntu.18.04~bionic".
   */
  engineVersion?: pulumi.Input<string>;
}

/**
 * Refuses a host on which the rest cannot work, with every reason at once (what, found, wanted, what to do), before anything is changed
 * on it. Runs when it is created and when its arguments change. Delete: nothing to do.
 */
export class Preflight extends pulumi.CustomResource {
  declare readonly facts: pulumi.Output<HostFacts>;
  /** What was said and did not stop it. */
  declare readonly warnings: pulumi.Output<string[]>;

  constructor(name: string, args: PreflightArgs = {}, opts?: pulumi.CustomResourceOptions) {
    super("host:index:Preflight", name, { ...args, facts: undefined, warnings: undefined }, opts);
  }
}
