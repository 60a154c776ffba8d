import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as host from "../../providers/host/sdk";
import type { Environment } from "../../environment";
import { bytes } from "../../environment/units";
import { EDGE_FOLDER, REPLICA_MAP } from "../../shared/edge";
import { complete, completeArgs, completeNow, onlyOf } from "../complete";
import type { ConnectionArgs } from "../host/connection";
import { locationLabels } from "../location";
import type {
  AlertsSettings,
  ImagesSettings,
  LocationSettings,
  NginxSettings,
  OpenFaaSSettings,
} from "../settings.generated";
import { renderAlertmanager, renderAlertRules } from "./alerts";
import {
  DOOR_FOLDER,
  DOOR_SOCKET,
  DOOR_TMPFILES,
  EDGE_USER,
  EDGE_VOLUME,
  EMPTY_MAP,
  HAPROXY_CONF,
  INTAKE_DOOR,
  renderEdge,
} from "./edge";
import { functionsByHand } from "./byHand";
import { SwarmObjects } from "./objects";
import { Queue } from "./queue";
import {
  alertmanagerArgs,
  CORE_NETWORK,
  exporterEnv,
  FUNCTIONS_NETWORK,
  gatewayEnv,
  INTAKE_SOCKET,
  prometheusArgs,
  providerEnv,
  renderPrometheus,
} from "./render";

/** Parts of the platform that have an image. */
export type PlatformImage = Exclude<
  keyof ImagesSettings,
  "registry" | "lock" | "own" | "functions" | "node" | "python" | "go"
>;

export interface OpenFaaSArgs extends OpenFaaSSettings {
  /**
   * A host that manages the swarm. At destroy, functions that somebody deployed outside of the stack are removed there; without it they
   * hold their network, and the destroy fails. Default: none. Example: machine.connection.
   */
  connection?: pulumi.Input<ConnectionArgs>;
  /**
   * Images, best by digest: a tag is resolved once and then reads back as a change. One that is given as an Output is not pulled with
   * `registryAuth` first. Default: the releases documented there. Example: { gateway: "ghcr.io/openfaas/gateway@sha256:…" }.
   */
  images?: Pick<ImagesSettings, PlatformImage>;
  /** What the service of an image waits for, such as the image's build. Default: nothing. Example: { queueWorker: [build] }. */
  builds?: { swarmProvider?: pulumi.Resource[]; queueWorker?: pulumi.Resource[] };
  /** Logins by registry, each "user:password" (secret). Default: none. Example: { "registry.example.no": config.requireSecret("login") }. */
  registryAuth?: Record<string, pulumi.Input<string>>;
  /** Password of `user` (secret). Default: one is made, and kept in the state. Example: config.requireSecret("password"). */
  password?: pulumi.Input<string>;
  /** What people are told of, and how. Default: alerts reach nobody. Example: { webhook: { url: "https://alerts.example.no/hook" } }. */
  alerts?: AlertsSettings;
  /** URL that alerts are posted to in place of alerts.webhook.url, as a secret. Default: none. Example: config.requireSecret("hook"). */
  alertWebhookUrl?: pulumi.Input<string>;
  /** Bearer token that goes to the webhook (secret). Default: none. Example: config.requireSecret("token"). */
  alertWebhookToken?: pulumi.Input<string>;
  /** Password of alerts.email.username (secret). Default: none. Example: config.requireSecret("smtp"). */
  alertSmtpPassword?: pulumi.Input<string>;
  /** The front door whose certificate is watched. Default: none is. Example: { tls: { … }, httpsPort: 443 }. */
  nginx?: pulumi.Input<Pick<NginxSettings, "tls" | "httpsPort" | "serverName">>;
  /** Whether the gateway's and the swarm's ports have to be closed to the outside, which is then watched. Default: true. Example: false. */
  closedPorts?: pulumi.Input<boolean>;
  /** Time zone of functions' schedules. Default: Europe/Oslo. Example: "UTC". */
  timezone?: pulumi.Input<string>;
  /** Where the data is: labels of the services. Default: Oslo, NO, self-hosted. Example: { city: "Bergen" }. */
  location?: pulumi.Input<LocationSettings>;
}

