/** One host's address and keys, as each of the programs that reach it takes them. */
import * as fs from "node:fs";
import * as path from "node:path";
import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Environment, LoadedEnvironment } from "../../environment";
import type * as host from "../../providers/host/sdk";
import { expandHome } from "../../shared/home";
import { completeArgs } from "../complete";
import type { HostSettings } from "../settings.generated";

/** How a host is reached. Example: `{ address: "203.0.113.10", hostKey: "ssh-ed25519 AAAA…" }`. */
export interface ConnectionArgs extends Omit<HostSettings, "hostKey" | "hostKeyFile"> {
  /**
   * The host's public key, pinned: any other key is refused. The host prints it: `cat /etc/ssh/ssh_host_ed25519_key.pub`.
   * Example: "ssh-ed25519 AAAA…".
   */
  hostKey: pulumi.Input<string>;
}

/** The same with every default, and values that are known. */
export type Connection = Environment["host"] & { hostKey: string };

/** The connection of an environment's host. */
export function connectionOf(env: LoadedEnvironment): ConnectionArgs {
  const { hostKeyFile: _file, ...connection } = env.host;
  return { ...connection, hostKey: env.pinnedHostKey };
}

export const completeConnection = (args: pulumi.Input<ConnectionArgs>): pulumi.Output<Connection> =>
  completeArgs("connection", { connection: args }, { host: "connection" }).host as pulumi.Output<Connection>;

/** For the provider `host`. */
export function providerArgs(args: ConnectionArgs): host.ProviderArgs {
  const connection = completeConnection(args);
  return {
    host: connection.address,
    port: connection.port,
    user: connection.user,
    hostKey: connection.hostKey,
    privateKeyPath: connection.apply(({ privateKeyPath }) => privateKeyPath!),
    dialTimeoutSeconds: connection.dialTimeoutSeconds,
    jump: connection.apply(({ jump }) => (jump && jumpArgs(jump))!),
  };
}

function jumpArgs({ address, ...rest }: NonNullable<Connection["jump"]>) {
  return { host: address, ...rest };
}

/** For @pulumi/command: pinned key, bounded dials. The keys are read here, and the whole is a secret. */
export function commandConnection(connection: Connection): command.types.input.remote.ConnectionArgs {
  const { address, port, user, hostKey, privateKeyPath, dialTimeoutSeconds, jump } = connection;
  const key = privateKey(privateKeyPath);
  return {
    host: address,
    port,
    user,
    hostKey,
    dialErrorLimit: 3,
    perDialTimeout: dialTimeoutSeconds,
    ...key,
    ...(jump
      ? {
          proxy: {
            host: jump.address,
            port: jump.port,
            user: jump.user,
            hostKey: jump.hostKey,
            dialErrorLimit: 3,
            ...(jump.privateKeyPath ? privateKey(jump.privateKeyPath) : key),
          },
        }
      : {}),
  };
}

/**
 * The key's content as a secret. Without one the plugin asks the agent at SSH_AUTH_SOCK itself; naming that socket here would
 * be a change of the resource at each login. A key that is not on this machine shows only in an `up`.
 */
function privateKey(file?: string): { privateKey?: pulumi.Output<string> } {
  if (!file) return {};
  const full = path.resolve(expandHome(file));
  return fs.existsSync(full) ? { privateKey: pulumi.secret(fs.readFileSync(full, "utf8")) } : {};
}
