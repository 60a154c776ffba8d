import type * as host from "../../providers/host/sdk";
import type { LoadedEnvironment } from "../../environment";

/** The environment's host as the providers `host` and `openfaas` are configured with it. */
export function providerArgs(env: LoadedEnvironment): host.ProviderArgs {
  const { address, jump, hostKey: _k, hostKeyFile: _f, ...rest } = env.host;
  return {
    host: address,
    ...rest,
    hostKey: env.pinnedHostKey,
    jump: jump && {
      host: jump.address,
      port: jump.port,
      user: jump.user,
      hostKey: jump.hostKey,
      privateKeyPath: jump.privateKeyPath,
    },
  };
}
