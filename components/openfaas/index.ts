import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as host from "../../providers/host/sdk";
import type { LoadedEnvironment } from "../../environment";
import { bytes } from "../../environment/units";
import type { ImageResolver } from "../images";
import { PulledImages } from "../images/login";
import { locationLabels } from "../location";
import { revisionOf } from "../revision";
import { renderAlertmanager, renderAlertRules } from "./alerts";
import {
  alertmanagerArgs,
  CORE_NETWORK,
  exporterEnv,
  FUNCTIONS_NETWORK,
  gatewayEnv,
  natsArgs,
  prometheusArgs,
  providerEnv,
  queueWorkerEnv,
  renderNats,
  renderPrometheus,
} from "./render";
import { stackService, type ServiceValues } from "./service";

export interface OpenFaaSArgs {
  environment: LoadedEnvironment;
  /** Turns the environment's image names into references by digest. */
  images: ImageResolver;
  /** Image of the Swarm provider, pulled or built. */
  providerImage: pulumi.Input<string>;
  /** Image of the queue worker and the exporter, pulled or built. */
  queueImage: pulumi.Input<string>;
}

/**
 * The OpenFaaS stack as Swarm services: gateway, basic-auth, NATS Streaming with a durable queue, queue-worker, Prometheus,
 * Alertmanager, exporter and the Swarm provider. Only the gateway has a port, on the host, closed from outside.
 */
export class OpenFaaS extends pulumi.ComponentResource {
  /** User of the management API. */
  readonly user: string;
  /** Its password (secret). */
  readonly password: pulumi.Output<string>;
  /** The service that answers requests; what follows depends on it. */
  readonly gateway: docker.Service;

  /** Names of the stack's services. */
  readonly services: string[] = [];
  /** Changes when any of them does. */
  readonly revision: pulumi.Output<string>;

  private readonly env: LoadedEnvironment;
  private readonly image: ImageResolver;
  private readonly pulled: PulledImages;
  private readonly parts: pulumi.Input<unknown>[] = [];

  constructor(
    private readonly label: string,
    args: OpenFaaSArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("oslo-faas:index:OpenFaaS", label, {}, opts);
    this.env = args.environment;
    this.image = args.images;
    this.pulled = new PulledImages(label, this.env.registryAuth, this);
    this.user = this.env.openfaas.user;
    this.password =
      this.env.gatewayPassword ??
      new host.Password(`${label}-password`, { length: 32 }, { parent: this }).value;

    const core = this.network(CORE_NETWORK);
    const functions = this.network(FUNCTIONS_NETWORK);
    const credentials = this.credentials();

    const nats = this.nats(core);
    const prometheus = this.prometheus(core);
    const auth = this.basicAuth(core, credentials);
    const provider = this.swarmProvider(args.providerImage, [core, functions], credentials);
    // The order of an update as well: the gateway and the worker exit while NATS is away, so NATS has to be back first.
    // The gateway panics when it lists functions and Prometheus cannot be reached.
    this.gateway = this.runGateway([core, functions], credentials, [nats, prometheus, auth, provider]);
    this.queueWorker(args.queueImage, core, [nats, this.gateway]);
    this.exporter(args.queueImage, core, [nats]);
    this.alertmanager(core, credentials, [this.gateway]);
    this.revision = revisionOf(this.parts);
    this.registerOutputs({});
  }

  private service(
    name: string,
    values: Omit<ServiceValues, "labels">,
    dependsOn: pulumi.Resource[] = [],
  ): docker.Service {
    this.services.push(name);
    const configs = Object.values(values.configs ?? {}).map((config) => config.id);
    this.parts.push([name, values.image, values.args, values.env, values.replicas, values.ports, configs]);
    const all = { ...values, labels: locationLabels(this.env.location) };
    const pulled = typeof values.image === "string" ? this.pulled.first(values.image) : [];
    const after = [...dependsOn, ...pulled];
    return stackService(`${this.label}-${name}`, name, all, { parent: this, dependsOn: after });
  }

  private network(name: string): docker.Network {
    return new docker.Network(
      `${this.label}-network-${name}`,
      { name, driver: "overlay", attachable: false },
      { parent: this, deleteBeforeReplace: true },
    );
  }

  private volume(name: string, keep: boolean): pulumi.Output<string> {
    const volume = new docker.Volume(
      `${this.label}-volume-${name}`,
      { name: `openfaas-${name}` },
      { parent: this, retainOnDelete: keep },
    );
    return volume.name;
  }

  /** Without a name of our own: a changed value is then a new secret, and the old one goes when no service uses it. */
  private secret(name: string, value: pulumi.Input<string>): docker.Secret {
    // Undefined in an `up --target` that leaves the password out; this secret is left out with it.
    const data = pulumi.secret(value).apply((text?: string) => Buffer.from(text ?? "").toString("base64"));
    return new docker.Secret(`${this.label}-${name}`, { data }, { parent: this });
  }

  private config(name: string, text: string): docker.ServiceConfig {
    return new docker.ServiceConfig(
      `${this.label}-${name}`,
      { data: Buffer.from(text).toString("base64") },
      { parent: this },
    );
  }

