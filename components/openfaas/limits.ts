/**
 * What a service of the stack may use up, and do on its node. Nothing is set aside for it: a quiet one leaves its memory to others.
 * Swarm has a limit of processes as well, and no-new-privileges from engine 25 on; @pulumi/docker can set neither.
 */
import type { types } from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { bytes } from "../../environment/units";
import type { Environment } from "../../environment/schema";
import type { StackService } from "../../shared/names";

/** Their keys below openfaas.memory. */
const MEMORY: Record<StackService, keyof Environment["openfaas"]["memory"]> = {
  alertmanager: "alertmanager",
  "basic-auth-plugin": "basicAuth",
  edge: "edge",
  exporter: "exporter",
  gateway: "gateway",
  intake: "intake",
  nats: "nats",
  "nats-streaming": "natsStreaming",
  prometheus: "prometheus",
  "queue-worker": "queueWorker",
  "swarm-provider": "swarmProvider",
};

/** Of a CPU, for what calls do not wait for. The engine refuses more CPUs than its host has. */
const CPUS: Partial<Record<StackService, number>> = {
  alertmanager: 0.5,
  "basic-auth-plugin": 0.5,
  exporter: 0.5,
  prometheus: 1,
};

export function resourcesOf(
  service: StackService,
  memory: pulumi.Input<Environment["openfaas"]["memory"]>,
): types.input.ServiceTaskSpecResources {
  const cpus = CPUS[service];
  return {
    limits: {
      memoryBytes: pulumi.output(memory).apply((sizes) => bytes(sizes[MEMORY[service]])),
      ...(cpus === undefined ? {} : { nanoCpus: cpus * 1e9 }),
    },
  };
}
