/** What the provider's environment says. Names and forms are those of OpenFaaS's other providers, where they have one. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDuration } from "../../../shared/duration";
import { NAMESPACE } from "../../../shared/names";

export interface Credentials {
  user: string;
  password: string;
}

export interface Config {
  /** `port`: where the API listens, on every address. Default 8080. */
  port: number;
  /** `functions_network`: overlay network of the functions, and the one namespace there is. Default openfaas-fn. */
  network: string;
  /** `read_timeout`: longest time, in ms, that receiving a request may take. Default 60s. Go duration: "300s", "1m30s". */
  readTimeoutMs: number;
  /** `write_timeout`: longest time, in ms, that a function may stay silent, and that it is given to end. Default 60s. */
  writeTimeoutMs: number;
  /** `docker_timeout`: longest time, in ms, for one answer of the engine. Default 30s. */
  dockerTimeoutMs: number;
  /** `delete_timeout`: how long, in ms, DELETE with `wait=true` waits for the last replica to end. Default 15s. */
  deleteTimeoutMs: number;
  /** `shutdown_timeout`: how long, in ms, requests in flight may go on after SIGTERM. Default 30s. */
  shutdownTimeoutMs: number;
  /** `docker_socket`: the engine's unix socket. Default /var/run/docker.sock. */
  dockerSocket: string;
  /** `function_port`: where functions listen. Default 8080, the watchdog's. */
  functionPort: number;
  /**
   * `probe_volume`: volume, mounted at `probe_folder` (default /probe), into which the program for functions' health checks is
   * written, and which functions that have one mount. Default none: annotations for health checks are refused.
   */
  probeVolume?: string;
  probeFolder: string;
  /**
   * `gateway_metrics_url`: the gateway's metrics, such as http://gateway:8082/metrics, by which the idler knows who is called;
   * "none" when every call comes through this provider. Default: not set, and nothing is ever scaled to zero.
   */
  gatewayMetrics?: URL | "none";
  /** `inactivity_duration`: how long, in ms, a function that may scale to zero has to be without a call. Default 15m. */
  inactivityMs: number;
  /** `reconcile_interval`: how often, in ms, the idler looks. Default 10s. */
  reconcileMs: number;
  /** `wake_timeout`: how long, in ms, a call waits for a function that was at zero. Default 60s. */
  wakeTimeoutMs: number;
  /** `placement_timeout`: how long, in ms, the new version of an update may find no node before it is taken back. Default 30s. */
  placementTimeoutMs: number;
  /** `edge_folder`: where the edge's sockets are, which is then told of replicas. Default: none, and there is no edge. */
  edgeFolder?: string;
  /** `log_level`: debug, info, warn or error. Default info; debug adds a line for every request. */
  logLevel: string;
  /** With `basic_auth=true`: files basic-auth-user and basic-auth-password under `secret_mount_path` (/run/secrets). */
  credentials?: Credentials;
}

export class ConfigError extends Error {}

type Env = Record<string, string | undefined>;

/** @throws ConfigError that lists everything wrong, one line each. */
export function readConfig(env: Env): Config {
  const problems: string[] = [];
  const duration = (name: string, fallback: string) => {
    const text = env[name] || fallback;
    const ms = parseDuration(text);
    if (ms === undefined || ms <= 0)
      problems.push(`${name}: "${text}" is not a duration above zero such as 30s or 1m30s`);
    return ms ?? 0;
  };
  const port = (name: string, fallback: number) => {
    const text = env[name] || String(fallback);
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > 65535)
      problems.push(`${name}: "${text}" is not a port`);
    return value;
  };
  const logLevel = env.log_level || "info";
  if (!["debug", "info", "warn", "error"].includes(logLevel))
    problems.push(`log_level: "${logLevel}" must be debug, info, warn or error`);
  const config: Config = {
    port: port("port", 8080),
    network: env.functions_network || NAMESPACE,
    readTimeoutMs: duration("read_timeout", "60s"),
    writeTimeoutMs: duration("write_timeout", "60s"),
    dockerTimeoutMs: duration("docker_timeout", "30s"),
    deleteTimeoutMs: duration("delete_timeout", "15s"),
    shutdownTimeoutMs: duration("shutdown_timeout", "30s"),
    dockerSocket: env.docker_socket || "/var/run/docker.sock",
    functionPort: port("function_port", 8080),
    gatewayMetrics: metricsUrl(env.gateway_metrics_url, problems),
    inactivityMs: duration("inactivity_duration", "15m"),
    reconcileMs: duration("reconcile_interval", "10s"),
    wakeTimeoutMs: duration("wake_timeout", "60s"),
    placementTimeoutMs: duration("placement_timeout", "30s"),
    probeVolume: env.probe_volume || undefined,
    probeFolder: env.probe_folder || "/probe",
    edgeFolder: env.edge_folder || undefined,
    logLevel,
    credentials: readCredentials(env, problems),
  };
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  return config;
}

function metricsUrl(text: string | undefined, problems: string[]): URL | "none" | undefined {
  if (!text) return undefined;
  if (text === "none") return text;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:")
    problems.push(
      `gateway_metrics_url: "${text}" is neither an address such as http://gateway:8082/metrics nor none`,
    );
  return url;
}

/** Fails closed: basic_auth without its files is an error, not an open API. */
function readCredentials(env: Env, problems: string[]): Credentials | undefined {
  const wanted = (env.basic_auth || "false").toLowerCase();
  if (wanted === "false" || wanted === "0") return undefined;
  if (wanted !== "true" && wanted !== "1") problems.push(`basic_auth: "${wanted}" is neither true nor false`);
  const folder = env.secret_mount_path || "/run/secrets";
  const read = (file: string) => {
    const path = join(folder, file);
    const value = existsSync(path) ? readFileSync(path, "utf8").trim() : "";
    if (!value)
      problems.push(
        `basic_auth: ${path} is missing or empty; give the service the secret, or set basic_auth=false`,
      );
    return value;
  };
  return { user: read("basic-auth-user"), password: read("basic-auth-password") };
}
