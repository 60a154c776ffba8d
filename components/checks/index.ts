import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { LoadedEnvironment } from "../../environment";
import { commandConnection } from "../host/connection";
import { renderCheckScript, renderCheckInput } from "./render";

export interface FrontDoorArgs {
  environment: LoadedEnvironment;
  user: pulumi.Input<string>;
  password: pulumi.Input<string>;
  /** The functions that have to be known to the gateway. */
  functions: string[];
  /** The Swarm services that have to stay up. */
  services: string[];
  /** Whatever changes here has the checks run again. */
  triggers: pulumi.Input<unknown>[];
}

/**
 * What ends an `up`: calls through Nginx, made on the host itself. They fail the `up` when the platform does not answer.
 * An action with nothing to read back, hence @pulumi/command.
 */
export class FrontDoorChecks extends pulumi.ComponentResource {
  constructor(name: string, args: FrontDoorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-faas:index:FrontDoorChecks", name, {}, opts);
    const { nginx, checks } = args.environment;
    new command.remote.Command(
      `${name}-calls`,
      {
        connection: commandConnection(args.environment),
        create: renderCheckScript({
          origin: nginx.tls ? `https://127.0.0.1:${nginx.httpsPort}` : `http://127.0.0.1:${nginx.httpPort}`,
          functions: args.functions,
          checks,
          services: args.services,
        }),
        // The password reaches curl through standard input: not the script, not the process list.
        stdin: pulumi
          .all([args.user, args.password])
          .apply(([user, password]) => renderCheckInput(user, password)),
        logging: command.remote.Logging.Stderr,
        addPreviousOutputInEnv: false,
        triggers: args.triggers,
      },
      { parent: this, customTimeouts: { create: "5m" } },
    );
    this.registerOutputs({});
  }
}
