/** The calls to the Docker API, each bounded in time, with errors that name the step. */
import type { Readable } from "node:stream";
import { refusesVersion } from "./apiVersion";
import { FUNCTION_LABEL } from "./deployment";
import { type Clients, dial, type DockerApi, negotiate, toEngineError, within } from "./dockerApi";
import { EngineError } from "./errors";
import type { FunctionSpec } from "./spec";
import type { ContainerStats, RegistryAuth, SecretRecord, ServiceRecord, TaskRecord } from "./records";

/** Label of every secret that functions may use. */
export const OWNER_LABEL = "com.openfaas.owner";
export const OWNER_VALUE = "openfaas";

/** What is read of a container to know whether it was healthy. */
interface ContainerHealth {
  Config?: { Healthcheck?: { Retries?: number } };
  State?: { Health?: { FailingStreak?: number } };
}

/** The engine's, for a check that does not say. */
const DEFAULT_RETRIES = 3;

export interface LogQuery {
  follow: boolean;
  /** Lines of each replica. */
  tail?: number;
  /** Seconds since 1970. */
  since?: number;
}

const ENDED = ["complete", "shutdown", "failed", "rejected", "remove", "orphaned"];

export class Engine {
  private client?: Promise<Clients>;

  constructor(
    private readonly socketPath: string,
    private readonly timeoutMs: number,
  ) {}

  async ping(timeoutMs: number): Promise<void> {
    await this.call("ping", (docker, abortSignal) => docker.ping({ abortSignal }), timeoutMs);
  }

  /** Every function, whatever else runs on the swarm. */
  async listFunctions(): Promise<ServiceRecord[]> {
    const filters = { label: [FUNCTION_LABEL] };
    return this.call("list services", (docker, abortSignal) => docker.listServices({ filters, abortSignal }));
  }

  /** The service of exactly this name, function or not. */
  async findService(name: string): Promise<ServiceRecord | undefined> {
    // The engine's filter takes every name that begins so; asking for one service would take ids as well.
    const filters = { name: [name] };
    const services = await this.call("find service", (docker, abortSignal) =>
      docker.listServices({ filters, abortSignal }),
    );
    return services.find((service) => service.Spec.Name === name);
  }

  /** Tasks that are meant to run, of one service or of all. */
  async listRunningTasks(serviceId?: string): Promise<TaskRecord[]> {
    const filters = { "desired-state": ["running"], ...(serviceId ? { service: [serviceId] } : {}) };
    return this.call("list tasks", (docker, abortSignal) => docker.listTasks({ filters, abortSignal }));
  }

  /** Every task that the engine remembers, of one service or of all: the last five of each replica. */
  async listTasks(serviceId?: string): Promise<TaskRecord[]> {
    const filters: Record<string, string[]> = serviceId ? { service: [serviceId] } : {};
    return this.call("list tasks", (docker, abortSignal) => docker.listTasks({ filters, abortSignal }));
  }

  /** Tasks of a service that may be gone already, and that still have a container. */
  async countRemaining(serviceId: string): Promise<number> {
    const tasks = await this.call("list tasks", (docker, abortSignal) => docker.listTasks({ abortSignal }));
    return tasks.filter((task) => task.ServiceID === serviceId && !ENDED.includes(task.Status.State)).length;
  }

  async createService(spec: FunctionSpec, auth?: RegistryAuth): Promise<void> {
    await this.call("create service", (docker, abortSignal) =>
      docker.createService(auth, { ...spec, abortSignal }),
    );
  }

  /** Replaces the spec of a service as it was read. @throws EngineError 409 when somebody changed it since */
  async updateService(
    service: ServiceRecord,
    spec: ServiceRecord["Spec"],
    auth?: RegistryAuth,
  ): Promise<void> {
    await this.changeService("update service", service, spec, auth ? {} : { registryAuthFrom: "spec" }, auth);
  }

  /** Takes the last update back: what it replaced is the spec again. @throws EngineError 409 when somebody changed it since */
  async rollBack(service: ServiceRecord): Promise<void> {
    const query = { rollback: "previous", registryAuthFrom: "previous-spec" };
    await this.changeService("roll service back", service, service.Spec, query);
  }

  private async changeService(
    step: string,
    { ID, Version }: ServiceRecord,
    spec: ServiceRecord["Spec"],
    query: object,
    auth?: RegistryAuth,
  ): Promise<void> {
    // _query and _body: the spec, environment and all, would otherwise be in the address as well, and so in logs.
    const _query = { version: Version.Index, ...query };
    try {
      await this.call(step, (docker, abortSignal) =>
        docker.getService(ID).update(auth, { _query, _body: spec, abortSignal }),
      );
    } catch (error) {
      if (error instanceof EngineError && /out of sequence/.test(error.message))
        throw new EngineError(
          409,
          error.step,
          "the function was changed by somebody else at the same time; try again",
        );
      throw error;
    }
  }

