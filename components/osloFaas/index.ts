import { setImmediate } from "node:timers/promises";
import * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { LoadedEnvironment } from "../../environment";
import type { HostFacts } from "../../providers/host/sdk";
import { Checks } from "../checks";
import { dockerApi, DockerEngine } from "../docker";
import type { FunctionOfFile } from "../functions/functionOfFile";
import { Functions } from "../functions";
import { Host } from "../host";
import { connectionOf } from "../host/connection";
import { type EnvironmentImages, environmentImages } from "../images";
import { Images } from "../images/own";
import { Nginx } from "../nginx";
import { Certificate } from "../nginx/order";
import { OpenFaaS } from "../openfaas";
import { Swarm } from "../swarm";
import { environmentFunctions } from "./functions";

export interface OsloFaasOutputs {
  /** How the outside calls the platform: https://… without a slash at the end. */
  url: pulumi.Output<string>;
  /** User of the gateway's management API. */
  gatewayUser: pulumi.Output<string>;
  /** Its password (secret). */
  gatewayPassword: pulumi.Output<string>;
  /** URL by function name. */
  functions: pulumi.Output<Record<string, string>>;
  /** What preflight found on the host. */
  host: pulumi.Output<HostFacts>;
  /** Where the data is. */
  location: LoadedEnvironment["location"];
}

/** The connections of one environment, which everything else needs. */
interface Connections {
  actions: command.Provider;
  api: docker.Provider;
  machine: Host;
}

/** What the functions of an environment stand on. */
interface Platform {
  machine: Host;
  images: Images;
  openfaas: OpenFaaS;
  door: Nginx;
}

/**
 * One environment, from a clean host to functions that answer. It only maps the environment to the components.
 * One of them to a stack. Example: `new OsloFaas("oslo-faas", loadEnvironment()).outputs`.
 */
export class OsloFaas extends pulumi.ComponentResource {
  /** What a stack exports. */
  readonly outputs: OsloFaasOutputs;

  /** @throws pulumi.RunError with every mistake in the files of functions, before anything is registered */
  constructor(name: string, env: LoadedEnvironment, opts?: pulumi.ComponentResourceOptions) {
    const functions = environmentFunctions(env);
    const images = environmentImages(env);
    super("oslo-faas:index:OsloFaas", name, { environment: env.name, location: env.location }, opts);

    const connections = this.connect(env);
    // The plugins of the connections start while the rest of the program is at work.
    const platform = sent(connections.machine).then(() => this.build(env, functions, images, connections));
    this.outputs = {
      url: pulumi.output(platform.then(({ door }) => door.url)),
      gatewayUser: pulumi.output(platform.then(({ openfaas }) => openfaas.user)),
      gatewayPassword: pulumi.output(platform.then(({ openfaas }) => openfaas.password)),
      functions: pulumi.output(platform.then(({ deployed }) => deployed.urls)),
      host: connections.machine.facts,
      location: env.location,
    };
    this.registerOutputs(this.outputs);
  }

  private connect(env: LoadedEnvironment): Connections {
    const connection = connectionOf(env);
    return {
      actions: new command.Provider("actions", {}, this.part()),
      api: dockerApi("docker-api", { connection, registryAuth: env.registryAuth }, this.part()),
      machine: new Host(
        "host",
        {
          connection,
          preflight: env.preflight,
          ports: wantedPorts(env),
          engineVersion: env.docker.version,
          engineNetworks: {
            bip: env.docker.bip!,
            pools: env.docker.defaultAddressPools,
            overlay: [env.swarm.addressPool],
          },
          ipv6: env.nginx.ipv6,
          base: env.base,
          backlog: env.nginx.backlog,
          firewall: env.firewall,
          gatewayPort: env.openfaas.gatewayPort,
          openPorts: doorPorts(env),
        },
        this.part(),
      ),
    };
  }

