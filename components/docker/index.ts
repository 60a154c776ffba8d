import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as host from "../../providers/host/sdk";
import { bracketed } from "../../shared/address";
import { quote } from "../../shared/quote";
import type { LoadedEnvironment } from "../../environment";
import { commandConnection } from "../host/connection";
import { dockerLogins } from "../images/login";
import {
  type DaemonValues,
  ENGINE_NEEDS,
  enginePackages,
  renderDaemonJson,
  restartKey,
  VALIDATE_DAEMON_JSON,
} from "./render";
import { sshOptions } from "./ssh";

export interface DockerEngineArgs {
  environment: LoadedEnvironment;
  /** The host's release, for the address of Docker's apt repository. */
  facts: pulumi.Input<host.HostFacts>;
}

/**
 * Docker Engine on the host: from Docker's own apt repository (its key pinned by its full fingerprint) or from the
 * distribution; held at its version; log rotation, mirrors and limits in daemon.json.
 */
export class DockerEngine extends pulumi.ComponentResource {
  constructor(name: string, args: DockerEngineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-faas:index:DockerEngine", name, {}, opts);
    const env = args.environment;
    const values: DaemonValues = { ...env.docker, openFiles: env.base.openFiles };

    // Before the packages: the engine then starts with it the first time, and is not restarted at once.
    const config = new host.File(
      `${name}-daemon-json`,
      {
        path: "/etc/docker/daemon.json",
        content: renderDaemonJson(values),
        validate: VALIDATE_DAEMON_JSON,
        onChange: ["if systemctl is-active --quiet docker; then systemctl reload docker; fi"],
        // The engine's own key and socket, which its package leaves behind.
        onDelete: ["command -v dockerd >/dev/null || rm -f /etc/docker/key.json /run/docker.sock"],
      },
      { parent: this },
    );
    const needs = new host.Packages(`${name}-needs`, { packages: ENGINE_NEEDS }, { parent: this });
    const source = env.docker.source === "docker" ? [this.repository(name, args)] : [];
    const packages = new host.Packages(
      `${name}-packages`,
      { packages: enginePackages(env.docker.source, env.docker.version), hold: true },
      { parent: this, dependsOn: [config, needs, ...source] },
    );
    new host.SystemdUnit(
      `${name}-unit`,
      { unit: "docker.service", enabled: true, active: true, restartOn: [restartKey(values)] },
      { parent: this, dependsOn: [packages] },
    );

    if (env.host.user !== "root") this.allowUser(name, env, packages);
    this.registerOutputs({});
  }

  /** @pulumi/docker logs in as the user and knows no sudo: the user has to be in the engine's group (which is as good as root). */
  private allowUser(name: string, env: LoadedEnvironment, packages: pulumi.Resource): void {
    new command.remote.Command(
      `${name}-group`,
      {
        connection: commandConnection(env),
        create: `sudo -n usermod -aG docker ${quote(env.host.user)}`,
        delete: `sudo -n gpasswd -d ${quote(env.host.user)} docker || true`,
        addPreviousOutputInEnv: false,
      },
      { parent: this, dependsOn: [packages] },
    );
  }

  private repository(name: string, args: DockerEngineArgs): host.AptRepository {
    const { uri, keyUrl, fingerprint } = args.environment.docker.repository;
    const base = pulumi.output(args.facts).apply((facts) => `${uri}/${facts.osId}`);
    return new host.AptRepository(
      `${name}-repository`,
      {
        name: "docker",
        uri: base,
        components: ["stable"],
        keyUrl: keyUrl ?? pulumi.interpolate`${base}/gpg`,
        fingerprint,
      },
      { parent: this },
    );
  }
}

/**
 * The Docker API of the host over SSH, for @pulumi/docker. It connects when a resource needs it, not in preview; what uses it depends on
 * DockerEngine. It is no child of that component, and so waits for nothing. The logins of registries are its own, and no service's: there a new
 * password would replace the service.
 */
export function dockerApi(name: string, env: LoadedEnvironment): docker.Provider {
  const { address, port, user, privateKeyPath, jump } = env.host;
  return new docker.Provider(name, {
    host: `ssh://${user}@${bracketed(address)}:${port}`,
    sshOpts: sshOptions({ hostKey: env.pinnedHostKey, privateKeyPath, jump }),
    registryAuth: dockerLogins(env),
  });
}
