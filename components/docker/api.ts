import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import { bracketed } from "../../shared/address";
import { type Connection, completeConnection, type ConnectionArgs } from "../host/connection";
import { dockerLogins } from "../images/login";
import { sshOptions } from "./ssh";

export interface DockerApiArgs {
  /** The host with the engine. Example: { address: "203.0.113.10", hostKey: "ssh-ed25519 AAAA…" }. */
  connection: ConnectionArgs;
  /**
   * Logins by registry, each "user:password" (secret); Docker Hub is "docker.io". They are the connection's and not each service's,
   * so that a new password replaces no service. Default: none. Example: { "registry.example.no": config.requireSecret("login") }.
   */
  registryAuth?: Record<string, pulumi.Input<string>>;
}

/**
 * The Docker API of one host over SSH, for @pulumi/docker. It connects when a resource needs it, and not in a preview; what uses it
 * depends on DockerEngine. It is not a child of that component, and so waits for nothing.
 */
export function dockerApi(name: string, args: DockerApiArgs, opts?: pulumi.ResourceOptions): docker.Provider {
  const connection = completeConnection(args.connection);
  return new docker.Provider(
    name,
    {
      host: connection.apply(hostUrl),
      sshOpts: connection.apply(sshOptions),
      registryAuth: dockerLogins(args.registryAuth ?? {}),
    },
    opts,
  );
}

const hostUrl = ({ user, address, port }: Connection) => `ssh://${user}@${bracketed(address)}:${port}`;