type Secrets = Record<string, docker.Secret>;

/** Arguments that an environment has as secrets under the same names. */
const SECRETS = ["registryAuth", "alertWebhookUrl", "alertWebhookToken", "alertSmtpPassword"] as const;

/**
 * The OpenFaaS stack as services of a swarm: gateway, basic-auth, NATS with a durable queue, the queue's intake and worker,
 * Prometheus, Alertmanager, exporter and the Swarm provider. Only the gateway has a port, on the host, closed from outside. It takes
 * a provider `docker` (`dockerApi`) and one of `host`. Example:
 * `new OpenFaaS("faas", {}, { providers: [api, machine.provider], dependsOn: swarm })`.
 */
export class OpenFaaS extends pulumi.ComponentResource {
  /** User of the management API. */
  readonly user: pulumi.Output<string>;
  /** Its password (secret). */
  readonly password: pulumi.Output<string>;
  /** The service that answers requests; what follows depends on it. */
  readonly gateway: docker.Service;
  /** Names of the stack's services. */
  readonly services: string[];
  /** Socket on the host through which functions are called past the gateway; undefined where `edge` is false. */
  readonly functionsSocket: pulumi.Output<string | undefined>;
  /** Socket on the host through which asynchronous calls are accepted. */
  readonly queueSocket: pulumi.Output<string>;
  /** Changes when any of them does. */
  readonly revision: pulumi.Output<string>;

  private readonly faas: pulumi.Output<Environment["openfaas"]>;
  private readonly alerts: pulumi.Output<Environment["alerts"]>;
  private readonly swarm: SwarmObjects;
  private readonly images: Record<PlatformImage, pulumi.Input<string>>;

  constructor(
    private readonly label: string,
    private readonly args: OpenFaaSArgs = {},
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("oslo-faas:index:OpenFaaS", label, recorded(args), opts);
    const { openfaas, alerts } = completeArgs(
      `OpenFaaS ${label}`,
      { ...onlyOf("openfaas", args), alerts: args.alerts },
      { openfaas: "", alerts: "alerts" },
      SECRETS.filter((secret) => args[secret] !== undefined),
    );
    this.faas = openfaas;
    this.alerts = alerts;
    this.images = { ...completeNow("images", {}), ...args.images };
    const labels = complete("location", args.location).apply(locationLabels);
    this.swarm = new SwarmObjects(label, this, labels, this.faas.memory, args.registryAuth ?? {});
    this.user = this.faas.user;
    this.password = args.password
      ? pulumi.secret(args.password)
      : new host.Password(`${label}-password`, { length: 32 }, { parent: this }).value;

    const core = this.swarm.network(CORE_NETWORK);
    const functions = this.swarm.network(FUNCTIONS_NETWORK);
    const credentials = {
      "basic-auth-user": this.swarm.secret("basic-auth-user", this.user),
      "basic-auth-password": this.swarm.secret("basic-auth-password", this.password),
    };

    const queue = new Queue(label, this, this.swarm, this.faas, this.images, core);
    const nats = queue.nats(this.queueNow());
    const prometheus = this.prometheus(core);
    const auth = this.basicAuth(core, credentials);
    // By what is known: which services there are is not an Output.
    const { edge: hasEdge } = completeNow("openfaas", { edge: args.edge });
    const sockets = hasEdge ? this.swarm.volume(EDGE_VOLUME, false) : undefined;
    const byHand = functionsByHand(label, args.connection, functions, this);
    const provider = this.swarmProvider([core, functions], credentials, byHand, sockets);
    // The order of an update as well: the gateway and the worker exit while NATS is away, so NATS has to be back first.
    // The gateway panics when it lists functions and Prometheus cannot be reached.
    const door = this.door();
    const { timezone } = complete("base", { timezone: args.timezone });
    const intake = queue.intake(timezone, [nats, provider, door, ...this.builds("queueWorker")]);
    // It asks for the queue when it starts, and the intake answers.
    this.gateway = this.runGateway([core, functions], credentials, [intake, prometheus, auth, provider]);
    const edge = sockets && this.edge(functions, sockets, [provider, this.gateway, door]);
    this.functionsSocket = edge ? edge.id.apply(() => DOOR_SOCKET) : pulumi.output(undefined);
    this.queueSocket = edge
      ? edge.id.apply(() => DOOR_SOCKET)
      : intake.id.apply(() => `${INTAKE_DOOR}/${INTAKE_SOCKET}`);
    queue.worker([nats, this.gateway, ...this.builds("queueWorker")]);
    this.exporter(core, [nats]);
    this.alertmanager(core, credentials, [this.gateway]);
    this.services = this.swarm.services;
    this.revision = this.swarm.revision();
    this.registerOutputs({
      user: this.user,
      password: this.password,
      services: this.services,
      functionsSocket: this.functionsSocket,
      queueSocket: this.queueSocket,
      revision: this.revision,
    });
  }

