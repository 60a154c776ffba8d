/** What the environment says. Names and forms are those of OpenFaaS's own queue-worker, where it has them. */
import { goDuration } from "../../../shared/duration";
import { AFTER_LIMIT_MS, GATEWAY_SAYS_SO_MS } from "../../../shared/queueLimits";

export interface Config {
  nats: { url: string; monitor: string; user: string; passwordFile?: string };
  /** NATS Streaming's name in the gateway's eyes. Default: faas-cluster. */
  cluster: string;
  /** `old_nats_address`: NATS Streaming, whose calls are moved. Default: none is there. */
  old?: { url: string; monitor: string; cluster: string; group: string };
  /** `max_bytes`: the queue's bound on disk. Default: 1 GiB. */
  maxBytes: number;
  /** `dead_max_bytes` and `dead_max_age`: how many of the calls that failed for good are kept, and for how long. Default: 256 MiB, 336h. */
  dead: { maxBytes: number; maxAgeMs: number };
  /** `max_body`: the largest body of a call, in bytes. Default: 10 MiB. */
  maxBody: number;
  /** `intake_socket`: where the intake listens. Default: /intake/intake.sock. */
  intakeSocket: string;
  /** `functions_provider_url`: who knows functions. Default: http://swarm-provider:8080. */
  provider: string;
  /** The gateway, through which functions are called. */
  gateway: { host: string; port: number };
  /** `timezone`: of schedules. Default: Europe/Oslo. */
  timeZone: string;
  /** `ack_wait`: into which one attempt fits, its callback included, in ms. Default 390s. */
  ackWaitMs: number;
  /** `max_inflight`: calls under way at once. Default 1, as upstream. */
  maxInflight: number;
  /** `upstream_timeout`: the gateway ends a call that takes longer, in ms. Default 290s. */
  upstreamTimeoutMs: number;
  /** The longest that an answer is waited for, in ms: a little more, for the gateway to say so itself. */
  callTimeoutMs: number;
  retry: RetryPolicy;
  /** `shutdown_timeout`: how long calls under way may go on after SIGTERM, in ms. Default 110s. */
  shutdownTimeoutMs: number;
  /** `metrics_port`: where Prometheus asks. Default 8081. */
  metricsPort: number;
  /** `tls_port`: the host's port whose certificate the exporter watches. Default: none. */
  tlsPort?: number;
  /** `closed_ports`: TCP ports of the host that containers must not reach, separated by commas. Default: none. */
  closedPorts: number[];
  /** `tls_server_name`: the name it asks for. Default: none. */
  tlsServerName?: string;
}

export interface RetryPolicy {
  /** `retry_attempts`: calls in all, the first included. Default 1, as upstream. */
  attempts: number;
  /** `retry_codes`: the statuses of a function that are worth another attempt. Default 429,503. One that was not reached always is. */
  codes: ReadonlySet<number>;
  /** `retry_min_delay`: before the second attempt, in ms; doubled for each further one. Default 1s. */
  minDelayMs: number;
  /** `retry_max_delay`: and never more than this. Default 30s. */
  maxDelayMs: number;
}

export class ConfigError extends Error {}

type Env = Record<string, string | undefined>;

/** Reads values, and collects what is wrong with them. */
class Reader {
  readonly problems: string[] = [];

  constructor(readonly env: Env) {}

  text(name: string, fallback: string): string {
    return this.env[name] || fallback;
  }

  whole(name: string, fallback: number, max: number): number {
    const value = Number(this.env[name] || fallback);
    if (!Number.isInteger(value) || value < 1 || value > max)
      this.problems.push(`${name}: "${this.env[name]}" is not a whole number from 1 to ${max}`);
    return value;
  }

  duration(name: string, fallback: string): number {
    const ms = goDuration(this.env[name] || fallback);
    if (!ms)
      this.problems.push(`${name}: "${this.env[name]}" is not a duration above zero such as 30s or 1m30s`);
    return ms ?? 0;
  }

