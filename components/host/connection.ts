import * as fs from "node:fs";
import * as path from "node:path";
import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { expandHome } from "../../shared/home";
import type { LoadedEnvironment } from "../../environment";

/** The environment's host as @pulumi/command takes it: pinned key, bounded dials. */
export function commandConnection(env: LoadedEnvironment): command.types.input.remote.ConnectionArgs {
  const { address, port, user, privateKeyPath, jump } = env.host;
  const key = privateKey(privateKeyPath);
  return {
    host: address,
    port,
    user,
    hostKey: env.pinnedHostKey,
    dialErrorLimit: 3,
    perDialTimeout: env.host.dialTimeoutSeconds,
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
