/** The services of the queue: NATS, NATS Streaming where it still runs, the intake and the workers. */
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Environment } from "../../environment/schema";
import * as host from "../../providers/host/sdk";
import { INTAKE_DOOR } from "./edge";
import type { SwarmObjects } from "./objects";
import {
  INTAKE_FOLDER,
  intakeEnv,
  NATS_CONF,
  NATS_SECRETS,
  natsStreamingArgs,
  QUEUE_PASSWORD,
  queueWorkerEnv,
  renderNats,
  renderNatsSecrets,
  renderNatsStreaming,
} from "./render";

type QueueImage = "nats" | "natsStreaming" | "queueWorker";

export class Queue {
  private readonly password: docker.Secret;
  private readonly secrets: docker.Secret;

  constructor(
    label: string,
    parent: pulumi.Resource,
    private readonly swarm: SwarmObjects,
    private readonly faas: pulumi.Output<Environment["openfaas"]>,
    private readonly images: Record<QueueImage, pulumi.Input<string>>,
    private readonly core: docker.Network,
  ) {
    // NATS's password, and the key that calls on disk are encrypted with: made here, and kept in the state.
    const made = (name: string) => new host.Password(`${label}-${name}`, { length: 32 }, { parent }).value;
    const [password, key] = [made(QUEUE_PASSWORD), made("queue-key")];
    const included = pulumi.all([password, key]).apply(([word, secret]) => renderNatsSecrets(word, secret));
    this.secrets = swarm.secret(NATS_SECRETS, included);
    this.password = swarm.secret(QUEUE_PASSWORD, password);
  }

  nats({
    keepOnDestroy,
    natsStreaming,
  }: Pick<Environment["openfaas"]["queue"], "keepOnDestroy" | "natsStreaming">): docker.Service {
    const config = this.faas.apply(({ queue }) => renderNats(queue));
    const nats = this.swarm.service("nats", {
      image: this.images.nats,
      args: ["-c", NATS_CONF],
      networks: [this.core],
      volumes: { "/data": this.swarm.volume("calls", keepOnDestroy) },
      secrets: { [NATS_SECRETS]: this.secrets },
      configs: { [NATS_CONF]: this.swarm.config("nats-config", config) },
      // It ends once everybody has been told.
      stopGraceSeconds: 30,
    });
    if (natsStreaming) this.natsStreaming(keepOnDestroy, nats);
    return nats;
  }

  /** @param timezone of schedules */
  intake(timezone: pulumi.Output<string>, after: pulumi.Resource[]): docker.Service {
    return this.swarm.service(
      "intake",
      {
        image: this.images.queueWorker,
        args: ["intake"],
        env: pulumi.all([this.faas, timezone]).apply(([openfaas, zone]) => intakeEnv(openfaas, zone)),
        networks: [this.core],
        secrets: { [QUEUE_PASSWORD]: this.password },
        binds: { [INTAKE_FOLDER]: INTAKE_DOOR },
        stopGraceSeconds: 30,
        startFirst: true,
      },
      after,
    );
  }

  worker(after: pulumi.Resource[]): docker.Service {
    return this.swarm.service(
      "queue-worker",
      {
        image: this.images.queueWorker,
        env: this.faas.apply(queueWorkerEnv),
        networks: [this.core],
        secrets: { [QUEUE_PASSWORD]: this.password },
        replicas: this.faas.queue.workers,
        // It finishes the calls it has for up to 110 s; what is still under way then is delivered again.
        stopGraceSeconds: 120,
        startFirst: true,
      },
      after,
    );
  }

  /** After NATS, which had the same volume in earlier versions. */
  private natsStreaming(keepOnDestroy: boolean, nats: docker.Service): void {
    const config = this.faas.apply(({ queue }) => renderNatsStreaming(queue));
    this.swarm.service(
      "nats-streaming",
      {
        image: this.images.natsStreaming,
        args: this.faas.apply(({ queue }) => natsStreamingArgs(queue)),
        networks: [this.core],
        volumes: { "/data": this.swarm.volume("queue", keepOnDestroy) },
        configs: { [NATS_CONF]: this.swarm.config("nats-streaming-config", config) },
      },
      [nats],
    );
  }
}
