/** What the environment says. Names and forms are those of OpenFaaS's own queue-worker, where it has them. */
import { goDuration } from "../../../shared/duration";
import { AFTER_LIMIT_MS, GATEWAY_SAYS_SO_MS } from "../../../shared/queueLimits";

export interface Config {
  nats: { url: string; monitor: string; cluster: string; group: string };
  /** The gateway, through which functions are called. */
  gateway: { host: string; port: number };
  /** `ack_wait`: after it NATS delivers an unacknowledged message again, in ms. Default 390s. */
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

/** @throws ConfigError that lists everything wrong, one line each */
export function readConfig(env: Record<string, string | undefined>): Config {
  const problems: string[] = [];
  const whole = (name: string, fallback: number, max: number) => {
    const value = Number(env[name] || fallback);
    if (!Number.isInteger(value) || value < 1 || value > max)
      problems.push(`${name}: "${env[name]}" is not a whole number from 1 to ${max}`);
    return value;
  };
  const duration = (name: string, fallback: string) => {
    const ms = goDuration(env[name] || fallback);
    if (!ms) problems.push(`${name}: "${env[name]}" is not a duration above zero such as 30s or 1m30s`);
    return ms ?? 0;
  };
  const upstreamMs = duration("upstream_timeout", "290s");
  const ackWaitMs = duration("ack_wait", "390s");
  if (ackWaitMs <= upstreamMs + AFTER_LIMIT_MS)
    problems.push(
      `ack_wait: is not above upstream_timeout and ${AFTER_LIMIT_MS / 1000}s for the callback; a long call would be delivered twice`,
    );
  // Given and empty: none.
  const codes = (env.retry_codes ?? "429,503")
    .split(",")
    .filter((code) => code.trim() !== "")
    .map(Number);
  if (codes.some((code) => !Number.isInteger(code) || code < 400 || code > 599))
    problems.push(`retry_codes: "${env.retry_codes}" is not a list of statuses from 400 to 599`);
  const closedPorts = (env.closed_ports ?? "").split(",").filter(Boolean).map(Number);
  if (closedPorts.some((port) => !Number.isInteger(port) || port < 1 || port > 65535))
    problems.push(`closed_ports: "${env.closed_ports}" is not a list of ports`);
  const host = env.faas_nats_address || "nats";
  const config: Config = {
    nats: {
      url: `nats://${host}:${whole("faas_nats_port", 4222, 65535)}`,
      monitor: `http://${host}:${whole("faas_nats_monitor_port", 8222, 65535)}`,
      cluster: env.faas_nats_cluster_name || "faas-cluster",
      group: env.faas_nats_queue_group || "faas",
    },
    gateway: {
      host: env.faas_gateway_address || "gateway",
      port: whole("faas_gateway_port", 8080, 65535),
    },
    ackWaitMs,
    maxInflight: whole("max_inflight", 1, 1000),
    upstreamTimeoutMs: upstreamMs,
    callTimeoutMs: upstreamMs + GATEWAY_SAYS_SO_MS,
    retry: {
      attempts: whole("retry_attempts", 1, 100),
      codes: new Set(codes),
      minDelayMs: duration("retry_min_delay", "1s"),
      maxDelayMs: duration("retry_max_delay", "30s"),
    },
    shutdownTimeoutMs: duration("shutdown_timeout", "110s"),
    metricsPort: whole("metrics_port", 8081, 65535),
    closedPorts,
    ...(env.tls_port ? { tlsPort: whole("tls_port", 443, 65535) } : {}),
    ...(env.tls_server_name ? { tlsServerName: env.tls_server_name } : {}),
  };
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  return config;
}
