/** Functions that somebody deployed outside of the stack: nothing else would take them off the network when the stack is destroyed. */
import * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { commandConnection, completeConnection, type ConnectionArgs } from "../host/connection";
import removeFunctions from "./scripts/remove-functions.sh";

/** What the provider's service depends on: at destroy it comes after that service, so that nothing is deployed meanwhile, and before the network. */
export function functionsByHand(
  label: string,
  connection: pulumi.Input<ConnectionArgs> | undefined,
  network: pulumi.Resource,
  parent: pulumi.Resource,
): pulumi.Resource[] {
  if (!connection) return [];
  return [
    new command.remote.Command(
      `${label}-functions-by-hand`,
      {
        connection: completeConnection(connection).apply(commandConnection),
        // An update runs it as well.
        create: ":",
        delete: removeFunctions,
        logging: command.remote.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      { parent, dependsOn: network, customTimeouts: { delete: "10m" } },
    ),
  ];
}
