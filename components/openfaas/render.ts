/** The OpenFaaS stack as plain values: what each service is told, and the files of Prometheus and Alertmanager. */
import { stringify } from "yaml";
import { closedTcpPorts } from "../../environment/addresses";
import { bytes, seconds } from "../../environment/units";
import type { Environment } from "../../environment/schema";
import { EDGE_FOLDER } from "../../shared/edge";
import { NAMESPACE } from "../../shared/names";

/** NATS Streaming's cluster id; gateway and queue-worker default to the same. */
export const CLUSTER_ID = "faas-cluster";

/** Core services talk here; functions do not reach it. */
export const CORE_NETWORK = "openfaas";

/**
 * Functions, and those who call them. Named like the namespace, because Docker's DNS resolves NAME.NETWORK and the gateway
 * calls NAME.NAMESPACE.
 */
export const FUNCTIONS_NETWORK = NAMESPACE;

export function gatewayEnv(openfaas: Environment["openfaas"]): Record<string, string> {
  return {
    functions_provider_url: "http://swarm-provider:8080/",
    direct_functions: "true",
    direct_functions_suffix: FUNCTIONS_NETWORK,
    function_namespace: FUNCTIONS_NETWORK,
    read_timeout: openfaas.readTimeout,
    write_timeout: openfaas.writeTimeout,
    upstream_timeout: openfaas.upstreamTimeout,
    // Without it the gateway calls whatever name or address a path says, and asks nobody whether there is such a function.
    scale_from_zero: "true",
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
  const { retry, ackWait, maxInflight } = openfaas.queue;
  return {
    faas_nats_address: "nats",
    faas_nats_port: "4222",
    faas_nats_cluster_name: CLUSTER_ID,
    faas_gateway_address: "gateway",
    ack_wait: ackWait,
    max_inflight: String(maxInflight),
    upstream_timeout: openfaas.upstreamTimeout,
    retry_attempts: String(retry.attempts),
    retry_codes: retry.codes.join(","),
    retry_min_delay: retry.minDelay,
    retry_max_delay: retry.maxDelay,
  };
}

/** What the exporter is told: the queue's monitoring, the port whose certificate it watches, and the ports that have to be closed. */
export function exporterEnv({
  nginx,
  openfaas,
  firewall,
}: {
  nginx: Pick<Environment["nginx"], "serverName" | "tls" | "httpsPort">;
  openfaas: Pick<Environment["openfaas"], "gatewayPort">;
  firewall: Pick<Environment["firewall"], "enabled">;
}): Record<string, string> {
  const name = nginx.serverName.split(" ")[0]!;
  return {
    faas_nats_address: "nats",
    ...(firewall.enabled ? { closed_ports: closedTcpPorts(openfaas).join(",") } : {}),
    ...(nginx.tls ? { tls_port: String(nginx.httpsPort) } : {}),
    ...(nginx.tls && name !== "_" ? { tls_server_name: name } : {}),
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
    ...(openfaas.edge ? { edge_folder: EDGE_FOLDER } : {}),
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
  // A worker that died is missed after half a minute instead of five: what it had under way goes to another then.
  const heartbeats = ["--hb_interval", "10s", "--hb_timeout", "5s", "--hb_fail_count", "2"];
  return [
    "-c",
    "/etc/nats.conf",
    "-m",
    "8222",
    "--cluster_id",
    CLUSTER_ID,
    "--store",
    "file",
    "--dir",
    "/data",
    "--file_sync=true",
    ...heartbeats,
    ...limits,
  ];
}

/** What has no flag: the largest message. A body travels in base64, with its headers beside it. */
export function renderNats(queue: Environment["openfaas"]["queue"]): string {
  const payload = Math.ceil((bytes(queue.maxBody) * 4) / 3) + 256 * 1024;
  return `max_payload: ${payload}\n`;
}

export function prometheusArgs(openfaas: Environment["openfaas"]): string[] {
  const hours = Math.max(1, Math.round(seconds(openfaas.prometheusRetention) / 3600));
  return [
    "--config.file=/etc/prometheus/prometheus.yml",
    "--storage.tsdb.path=/prometheus",
    `--storage.tsdb.retention.time=${hours}h`,
  ];
}

/** @param config its configuration, in the container */
export function alertmanagerArgs(config: string): string[] {
  // One instance: gossip with others would need a published port and finds nobody.
  return [`--config.file=${config}`, "--storage.path=/alertmanager", "--cluster.listen-address="];
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
      {
        // Calls that the edge made, which the provider counts.
        job_name: "swarm-provider",
        scrape_interval: "5s",
        dns_sd_configs: [{ names: ["swarm-provider"], port: 8080, type: "A", refresh_interval: "5s" }],
      },
      ...["queue-worker", "exporter"].map((name) => ({
        job_name: name,
        scrape_interval: "5s",
        dns_sd_configs: [{ names: [name], port: 8081, type: "A", refresh_interval: "5s" }],
      })),
    ],
    alerting: { alertmanagers: [{ static_configs: [{ targets: ["alertmanager:9093"] }] }] },
  });
}
