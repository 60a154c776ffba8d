import * as pulumi from "@pulumi/pulumi";

export interface FunctionResources {
  /** Example: "128Mi". */
  memory?: pulumi.Input<string>;
  /** Example: "100m" (a tenth of a CPU) or "0.5". */
  cpu?: pulumi.Input<string>;
}

export interface FunctionArgs {
  /** The gateway as seen from the host. Default: { host: "127.0.0.1", port: 8080 }. */
  gateway?: pulumi.Input<{ host?: pulumi.Input<string>; port?: pulumi.Input<number> }>;
  /** User of the gateway. */
  username: pulumi.Input<string>;
  /** Its password (secret). A new one rolls no function. */
  password: pulumi.Input<string>;
  /** A change makes a new function. Example: "resize-image". */
  name: pulumi.Input<string>;
  /** By digest where it should not change behind the program's back. Example: "registry/name:tag@sha256:...". */
  image: pulumi.Input<string>;
  /**
   * Login of the image's registry, "user:password" (secret). Every node pulls with it, until another one is given. A new one is an update of the
   * function. Default: none.
   */
  registryAuth?: pulumi.Input<string>;
  /** Default: the gateway's. */
  namespace?: pulumi.Input<string>;
  /** Environment variables; secrets belong in `secrets`. Default: none. */
  env?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
  /** What the watchdog runs. Default: what the image says. */
  envProcess?: pulumi.Input<string>;
  /** Names of existing secrets, mounted under /var/openfaas/secrets. Default: none. */
  secrets?: pulumi.Input<pulumi.Input<string>[]>;
  /** From a secret's name to FunctionSecret.revision: a new value then shows as a change of the function, and is waited for. Default: none. */
  secretRevisions?: pulumi.Input<{ [name: string]: pulumi.Input<number> }>;
  /** com.openfaas.scale.min and .max are the bounds of the autoscaler (default 1 and 20); with .factor "0" the least is the most. Default: none. */
  labels?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
  annotations?: pulumi.Input<{ [name: string]: pulumi.Input<string> }>;
  /** Example: ["node.role==worker"]. Default: none. */
  constraints?: pulumi.Input<pulumi.Input<string>[]>;
  /** What it may use at most. Default: no limit. */
  limits?: pulumi.Input<FunctionResources>;
  /** What is reserved for it. Default: nothing. */
  requests?: pulumi.Input<FunctionResources>;
  /** With a writable /tmp. Default: false. */
  readOnlyRootFilesystem?: pulumi.Input<boolean>;
  /** What a count outside of the autoscaler's bounds is brought back to. Default: the lower bound. Rarely needed. */
  replicas?: pulumi.Input<number>;
  /**
   * How long a deployment is waited for, in seconds since its last progress (a replica more of the new version, an image that is being
   * fetched), and half an hour at most. From 5 to 1800. Default: 120.
   */
  waitSeconds?: pulumi.Input<number>;
}

/**
 * An OpenFaaS function, deployed through the gateway over the SSH connection. Waits until enough replicas answer and the engine is
 * through with the update; where the new version does not stay up, the error shows its log, and the version before it goes on serving. Functions of ours carry the label com.oslo-faas.managed: one without
 * it was deployed by someone else, and is refused and not overwritten. Drift: image, environment, labels, annotations, secrets,
 * constraints, limits, and `replicas` where their count is outside of what the autoscaler may choose. Delete: the function is removed.
 */
export class Function extends pulumi.CustomResource {
  /** Path under the front door: "/function/NAME". */
  declare readonly path: pulumi.Output<string>;

  constructor(name: string, args: FunctionArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "host:index:Function",
      name,
      {
        ...args,
        password: pulumi.secret(args.password),
        registryAuth: args.registryAuth === undefined ? undefined : pulumi.secret(args.registryAuth),
        path: undefined,
        extras: undefined,
      },
      opts,
    );
  }
}