  private build(
    env: LoadedEnvironment,
    functions: FunctionOfFile[],
    resolver: EnvironmentImages,
    { actions, api, machine }: Connections,
  ) {
    const onHost = { providers: { host: machine.provider, command: actions } };
    const engine = new DockerEngine(
      "docker",
      {
        ...env.docker,
        openFiles: env.base.openFiles,
        facts: machine.facts,
        connection: machine.connection,
      },
      this.part({ ...onHost, dependsOn: machine }),
    );
    const swarm = new Swarm(
      "swarm",
      { ...env.swarm, location: env.location },
      this.part({ ...onHost, dependsOn: engine }),
    );
    const images = new Images(
      "images",
      { settings: env.images, resolver, registryAuth: env.registryAuth, functions },
      this.part({ providers: [api], dependsOn: engine }),
    );
    const openfaas = new OpenFaaS(
      "openfaas",
      { ...platformArgs(env, resolver, images), connection: machine.connection },
      this.part({ providers: { ...onHost.providers, docker: api }, dependsOn: swarm }),
    );
    const door = new Nginx(
      "nginx",
      {
        ...env.nginx,
        gatewayPort: env.openfaas.gatewayPort,
        openFiles: env.base.openFiles,
        asyncBody: env.openfaas.queue.maxBody,
        functionsSocket: openfaas.functionsSocket,
        queueSocket: openfaas.queueSocket,
        address: env.host.address,
        acmeEabKey: env.acmeEabKey,
      },
      this.part({ ...onHost, dependsOn: machine }),
    );
    const deployed = this.deploy(env, functions, { machine, images, openfaas, door }, actions);
    resolver.report();
    return { door, openfaas, deployed };
  }

  /** The functions, and the checks that end an `up`. */
  private deploy(
    env: LoadedEnvironment,
    functions: FunctionOfFile[],
    { machine, images, openfaas, door }: Platform,
    actions: Connections["actions"],
  ): Functions {
    const deployed = new Functions(
      "functions",
      {
        connection: machine.connection,
        functions: functions.map(({ spec }) => ({ ...spec, ...images.functions[spec.name] })),
        secrets: env.functionSecrets,
        gatewayPort: env.openfaas.gatewayPort,
        user: openfaas.user,
        password: openfaas.password,
        url: door.url,
        location: env.location,
      },
      this.part({ providers: { host: machine.provider, command: actions }, dependsOn: openfaas }),
    );
    const checks = new Checks(
      "checks",
      {
        connection: machine.connection,
        origin: door.origin,
        user: openfaas.user,
        password: openfaas.password,
        functions: Object.keys(deployed.urls),
        services: openfaas.services,
        checks: env.checks,
        triggers: [openfaas.revision, door.revision],
      },
      this.part({ providers: [actions], dependsOn: [deployed, door] }),
    );
    // A refused order leaves everything else in place.
    if (door.order)
      new Certificate(
        "certificate",
        { order: door.order },
        this.part({ providers: { host: machine.provider }, dependsOn: checks }),
      );
    return deployed;
  }

  /** A part was a resource of the stack itself before this component was: an older stack is taken over as it is. */
  private part(opts: pulumi.ComponentResourceOptions = {}): pulumi.ComponentResourceOptions {
    return { ...opts, parent: this, aliases: [{ parent: pulumi.rootStackResource }] };
  }
}

/** When a resource, and what was made before it, is on its way to the engine. */
async function sent(resource: pulumi.Resource): Promise<void> {
  await new Promise<void>((done) => void resource.urn.apply(() => done()));
  await setImmediate();
}

function platformArgs(env: LoadedEnvironment, { stack }: EnvironmentImages, images: Images) {
  const { swarmProvider, queueWorker } = images;
  return {
    ...env.openfaas,
    images: {
      gateway: stack("gateway"),
      basicAuth: stack("basicAuth"),
      nats: stack("nats"),
      natsStreaming: stack("natsStreaming"),
      prometheus: stack("prometheus"),
      alertmanager: stack("alertmanager"),
      swarmProvider: swarmProvider.image,
      edge: stack("edge"),
      queueWorker: queueWorker.image,
    },
    builds: { swarmProvider: swarmProvider.builds, queueWorker: queueWorker.builds },
    registryAuth: env.registryAuth,
    password: env.gatewayPassword,
    alerts: env.alerts,
    alertWebhookUrl: env.alertWebhookUrl,
    alertWebhookToken: env.alertWebhookToken,
    alertSmtpPassword: env.alertSmtpPassword,
    closedPorts: env.firewall.enabled,
    timezone: env.base.timezone,
    nginx: { tls: env.nginx.tls, httpsPort: env.nginx.httpsPort, serverName: env.nginx.serverName },
    location: env.location,
  };
}

const doorPorts = ({ nginx }: LoadedEnvironment): number[] => [
  nginx.httpPort,
  ...(nginx.tls ? [nginx.httpsPort] : []),
];

/** What nginx and the gateway listen on: free before the first `up`. */
const wantedPorts = (env: LoadedEnvironment): { port: number; ours: string }[] => [
  ...doorPorts(env).map((port) => ({ port, ours: "nginx" })),
  { port: env.openfaas.gatewayPort, ours: "dockerd" },
];
