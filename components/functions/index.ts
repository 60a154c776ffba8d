import * as pulumi from "@pulumi/pulumi";
import * as openfaas from "../../providers/openfaas/sdk";
import { complete, completeArgs } from "../complete";
import { type ConnectionArgs, providerArgs } from "../host/connection";
import { locationLabels } from "../location";
import type { LocationSettings } from "../settings.generated";

/** A function to deploy. What is not documented here is as `openfaas.Function` has it. */
export interface DeployedFunction extends Omit<
  openfaas.FunctionArgs,
  "name" | "secrets" | "secretRevisions"
> {
  /** Known when the program runs, not an Output: it names the resource. Example: "resize-image". */
  name: string;
  /** Names of secrets among `FunctionsArgs.secrets`, known when the program runs. Default: none. Example: ["api-key"]. */
  secrets?: string[];
}

export interface FunctionsArgs {
  /** The host where the gateway answers. Example: machine.connection. */
  connection: ConnectionArgs;
  /** The functions. Example: [{ name: "hello", image: "ghcr.io/example/hello@sha256:…" }]. */
  functions: DeployedFunction[];
  /** Secrets that functions may name (the values are secret). Default: none. Example: { "api-key": config.requireSecret("apiKey") }. */
  secrets?: Record<string, pulumi.Input<string>>;
  /** The gateway's port on the host. Default: 8080. Example: 8081. */
  gatewayPort?: pulumi.Input<number>;
  /** User of the gateway. Default: "admin". Example: openfaas.user. */
  user?: pulumi.Input<string>;
  /** The user's password (secret). Example: openfaas.password. */
  password: pulumi.Input<string>;
  /** How the outside calls Nginx, for `urls`; no slash at the end. Default: "http://localhost". Example: nginx.url. */
  url?: pulumi.Input<string>;
  /** Where the data is: labels of the functions, under their own. Default: Oslo, NO, self-hosted. Example: { city: "Bergen" }. */
  location?: pulumi.Input<LocationSettings>;
}

/**
 * Functions of one platform and their secrets, each a resource: changed lines in preview, drift, deletion. Example:
 * `new Functions("fn", { connection, functions, password: faas.password }, { dependsOn: faas })`.
 */
export class Functions extends pulumi.ComponentResource {
  /** URL by function name. */
  readonly urls: Record<string, pulumi.Output<string>> = {};

  constructor(
    name: string,
    args: FunctionsArgs,
    { dependsOn, ...opts }: pulumi.ComponentResourceOptions = {},
  ) {
    super("oslo-faas:index:Functions", name, recorded(args), opts);
    const { openfaas: gateway } = completeArgs(
      `Functions ${name}`,
      { gatewayPort: args.gatewayPort, user: args.user },
      { "openfaas.gatewayPort": "gatewayPort", "openfaas.user": "user" },
    );
    const provider = new openfaas.Provider(
      `${name}-gateway`,
      {
        ...providerArgs(args.connection),
        gateway: { port: gateway.gatewayPort },
        username: gateway.user,
        password: args.password,
      },
      { parent: this },
    );
    // The functions wait, and not this component: the provider's plugin starts meanwhile.
    const own = { parent: this, provider, dependsOn };
    const place = complete("location", args.location).apply(locationLabels);
    const secrets = this.secrets(name, args.secrets ?? {}, own);
    const revisionOf = (one: DeployedFunction, secret: string) => {
      if (!secrets[secret])
        throw new pulumi.RunError(`${one.name}: the secret ${secret} is not among the component's secrets`);
      return secrets[secret].revision;
    };
    for (const one of args.functions) {
      new openfaas.Function(
        `${name}-${one.name}`,
        {
          ...one,
          labels: pulumi.all([place, one.labels]).apply(([labels, own]) => ({ ...labels, ...own })),
          secretRevisions: Object.fromEntries(
            (one.secrets ?? []).map((secret) => [secret, revisionOf(one, secret)]),
          ),
        },
        own,
      );
      this.urls[one.name] = pulumi.interpolate`${args.url ?? "http://localhost"}/function/${one.name}`;
    }
    this.registerOutputs({ urls: this.urls });
  }

  private secrets(
    label: string,
    secrets: Record<string, pulumi.Input<string>>,
    opts: pulumi.CustomResourceOptions,
  ): Record<string, openfaas.FunctionSecret> {
    const made = Object.entries(secrets).map(([name, value]) => [
      name,
      new openfaas.FunctionSecret(`${label}-secret-${name}`, { name, value }, opts),
    ]);
    return Object.fromEntries(made) as Record<string, openfaas.FunctionSecret>;
  }
}

/** As the state holds them: what is secret is so there. */
function recorded({ secrets, password, functions, ...args }: FunctionsArgs): pulumi.Inputs {
  return {
    ...args,
    password: pulumi.secret(password),
    ...(secrets ? { secrets: pulumi.secret(secrets) } : {}),
    functions: functions.map(({ registryAuth, ...one }) =>
      registryAuth === undefined ? one : { ...one, registryAuth: pulumi.secret(registryAuth) },
    ),
  };
}
