/** The calls to the Docker API, each bounded in time, with errors that name the step. */
import { Agent } from "node:http";
import type { Readable } from "node:stream";
import Dockerode from "dockerode";
import { chooseApi, refusesVersion } from "./apiVersion";
import { FUNCTION_LABEL } from "./deployment";
import { EngineError } from "./errors";
import type { FunctionSpec } from "./spec";
import type { ServiceRecord, TaskRecord } from "./status";

/** On every secret that functions may use, whoever made it. */
export const OWNER_LABEL = "com.openfaas.owner";
export const OWNER_VALUE = "openfaas";

export interface RegistryAuth {
  username?: string;
  password?: string;
  serveraddress?: string;
  [key: string]: unknown;
}

export interface SecretRecord {
  ID: string;
  CreatedAt?: string;
  Spec: { Name: string; Labels?: Record<string, string> };
}

/** What is read of a container's statistics. */
export interface ContainerStats {
  cpu_stats?: { cpu_usage?: { total_usage?: number } };
  memory_stats?: {
    usage?: number;
    /** cgroup v2 has inactive_file, v1 total_inactive_file. */
    stats?: { inactive_file?: number; total_inactive_file?: number };
  };
}

/** What is read of a container to know whether it was healthy. */
interface ContainerHealth {
  Config?: { Healthcheck?: { Retries?: number } };
  State?: { Health?: { FailingStreak?: number } };
}

/** The engine's, for a check that does not say. */
const DEFAULT_RETRIES = 3;

interface Bounded {
  abortSignal: AbortSignal;
  filters?: Record<string, string[]>;
}

/** What is used of dockerode. Its published types leave out that every call takes an abortSignal. */
interface DockerApi {
  ping(options: Bounded): Promise<unknown>;
  version(options: Bounded): Promise<{ ApiVersion: string; MinAPIVersion?: string }>;
  listServices(options: Bounded): Promise<ServiceRecord[]>;
  listTasks(options: Bounded): Promise<TaskRecord[]>;
  listSecrets(options: Bounded): Promise<SecretRecord[]>;
  createService(auth: RegistryAuth | undefined, options: FunctionSpec & Bounded): Promise<unknown>;
  createSecret(options: { Name: string; Labels: object; Data: string } & Bounded): Promise<unknown>;
  getService(id: string): {
    update(
      auth: RegistryAuth | undefined,
      options: { _query: object; _body: object } & Bounded,
    ): Promise<unknown>;
    remove(options: Bounded): Promise<unknown>;
  };
  getSecret(id: string): { remove(options: Bounded): Promise<unknown> };
  modem: { dial(options: object, done: (error: Error | null, answer?: unknown) => void): void };
}

export interface LogQuery {
  follow: boolean;
  /** Lines of each replica. */
  tail?: number;
  /** Seconds since 1970. */
  since?: number;
}

const ENDED = ["complete", "shutdown", "failed", "rejected", "remove", "orphaned"];

export class Engine {
  private client?: Promise<DockerApi>;

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
    // _query and _body: the spec, environment and all, would otherwise be in the address as well, and so in logs.
    const _query = { version: service.Version.Index, ...(auth ? {} : { registryAuthFrom: "spec" }) };
    try {
      await this.call("update service", (docker, abortSignal) =>
        docker.getService(service.ID).update(auth, { _query, _body: spec, abortSignal }),
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
    return this.call("read logs", async (docker, abortSignal) => {
      // dockerode would collect the whole log unless it follows; and the time limit is for the answer's head only.
      const controller = new AbortController();
      const stop = () => controller.abort();
      abortSignal.addEventListener("abort", stop);
      try {
        return await dial<Readable>(docker, {
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
    action: (docker: DockerApi, signal: AbortSignal) => Promise<T>,
    timeoutMs = this.timeoutMs,
  ): Promise<T> {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const docker = await this.connect(signal);
      try {
        return await action(docker, signal);
      } catch (error) {
        // The engine was replaced under a provider that went on running. It refused before it did anything.
        if (!refusesVersion(error)) throw error;
        this.client = undefined;
        return await action(await this.connect(signal), signal);
      }
    } catch (error) {
      throw signal.aborted
        ? new EngineError(0, step, `${step}: the engine did not answer within ${timeoutMs / 1000} s`)
        : toEngineError(step, error);
    }
  }

  /** Asked once for all who wait; an engine that was away is asked again by the next call. */
  private connect(signal: AbortSignal): Promise<DockerApi> {
    this.client ??= this.negotiate(AbortSignal.timeout(this.timeoutMs)).catch((error: unknown) => {
      this.client = undefined;
      throw error;
    });
    return within(this.client, signal);
  }

  private async negotiate(abortSignal: AbortSignal): Promise<DockerApi> {
    const connect = (version?: string) => {
      const agent = new Agent({ keepAlive: false, maxSockets: 32 });
      const options = { socketPath: this.socketPath, agent, version };
      return new Dockerode(options) as unknown as DockerApi;
    };
    const { ApiVersion, MinAPIVersion } = await connect().version({ abortSignal });
    return connect(`v${chooseApi(ApiVersion, MinAPIVersion)}`);
  }
}

/** Rejects with the signal: one who has less time does not wait for as long as another may. */
function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** A GET that dockerode has no method for, or not this way. */
function dial<T>(docker: DockerApi, request: object): Promise<T> {
  return new Promise((done, fail) =>
    docker.modem.dial({ method: "GET", statusCodes: { 200: true }, ...request }, (error, answer) =>
      error ? fail(error) : done(answer as T),
    ),
  );
}

function toEngineError(step: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const { statusCode, json, code, message } = error as {
    statusCode?: number;
    json?: { message?: string };
    code?: string;
    message?: string;
  };
  if (statusCode === undefined)
    return new EngineError(503, step, `${step}: the engine cannot be reached (${code ?? message})`);
  const said = json?.message ?? message ?? "";
  if (/not a swarm manager/i.test(said))
    return new EngineError(
      503,
      step,
      "this node is no swarm manager; run the provider on one (node.role==manager)",
    );
  // Swarm's own errors come as 500 or 400 around a gRPC code.
  if (/code = AlreadyExists|name conflicts/.test(said)) return new EngineError(409, step, `${step}: ${said}`);
  if (/code = InvalidArgument/.test(said)) return new EngineError(400, step, `${step}: ${said}`);
  return new EngineError(statusCode, step, `${step}: ${said}`);
}