  private builds(image: "swarmProvider" | "queueWorker"): pulumi.Resource[] {
    return this.args.builds?.[image] ?? [];
  }

  private prometheus(core: docker.Network): docker.Service {
    const rules = pulumi
      .all([this.alerts, this.faas.queue])
      .apply(([alerts, queue]) => renderAlertRules(alerts, bytes(queue.maxBytes)));
    return this.swarm.service("prometheus", {
      image: this.images.prometheus,
      args: this.faas.apply(prometheusArgs),
      networks: [core],
      volumes: { "/prometheus": this.swarm.volume("metrics", false) },
      configs: {
        "/etc/prometheus/prometheus.yml": this.swarm.config("prometheus-config", renderPrometheus()),
        "/etc/prometheus/alert.rules.yml": this.swarm.config("alert-rules", rules),
      },
    });
  }

  private alertmanager(core: docker.Network, secrets: Secrets, after: pulumi.Resource[]): docker.Service {
    const { alertWebhookUrl: url, alertWebhookToken: token, alertSmtpPassword: password } = this.args;
    const { webhook, email } = this.args.alerts ?? {};
    const own = {
      ...(url ? { "alert-webhook-url": this.swarm.secret("alert-webhook-url", url) } : {}),
      ...(token && (webhook || url)
        ? { "alert-webhook-token": this.swarm.secret("alert-webhook-token", token) }
        : {}),
      ...(password && email
        ? { "alert-smtp-password": this.swarm.secret("alert-smtp-password", password) }
        : {}),
    };
    const known = {
      webhookUrl: "alert-webhook-url" in own,
      webhookToken: "alert-webhook-token" in own,
      smtpPassword: "alert-smtp-password" in own,
    };
    const text = pulumi
      .all([this.user, this.alerts])
      .apply(([user, alerts]) => renderAlertmanager({ user, alerts, secrets: known }));
    const file = "/etc/alertmanager/alertmanager.yml";
    return this.swarm.service(
      "alertmanager",
      {
        image: this.images.alertmanager,
        args: alertmanagerArgs(file),
        networks: [core],
        secrets: { "basic-auth-password": secrets["basic-auth-password"]!, ...own },
        configs: { [file]: this.swarm.config("alertmanager-config", text) },
        // Silences, and what people were told of already.
        volumes: { "/alertmanager": this.swarm.volume("alerts", false) },
      },
      after,
    );
  }

  private basicAuth(core: docker.Network, secrets: Secrets): docker.Service {
    return this.swarm.service("basic-auth-plugin", {
      image: this.images.basicAuth,
      env: {
        secret_mount_path: "/run/secrets",
        user_filename: "basic-auth-user",
        pass_filename: "basic-auth-password",
      },
      networks: [core],
      secrets,
      startFirst: true,
    });
  }