  async removeService(id: string): Promise<void> {
    await this.call("remove service", (docker, abortSignal) => docker.getService(id).remove({ abortSignal }));
  }

  async listSecrets(label: string): Promise<SecretRecord[]> {
    const filters = { label: [label] };
    return this.call("list secrets", (docker, abortSignal) => docker.listSecrets({ filters, abortSignal }));
  }

  async createSecret(name: string, data: Buffer, labels: Record<string, string>): Promise<void> {
    const secret = { Name: name, Labels: labels, Data: data.toString("base64") };
    await this.call("create secret", (docker, abortSignal) =>
      docker.createSecret({ ...secret, abortSignal }),
    );
  }

  async removeSecret(id: string): Promise<void> {
    await this.call("remove secret", (docker, abortSignal) => docker.getSecret(id).remove({ abortSignal }));
  }

  /** The engine's log stream of a service: time, details and text of each line, in frames. */
  async serviceLogs(id: string, query: LogQuery): Promise<Readable> {
    return this.logs(`/services/${id}/logs?`, query);
  }

  /** The last lines of one replica, also of one that has ended, in the same form. */
  async taskLogs(id: string, tail: number): Promise<Readable> {
    return this.logs(`/tasks/${id}/logs?`, { follow: false, tail });
  }

  /** Undefined when this node has no such container. */
  async containerStats(id: string): Promise<ContainerStats | undefined> {
    // Without one-shot (API 1.41) the engine looks twice, a second apart.
    const options = { stream: false, "one-shot": true };
    return this.readContainer<ContainerStats>("read statistics", `${id}/stats?`, options);
  }

  /** Whether a container of this node was, or is, found unhealthy. */
  async isUnhealthy(id: string): Promise<boolean> {
    const found = await this.readContainer<ContainerHealth>("read health", `${id}/json?`);
    // The engine calls every container with a check unhealthy that has ended, whatever it ended by: what counts is how often it failed.
    const failures = found?.State?.Health?.FailingStreak ?? 0;
    return failures >= (found?.Config?.Healthcheck?.Retries || DEFAULT_RETRIES);
  }

  private async readContainer<T>(step: string, rest: string, options: object = {}): Promise<T | undefined> {
    const request = { path: `/containers/${rest}`, options };
    try {
      return await this.call(step, (docker, abortSignal) => dial<T>(docker, { ...request, abortSignal }));
    } catch (error) {
      if (error instanceof EngineError && error.status === 404) return undefined;
      throw error;
    }
  }

  private async logs(path: string, query: LogQuery): Promise<Readable> {
    const options = { stdout: true, stderr: true, timestamps: true, details: true, ...query };
    return this.call("read logs", async (_docker, abortSignal, streams) => {
      // dockerode would collect the whole log unless it follows; and the time limit is for the answer's head only.
      const controller = new AbortController();
      const stop = () => controller.abort();
      abortSignal.addEventListener("abort", stop);
      try {
        return await dial<Readable>(streams, {
          path,
          options,
          isStream: true,
          abortSignal: controller.signal,
        });
      } finally {
        abortSignal.removeEventListener("abort", stop);
      }
    });
  }

  private async call<T>(
    step: string,
    action: (docker: DockerApi, signal: AbortSignal, streams: DockerApi) => Promise<T>,
    timeoutMs = this.timeoutMs,
  ): Promise<T> {
    const signal = AbortSignal.timeout(timeoutMs);
    const attempt = async () => {
      const { docker, streams } = await this.connect(signal);
      return action(docker, signal, streams);
    };
    try {
      try {
        return await attempt();
      } catch (error) {
        // The engine was replaced under a provider that went on running. It refused before it did anything.
        if (!refusesVersion(error)) throw error;
        this.client = undefined;
        return await attempt();
      }
    } catch (error) {
      throw signal.aborted
        ? new EngineError(0, step, `${step}: the engine did not answer within ${timeoutMs / 1000} s`)
        : toEngineError(step, error);
    }
  }

  /** Asked once for all who wait; an engine that was away is asked again by the next call. */
  private connect(signal: AbortSignal): Promise<Clients> {
    this.client ??= negotiate(this.socketPath, AbortSignal.timeout(this.timeoutMs)).catch(
      (error: unknown) => {
        this.client = undefined;
        throw error;
      },
    );
    return within(this.client, signal);
  }
}
