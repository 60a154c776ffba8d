/** The OpenFaaS stack as plain values: what each service is told, and the files of Prometheus and Alertmanager. */
import { stringify } from "yaml";
import { bytes, seconds } from "../environment/units";
import type { Environment } from "../environment/schema";

/** NATS Streaming's cluster id; gateway and queue-worker default to the same. */
export const CLUSTER_ID = "faas-cluster";

/** Core services talk here; functions do not reach it. */
export const CORE_NETWORK = "openfaas";

/**
 * Functions, and those who call them. Named like the namespace, because Docker's DNS resolves NAME.NETWORK and the gateway
 * calls NAME.NAMESPACE.
 */
export const FUNCTIONS_NETWORK = "openfaas-fn";

export function gatewayEnv(openfaas: Environment["openfaas"]): Record<string, string> {
  return {
    functions_provider_url: "http://swarm-provider:8080/",
    direct_functions: "true",
    direct_functions_suffix: FUNCTIONS_NETWORK,
    function_namespace: FUNCTIONS_NETWORK,
    read_timeout: openfaas.readTimeout,
    write_timeout: openfaas.writeTimeout,
    upstream_timeout: openfaas.upstreamTimeout,
    scale_from_zero: String(openfaas.scaleFromZero),
    faas_nats_address: "nats",
    faas_nats_port: "4222",
    faas_nats_cluster_name: CLUSTER_ID,
    faas_prometheus_host: "prometheus",
    faas_prometheus_port: "9090",
    auth_proxy_url: "http://basic-auth-plugin:8080/validate",
    auth_proxy_pass_body: "false",
    basic_auth: "true",
    secret_mount_path: "/run/secrets",
  };
}

export function queueWorkerEnv(openfaas: Environment["openfaas"]): Record<string, string> {
  return {
    faas_nats_address: "nats",
    faas_nats_port: "4222",
    faas_nats_cluster_name: CLUSTER_ID,
    // The subscription outlives its subscriber: what was queued while no worker ran is not lost.
    faas_nats_durable_queue_subscription: "true",
    gateway_invoke: "true",
    faas_gateway_address: "gateway",
    ack_wait: openfaas.queue.ackWait,
    max_inflight: String(openfaas.queue.maxInflight),
    basic_auth: "true",
    secret_mount_path: "/run/secrets",
  };
}

/** Holds the program for functions' health checks. */
export const PROBE_VOLUME = "openfaas-probe";

export function providerEnv(openfaas: Environment["openfaas"]): Record<string, string> {
  return {
    functions_network: FUNCTIONS_NETWORK,
    probe_volume: PROBE_VOLUME,
    // Functions with the label com.openfaas.scale.zero idle by the gateway's own counts, since it calls them past the provider.
    gateway_metrics_url: "http://gateway:8082/metrics",
    read_timeout: openfaas.readTimeout,
    write_timeout: openfaas.writeTimeout,
    basic_auth: "true",
    secret_mount_path: "/run/secrets",
  };
}

/** NATS Streaming with its queue in files (upstream's stack keeps it in memory and loses it), synced before it acknowledges. */
export function natsArgs(queue: Environment["openfaas"]["queue"]): string[] {
  // The log is bounded by its size alone: the usual bound of a million messages would drop small calls on a disk that has room.
  const limits = ["--max_msgs", "0", "--max_bytes", String(bytes(queue.maxBytes))];
  return [
    "-m",
    "8222",
    "--cluster_id",
    CLUSTER_ID,
    "--store",
    "file",
    "--dir",
    "/data",
    "--file_sync=true",
    ...limits,
  ];
}

export function prometheusArgs(openfaas: Environment["openfaas"]): string[] {
  const hours = Math.max(1, Math.round(seconds(openfaas.prometheusRetention) / 3600));
  return [
    "--config.file=/etc/prometheus/prometheus.yml",
    "--storage.tsdb.path=/prometheus",
    `--storage.tsdb.retention.time=${hours}h`,
  ];
}

export function alertmanagerArgs(): string[] {
  // One instance: gossip with others would need a published port and finds nobody.
  return [
    "--config.file=/etc/alertmanager/alertmanager.yml",
    "--storage.path=/alertmanager",
    "--cluster.listen-address=",
  ];
}

export function renderPrometheus(): string {
  return stringify({
    global: { scrape_interval: "15s", evaluation_interval: "15s" },
    rule_files: ["/etc/prometheus/alert.rules.yml"],
    scrape_configs: [
      { job_name: "prometheus", scrape_interval: "15s", static_configs: [{ targets: ["localhost:9090"] }] },
      {
        job_name: "gateway",
        scrape_interval: "5s",
        dns_sd_configs: [{ names: ["gateway"], port: 8082, type: "A", refresh_interval: "5s" }],
      },
    ],
    alerting: { alertmanagers: [{ static_configs: [{ targets: ["alertmanager:9093"] }] }] },
  });
}

/** OpenFaaS's own rule for scaling up: more than five answered calls a second of one function. */
export function renderAlertRules(): string {
  return stringify({
    groups: [
      {
        name: "openfaas",
        rules: [
          {
            alert: "APIHighInvocationRate",
            expr: 'sum(rate(gateway_function_invocation_total{code="200"}[10s])) BY (function_name) > 5',
            for: "5s",
            labels: { service: "gateway", severity: "major" },
            annotations: {
              description: "High invocation total on {{ $labels.function_name }}",
              summary: "High invocation total on {{ $labels.function_name }}",
            },
          },
        ],
      },
    ],
  });
}

export function renderAlertmanager(user: string): string {
  return stringify({
    route: {
      group_by: ["alertname", "cluster", "service"],
      group_wait: "5s",
      group_interval: "10s",
      repeat_interval: "30s",
      receiver: "scale-up",
      routes: [{ match: { service: "gateway", receiver: "scale-up", severity: "major" } }],
    },
    inhibit_rules: [
      {
        source_match: { severity: "critical" },
        target_match: { severity: "warning" },
        equal: ["alertname", "cluster", "service"],
      },
    ],
    receivers: [
      {
        name: "scale-up",
        webhook_configs: [
          {
            url: "http://gateway:8080/system/alert",
            send_resolved: true,
            http_config: {
              basic_auth: { username: user, password_file: "/run/secrets/basic-auth-password" },
            },
          },
        ],
      },
    ],
  });
}
