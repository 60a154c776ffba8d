import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as host from "../../providers/host/sdk";
import { quote } from "../../shared/quote";
import { completeArgs, completeNow } from "../complete";
import { commandConnection, completeConnection, type ConnectionArgs } from "../host/connection";
import type { DockerSettings } from "../settings.generated";
import {
  distroPackages,
  dockerPackages,
  ENGINE_NEEDS,
  renderDaemonJson,
  restartKey,
  VALIDATE_DAEMON_JSON,
} from "./render";

export { dockerApi, type DockerApiArgs } from "./api";

export interface DockerEngineArgs extends DockerSettings {
  /** Open files of a container. Default: 65536. Example: 131072. */
  openFiles?: pulumi.Input<number>;
  /** The host's facts: its release is part of the address of Docker's repository, and says which packages there are. Default: they are gathered. Example: machine.facts. */
  facts?: pulumi.Input<host.HostFacts>;
  /**
   * The login that @pulumi/docker uses, which knows no sudo. A user who is not root is put into the group `docker`, which is as good as
   * root; that takes a provider `command`. Default: nobody is. Example: machine.connection.
   */
  connection?: ConnectionArgs;
}

/**
 * Docker Engine on the host whose provider it takes: from Docker's own apt repository (its key pinned by its full fingerprint) or from
 * the distribution; held at its version; log rotation, mirrors and limits in daemon.json.
 * Example: `new DockerEngine("docker", { source: "distro" }, { provider: machine.provider })`.
 */
export class DockerEngine extends pulumi.ComponentResource {
  /** Versions of the engine's packages by their names. */
  readonly versions: pulumi.Output<{ [name: string]: string }>;

  constructor(name: string, args: DockerEngineArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("oslo-faas:index:DockerEngine", name, { ...args }, opts);
    const { facts, connection, ...settings } = args;
    const completed = completeArgs(`DockerEngine ${name}`, settings, {
      docker: "",
      "base.openFiles": "openFiles",
    });
    const { docker } = completed;
    const { source } = completeNow("docker", { source: settings.source });
    const values = completed.apply(({ docker: own, base }) => ({ ...own, openFiles: base.openFiles }));

    // Before the packages: the engine then starts with it the first time, and is not restarted at once.
    const config = new host.File(
      `${name}-daemon-json`,
      {
        path: "/etc/docker/daemon.json",
        content: values.apply(renderDaemonJson),
        validate: VALIDATE_DAEMON_JSON,
        onChange: ["if systemctl is-active --quiet docker; then systemctl reload docker; fi"],
        // The engine's own key and socket, which its package leaves behind.
        onDelete: ["command -v dockerd >/dev/null || rm -f /etc/docker/key.json /run/docker.sock"],
      },
      { parent: this },
    );
    const needs = new host.Packages(`${name}-needs`, { packages: ENGINE_NEEDS }, { parent: this });
    const known = pulumi.output(facts ?? new host.Facts(`${name}-facts`, {}, { parent: this }).facts);
    const repository = source === "docker" ? [this.repository(name, docker.repository, known)] : [];
    const wanted =
      source === "docker"
        ? docker.apply(({ version }) => dockerPackages(version))
        : known.apply(distroPackages);
    const packages = new host.Packages(
      `${name}-packages`,
      { packages: wanted, hold: true },
      { parent: this, dependsOn: [config, needs, ...repository] },
    );
    new host.SystemdUnit(
      `${name}-unit`,
      { unit: "docker.service", enabled: true, active: true, restartOn: [values.apply(restartKey)] },
      { parent: this, dependsOn: [packages] },
    );
    if (connection) this.allowUser(name, connection, packages);

    this.versions = packages.versions;
    this.registerOutputs({ versions: this.versions });
  }

  private allowUser(name: string, connection: ConnectionArgs, packages: pulumi.Resource): void {
    const { user = "root" } = connection;
    if (user === "root") return;
    new command.remote.Command(
      `${name}-group`,
      {
        connection: completeConnection(connection).apply(commandConnection),
        create: `sudo -n usermod -aG docker ${quote(user)}`,
        delete: `sudo -n gpasswd -d ${quote(user)} docker || true`,
        addPreviousOutputInEnv: false,
      },
      { parent: this, dependsOn: [packages] },
    );
  }

  private repository(
    name: string,
    { uri, keyUrl, fingerprint }: pulumi.Output<{ uri: string; keyUrl?: string; fingerprint: string }>,
    facts: pulumi.Output<host.HostFacts>,
  ): host.AptRepository {
    const base = pulumi.interpolate`${uri}/${facts.osId}`;
    return new host.AptRepository(
      `${name}-repository`,
      {
        name: "docker",
        uri: base,
        components: ["stable"],
        keyUrl: pulumi.all([base, keyUrl]).apply(([address, key]) => key ?? `${address}/gpg`),
        fingerprint,
      },
      { parent: this },
    );
  }
}
