/** All that the provider has. A new resource is one line here; its class in ../sdk is generated. */
import type { Definition } from "../../core/resource";
import { resolveTarget } from "../../host/src/config";
import { HostSession } from "../../host/src/hostSession";
import { configSchema, type OpenFaasConfig } from "./config";
import { Gateway } from "./gateway";
import { faasFunction } from "./resources/function";
import { functionSecret } from "./resources/functionSecret";

interface Connected {
  session: HostSession;
  gateway: Gateway;
  cancel(): void;
}

export const definition: Definition<OpenFaasConfig, Connected> = {
  name: "openfaas",
  displayName: "OpenFaaS",
  description:
    "Functions of OpenFaaS and their secrets, through a gateway that only the host itself can reach. Each has a real diff in preview, drift in a refresh, and is repaired by the next update.",
  providerDescription:
    "The gateway of one host, and the SSH connection to that host. The gateway can listen on the loopback of the host alone: nothing has to be opened for a deployment. The plugin process has one SSH connection of its own, beside that of the provider `host`. A changed connection or password never replaces a function.",
  config: configSchema,
  configSecrets: ["privateKey", "jump.privateKey", "password"],
  resources: [faasFunction, functionSecret],
  functions: [],
  open(config, root) {
    const session = new HostSession(resolveTarget(config, root));
    const { gateway, username, password } = config;
    return {
      session,
      gateway: new Gateway(session, { ...gateway, username, password }),
      cancel: () => session.cancel(),
    };
  },
  context: (base, client) => ({
    ...base,
    session: async () => client().session,
    gateway: () => client().gateway,
  }),
};
