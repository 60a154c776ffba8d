/** All that the provider has. A new resource or function is one line here; its class in ../sdk is generated. */
import type { Definition } from "../../core/resource";
import { configSchema, type ProviderConfig, resolveTarget } from "./config";
import { HostSession } from "./hostSession";
import { aptRepository } from "./resources/aptRepository";
import { facts, getFacts } from "./resources/facts";
import { file } from "./resources/file";
import { packages } from "./resources/packages";
import { password } from "./resources/password";
import { preflight } from "./resources/preflight";
import { swarmMember } from "./resources/swarm";
import { sysctl } from "./resources/sysctl";
import { systemdUnit } from "./resources/systemdUnit";

export const definition: Definition<ProviderConfig, HostSession> = {
  name: "host",
  displayName: "Host",
  description:
    "Things on a Linux host that can be read back, over SSH: files, packages, apt repositories, kernel settings, systemd units, membership of a Docker Swarm. Each has a real diff in preview, drift in a refresh, and is repaired by the next update.",
  providerDescription:
    "The connection to one host: the provider of every resource on it. Each plugin process opens one SSH connection, with the first step that needs it; a preview without changes on the host needs none. A changed connection never replaces what is on the host.",
  config: configSchema,
  configSecrets: ["privateKey", "jump.privateKey"],
  resources: [file, packages, aptRepository, systemdUnit, sysctl, swarmMember, preflight, facts, password],
  functions: [getFacts],
  moved: {
    "host:index:Function": "openfaas:index:Function",
    "host:index:FunctionSecret": "openfaas:index:FunctionSecret",
  },
  open: (config, root) => new HostSession(resolveTarget(config, root)),
  context: (base, client) => ({ ...base, session: async () => client() }),
};