  private credentials(): Record<string, docker.Secret> {
    return {
      "basic-auth-user": this.secret("basic-auth-user", this.user),
      "basic-auth-password": this.secret("basic-auth-password", this.password),
    };
  }

  private nats(core: docker.Network): docker.Service {
    const data = this.volume("queue", this.env.openfaas.queue.keepOnDestroy);
    return this.service("nats", {
      image: this.image("natsStreaming"),
      args: natsArgs(this.env.openfaas.queue),
      networks: [core],
      volumes: { "/data": data },
      configs: { "/etc/nats.conf": this.config("nats-config", renderNats(this.env.openfaas.queue)) },
    });
  }

  private prometheus(core: docker.Network): docker.Service {
    const { queue } = this.env.openfaas;
    return this.service("prometheus", {
      image: this.image("prometheus"),
      args: prometheusArgs(this.env.openfaas),
      networks: [core],
      volumes: { "/prometheus": this.volume("metrics", false) },
      configs: {
        "/etc/prometheus/prometheus.yml": this.config("prometheus-config", renderPrometheus()),
        "/etc/prometheus/alert.rules.yml": this.config(
          "alert-rules",
          renderAlertRules(this.env.alerts, bytes(queue.maxBytes)),
        ),
      },
    });
  }

  private alertmanager(
    core: docker.Network,
    secrets: Record<string, docker.Secret>,
    after: pulumi.Resource[],
  ): docker.Service {
    const { alertWebhookUrl: url, alertWebhookToken: token, alertSmtpPassword: password, alerts } = this.env;
    const own = {
      ...(token && (alerts.webhook || url)
        ? { "alert-webhook-token": this.secret("alert-webhook-token", token) }
        : {}),
      ...(password && alerts.email
        ? { "alert-smtp-password": this.secret("alert-smtp-password", password) }
        : {}),
    };
    const known = {
      webhookToken: "alert-webhook-token" in own,
      smtpPassword: "alert-smtp-password" in own,
    };
    const values = { user: this.user, alerts, secrets: known };
    // This release reads no URL from a file of its own, so that with a secret one the whole is a secret.
    const config = url
      ? this.secret(
          "alertmanager-secret-config",
          url.apply((webhookUrl) => renderAlertmanager({ ...values, webhookUrl })),
        )
      : this.config("alertmanager-config", renderAlertmanager(values));
    const [file, name] = ["/etc/alertmanager/alertmanager.yml", "alertmanager.yml"];
    return this.service(
      "alertmanager",
      {
        image: this.image("alertmanager"),
        args: alertmanagerArgs(url ? `/run/secrets/${name}` : file),
        networks: [core],
        secrets: {
          "basic-auth-password": secrets["basic-auth-password"]!,
          ...own,
          ...(config instanceof docker.Secret ? { [name]: config } : {}),
        },
        configs: config instanceof docker.Secret ? {} : { [file]: config },
      },
      after,
    );
  }

  private basicAuth(core: docker.Network, secrets: Record<string, docker.Secret>): docker.Service {
    return this.service("basic-auth-plugin", {
      image: this.image("basicAuth"),
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
    image: pulumi.Input<string>,
    networks: docker.Network[],
    secrets: Record<string, docker.Secret>,
  ): docker.Service {
    return this.service("swarm-provider", {
      image,
      env: providerEnv(this.env.openfaas),
      networks,
      secrets,
      // The one service that has the Docker API, which is as good as root on the host.
      binds: { "/var/run/docker.sock": "/var/run/docker.sock" },
      // It writes its health probe there, and functions that want to be checked mount it.
      volumes: { "/probe": this.volume("probe", false) },
      // It finishes the requests it has for up to 30 s.
      stopGraceSeconds: 35,
      startFirst: true,
    });
  }

  private runGateway(
    networks: docker.Network[],
    secrets: Record<string, docker.Secret>,
    after: pulumi.Resource[],
  ): docker.Service {
    return this.service(
      "gateway",
      {
        image: this.image("gateway"),
        env: gatewayEnv(this.env.openfaas),
        networks,
        secrets,
        ports: { 8080: this.env.openfaas.gatewayPort },
      },
      after,
    );
  }

  private queueWorker(
    image: pulumi.Input<string>,
    core: docker.Network,
    after: pulumi.Resource[],
  ): docker.Service {
    return this.service(
      "queue-worker",
      {
        image,
        env: queueWorkerEnv(this.env.openfaas),
        networks: [core],
        replicas: this.env.openfaas.queue.workers,
        // It finishes the calls it has for up to 110 s; what is still under way then is delivered again.
        stopGraceSeconds: 120,
        startFirst: true,
      },
      after,
    );
  }

  private exporter(
    image: pulumi.Input<string>,
    core: docker.Network,
    after: pulumi.Resource[],
  ): docker.Service {
    return this.service(
      "exporter",
      { image, args: ["exporter"], env: exporterEnv(this.env), networks: [core], startFirst: true },
      after,
    );
  }
}
