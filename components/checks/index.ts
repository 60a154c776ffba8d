import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { complete } from "../complete";
import { commandConnection, completeConnection, type ConnectionArgs } from "../host/connection";
import { localOrigin } from "../nginx/render";
import type { CheckSettings } from "../settings.generated";
import { renderCheckInput, renderCheckScript } from "./render";

export interface ChecksArgs {
  /** The host that calls, which is the one with Nginx. Example: machine.connection. */
  connection: pulumi.Input<ConnectionArgs>;
  /** Nginx as the host itself calls it. Default: "http://127.0.0.1:80". Example: nginx.origin. */
  origin?: pulumi.Input<string>;
  /** User of the gateway. Default: "admin". Example: openfaas.user. */
  user?: pulumi.Input<string>;
  /** The user's password (secret). Example: openfaas.password. */
  password: pulumi.Input<string>;
  /** Functions that the gateway has to know. Default: none. Example: ["hello"]. */
  functions?: pulumi.Input<pulumi.Input<string>[]>;
  /** Swarm services that have to run, and go on running. Default: none. Example: openfaas.services. */
  services?: pulumi.Input<pulumi.Input<string>[]>;
  /** Further calls. Default: none. Example: [{ path: "/function/hello", status: 200 }]. */
  checks?: pulumi.Input<pulumi.Input<CheckSettings>[]>;
  /** Where one of them changes, the checks run again. Default: none. Example: [nginx.revision]. */
  triggers?: pulumi.Input<unknown>[];
}

/**
 * What ends an `up`: calls through Nginx, made on the host itself. They fail the `up` when the platform does not answer.
 * An action with nothing to read back, hence @pulumi/command. Example:
 * `new Checks("checks", { connection: machine.connection, password }, { dependsOn: nginx })`.
 */
export class Checks extends pulumi.ComponentResource {
  constructor(name: string, args: ChecksArgs, opts?: pulumi.ComponentResourceOptions) {
    const secret = { ...args, password: pulumi.secret(args.password) };
    super("oslo-faas:index:FrontDoorChecks", name, secret, opts);
    const origin = args.origin ?? complete("nginx", {}).apply(localOrigin);
    const { functions = [], services = [], triggers = [] } = args;
    // The schema's own defaults are those of a list of mappings.
    const checks = complete("checks", args.checks);
    new command.remote.Command(
      `${name}-calls`,
      {
        connection: completeConnection(args.connection).apply(commandConnection),
        create: pulumi.output({ origin, functions, checks, services }).apply(renderCheckScript),
        // The password reaches curl through standard input: not the script, not the process list.
        stdin: pulumi
          .all([args.user ?? complete("openfaas", {}).user, secret.password])
          .apply(([user, password]) => renderCheckInput(user, password)),
        logging: command.remote.Logging.Stderr,
        addPreviousOutputInEnv: false,
        triggers,
      },
      { parent: this, customTimeouts: { create: "5m" } },
    );
    this.registerOutputs({});
  }
}