  private swarmProvider(
    networks: docker.Network[],
    secrets: Secrets,
    after: pulumi.Resource[],
    sockets?: pulumi.Output<string>,
  ): docker.Service {
    return this.swarm.service(
      "swarm-provider",
      {
        image: this.images.swarmProvider,
        env: this.faas.apply(providerEnv),
        networks,
        secrets,
        // The one service that has the Docker API, which is as good as root on the host.
        binds: { "/var/run/docker.sock": "/var/run/docker.sock" },
        // It writes its health probe there, and functions that want to be checked mount it.
        volumes: {
          "/probe": this.swarm.volume("probe", false),
          ...(sockets ? { [EDGE_FOLDER]: sockets } : {}),
        },
        // It finishes the requests it has for up to 30 s.
        stopGraceSeconds: 35,
        startFirst: true,
      },
      [...after, ...this.builds("swarmProvider")],
    );
  }

  private runGateway(networks: docker.Network[], secrets: Secrets, after: pulumi.Resource[]): docker.Service {
    return this.swarm.service(
      "gateway",
      {
        image: this.images.gateway,
        env: this.faas.apply(gatewayEnv),
        networks,
        secrets,
        ports: { 8080: this.faas.gatewayPort },
      },
      after,
    );
  }

  /** The host's folder of sockets that Nginx connects to. */
  private door(): host.File {
    return new host.File(
      `${this.label}-door`,
      {
        path: "/etc/tmpfiles.d/oslo-faas-door.conf",
        content: DOOR_TMPFILES,
        onChange: ["systemd-tmpfiles --create /etc/tmpfiles.d/oslo-faas-door.conf"],
        onDelete: [`rm -rf ${DOOR_FOLDER}`],
      },
      { parent: this },
    );
  }

  private edge(
    functions: docker.Network,
    sockets: pulumi.Output<string>,
    after: pulumi.Resource[],
  ): docker.Service {
    return this.swarm.service(
      "edge",
      {
        image: this.images.edge,
        args: ["-f", HAPROXY_CONF],
        networks: [functions],
        configs: {
          [HAPROXY_CONF]: this.swarm.config("edge-config", this.faas.apply(renderEdge)),
          [REPLICA_MAP]: this.swarm.config("edge-map", EMPTY_MAP),
        },
        volumes: { [EDGE_FOLDER]: sockets },
        binds: { "/door": DOOR_FOLDER },
        // Its group is the provider's, with which it shares sockets.
        user: `${EDGE_USER}:0`,
        // It finishes the calls that it has; SIGTERM would cut them off.
        stopSignal: "SIGUSR1",
        stopGraceSeconds: 300,
        startFirst: true,
      },
      after,
    );
  }

  /** What decides which resources there are. */
  private queueNow(): Environment["openfaas"]["queue"] {
    const { keepOnDestroy, natsStreaming } = this.args.queue ?? {};
    return completeNow("openfaas", { queue: { keepOnDestroy, natsStreaming } }).queue;
  }

  private exporter(core: docker.Network, after: pulumi.Resource[]): docker.Service {
    const firewall = complete("firewall", { enabled: this.args.closedPorts });
    const env = pulumi
      .all([complete("nginx", this.args.nginx), this.faas, firewall])
      .apply(([nginx, openfaas, closed]) => exporterEnv({ nginx, openfaas, firewall: closed }));
    return this.swarm.service(
      "exporter",
      { image: this.images.queueWorker, args: ["exporter"], env, networks: [core], startFirst: true },
      [...after, ...this.builds("queueWorker")],
    );
  }
}

/** As the state holds them: what is secret is so there. */
function recorded({ builds: _builds, connection: _connection, ...args }: OpenFaaSArgs): pulumi.Inputs {
  const { registryAuth, password, alertWebhookUrl, alertWebhookToken, alertSmtpPassword, ...open } = args;
  const secrets = { registryAuth, password, alertWebhookUrl, alertWebhookToken, alertSmtpPassword };
  const given = Object.entries(secrets).filter(([, value]) => value !== undefined);
  return { ...open, ...Object.fromEntries(given.map(([key, value]) => [key, pulumi.secret(value)])) };
}
