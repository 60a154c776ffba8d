/** dockerode as far as it is used here: its calls, its connections, and what its errors mean. */
import { Agent } from "node:http";
import { inspect } from "node:util";
import Dockerode from "dockerode";
import { chooseApi } from "./apiVersion";
import type { RegistryAuth, SecretRecord } from "./records";
import { EngineError } from "./errors";
import type { FunctionSpec } from "./spec";
import type { ServiceRecord, TaskRecord } from "./records";

interface Bounded {
  abortSignal: AbortSignal;
  filters?: Record<string, string[]>;
}

/** What is used of dockerode. Its published types leave out that every call takes an abortSignal. */
export interface DockerApi {
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

export interface Clients {
  /** For calls that are over soon: more than so many at once wait for each other. */
  docker: DockerApi;
  /** For logs, each of which keeps its connection while it is read. The caller limits their number. */
  streams: DockerApi;
}

const MOST_CALLS = 32;

/** docker-modem prints its options at every call, for a debug log: an agent with all of its sockets. */
class PlainAgent extends Agent {
  [inspect.custom](): string {
    return "Agent";
  }
}

/** Asks the engine for its versions first. */
export async function negotiate(socketPath: string, abortSignal: AbortSignal): Promise<Clients> {
  const connect = (maxSockets: number, version?: string) => {
    const agent = new PlainAgent({ keepAlive: false, maxSockets });
    const options = { socketPath, agent, version };
    return new Dockerode(options) as unknown as DockerApi;
  };
  const { ApiVersion, MinAPIVersion } = await connect(1).version({ abortSignal });
  const version = `v${chooseApi(ApiVersion, MinAPIVersion)}`;
  return { docker: connect(MOST_CALLS, version), streams: connect(Infinity, version) };
}

/** Rejects with the signal: one who has less time does not wait for as long as another may. */
export function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** A GET that dockerode has no method for, or not this way. */
export function dial<T>(docker: DockerApi, request: object): Promise<T> {
  return new Promise((done, fail) =>
    docker.modem.dial({ method: "GET", statusCodes: { 200: true }, ...request }, (error, answer) =>
      error ? fail(error) : done(answer as T),
    ),
  );
}

export function toEngineError(step: string, error: unknown): EngineError {
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
      "this node is not a swarm manager; run the provider on one (node.role==manager)",
    );
  // Swarm's own errors come as 500 or 400 around a gRPC code.
  if (/code = AlreadyExists|name conflicts/.test(said)) return new EngineError(409, step, `${step}: ${said}`);
  if (/code = InvalidArgument/.test(said)) return new EngineError(400, step, `${step}: ${said}`);
  return new EngineError(statusCode, step, `${step}: ${said}`);
}