  /** Given and empty: none. */
  numbers(name: string, fallback: string, min: number, max: number, phrase: string): number[] {
    const text = this.env[name] ?? fallback;
    const values = text
      .split(",")
      .filter((one) => one.trim() !== "")
      .map(Number);
    if (values.some((one) => !Number.isInteger(one) || one < min || one > max))
      this.problems.push(`${name}: "${text}" is not a list of ${phrase}`);
    return values;
  }
}

/** @throws ConfigError that lists everything wrong, one line each */
export function readConfig(env: Env): Config {
  const read = new Reader(env);
  const config: Config = { ...queueOf(read), ...callsOf(read), ...watchedOf(read) };
  if (read.problems.length > 0) throw new ConfigError(read.problems.join("\n"));
  return config;
}

function queueOf(read: Reader) {
  const { old_nats_address: old, faas_nats_password_file: passwordFile } = read.env;
  const port = read.whole("faas_nats_port", 4222, 65535);
  const monitorPort = read.whole("faas_nats_monitor_port", 8222, 65535);
  const at = (host: string) => ({ url: `nats://${host}:${port}`, monitor: `http://${host}:${monitorPort}` });
  const cluster = read.text("faas_nats_cluster_name", "faas-cluster");
  return {
    nats: {
      ...at(read.text("faas_nats_address", "nats")),
      user: read.text("faas_nats_user", "queue"),
      ...(passwordFile ? { passwordFile } : {}),
    },
    cluster,
    ...(old ? { old: { ...at(old), cluster, group: read.text("faas_nats_queue_group", "faas") } } : {}),
    maxBytes: read.whole("max_bytes", 1024 ** 3, Number.MAX_SAFE_INTEGER),
    dead: {
      maxBytes: read.whole("dead_max_bytes", 256 * 1024 ** 2, Number.MAX_SAFE_INTEGER),
      maxAgeMs: read.duration("dead_max_age", "336h"),
    },
    maxBody: read.whole("max_body", 10 * 1024 ** 2, 64 * 1024 ** 2),
    intakeSocket: read.text("intake_socket", "/intake/intake.sock"),
    provider: read.text("functions_provider_url", "http://swarm-provider:8080").replace(/\/+$/, ""),
    timeZone: read.text("timezone", "Europe/Oslo"),
  };
}

function callsOf(read: Reader) {
  const upstreamMs = read.duration("upstream_timeout", "290s");
  const ackWaitMs = read.duration("ack_wait", "390s");
  if (ackWaitMs <= upstreamMs + AFTER_LIMIT_MS)
    read.problems.push(
      `ack_wait: is not above upstream_timeout and ${AFTER_LIMIT_MS / 1000}s for the callback; an attempt would not fit`,
    );
  const codes = read.numbers("retry_codes", "429,503", 400, 599, "statuses from 400 to 599");
  return {
    gateway: {
      host: read.text("faas_gateway_address", "gateway"),
      port: read.whole("faas_gateway_port", 8080, 65535),
    },
    ackWaitMs,
    maxInflight: read.whole("max_inflight", 1, 1000),
    upstreamTimeoutMs: upstreamMs,
    callTimeoutMs: upstreamMs + GATEWAY_SAYS_SO_MS,
    retry: {
      attempts: read.whole("retry_attempts", 1, 100),
      codes: new Set(codes),
      minDelayMs: read.duration("retry_min_delay", "1s"),
      maxDelayMs: read.duration("retry_max_delay", "30s"),
    },
    shutdownTimeoutMs: read.duration("shutdown_timeout", "110s"),
  };
}

function watchedOf(read: Reader) {
  const { tls_port, tls_server_name: tlsServerName } = read.env;
  return {
    metricsPort: read.whole("metrics_port", 8081, 65535),
    closedPorts: read.numbers("closed_ports", "", 1, 65535, "ports"),
    ...(tls_port ? { tlsPort: read.whole("tls_port", 443, 65535) } : {}),
    ...(tlsServerName ? { tlsServerName } : {}),
  };
}
