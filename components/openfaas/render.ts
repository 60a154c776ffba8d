/** The OpenFaaS stack as plain values: what each service is told, and the files of Prometheus and Alertmanager. */
import { stringify } from "yaml";
import { closedTcpPorts } from "../../environment/addresses";
import { bytes, seconds } from "../../environment/units";
import type { Environment } from "../../environment/schema";
import { EDGE_FOLDER } from "../../shared/edge";
import { NAMESPACE } from "../../shared/names";

/** The cluster that the gateway asks NATS for; the queue's intake answers. NATS Streaming had the same. */
export const CLUSTER_ID = "faas-cluster";

/** Files of NATS's secrets under /run/secrets: what its configuration includes, and the password alone, for its clients. */
export const NATS_SECRETS = "nats-secrets";
export const QUEUE_PASSWORD = "queue-password";

export const NATS_CONF = "/etc/nats.conf";

/** The intake's socket, in its container and on the host. */
export const INTAKE_FOLDER = "/intake";
export const INTAKE_SOCKET = "intake.sock";

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

/** How every part of the queue finds it. */
function queueEnv({ queue }: Environment["openfaas"]): Record<string, string> {
  return {
    faas_nats_address: "nats",
    faas_nats_port: "4222",
    faas_nats_cluster_name: CLUSTER_ID,
    faas_nats_password_file: `/run/secrets/${QUEUE_PASSWORD}`,
    functions_provider_url: "http://swarm-provider:8080",
    max_bytes: String(bytes(queue.maxBytes)),
    dead_max_bytes: String(bytes(queue.dead.maxBytes)),
    dead_max_age: `${queue.dead.days * 24}h`,
  };
}

/** @param timezone of schedules */
export function intakeEnv(openfaas: Environment["openfaas"], timezone: string): Record<string, string> {
  return {
    ...queueEnv(openfaas),
    ...(openfaas.queue.natsStreaming ? { old_nats_address: "nats-streaming" } : {}),
    intake_socket: `${INTAKE_FOLDER}/${INTAKE_SOCKET}`,
    max_body: String(bytes(openfaas.queue.maxBody)),
    timezone,
    shutdown_timeout: "20s",
  };
}

export function queueWorkerEnv(openfaas: Environment["openfaas"]): Record<string, string> {
  const { retry, ackWait, maxInflight } = openfaas.queue;
  return {
    ...queueEnv(openfaas),
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
  openfaas: Pick<Environment["openfaas"], "gatewayPort" | "queue">;
  firewall: Pick<Environment["firewall"], "enabled">;
}): Record<string, string> {
  const name = nginx.serverName.split(" ")[0]!;
  return {
    faas_nats_address: "nats",
    ...(openfaas.queue.natsStreaming ? { old_nats_address: "nats-streaming" } : {}),
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

/**
 * NATS with the queue in files, each call synced before it is accepted, and encrypted. The variables come from a secret. Anybody else
 * on the network is the stock gateway, which publishes calls for the intake and cannot read or remove any.
 */
export function renderNats(queue: Environment["openfaas"]["queue"]): string {
  // A call of the gateway travels in base64, with its headers beside it.
  const payload = Math.ceil((bytes(queue.maxBody) * 4) / 3) + 256 * 1024;
  return [
    "port: 4222",
    "http_port: 8222",
    `max_payload: ${payload}`,
    // A worker may be sent that many bodies at once.
    `max_pending: ${Math.max(64 * 1024 ** 2, 4 * payload)}`,
    `include ../run/secrets/${NATS_SECRETS}`,
    "jetstream {",
    "  store_dir: /data",
    "  sync_interval: always",
    "  max_memory_store: 16MB",
    // The stream has its own bound. A smaller one here would keep NATS from reading a stream that was made with a larger.
    "  max_file_store: 1TB",
    "  cipher: chachapoly",
    "  key: $QUEUE_KEY",
    "}",
    "authorization {",
    "  users: [",
    "    { user: queue, password: $QUEUE_PASSWORD }",
    "    {",
    "      user: gateway",
    "      permissions: {",
    '        publish: ["_STAN.discover.>", "_STAN.pub.>", "_STAN.close"]',
    '        subscribe: ["_INBOX.>", "_STAN.acks.>"]',
    "      }",
    "    }",
    "  ]",
    "}",
    "no_auth_user: gateway",
    "",
  ].join("\n");
}

/** What `renderNats` includes. */
export const renderNatsSecrets = (password: string, key: string): string =>
  `QUEUE_PASSWORD: "${password}"\nQUEUE_KEY: "${key}"\n`;

/** NATS Streaming as earlier versions ran it, for the calls that it still has. */
export function natsStreamingArgs(queue: Environment["openfaas"]["queue"]): string[] {
  const limits = ["--max_msgs", "0", "--max_bytes", String(bytes(queue.maxBytes))];
  const store = ["--store", "file", "--dir", "/data", "--file_sync=true"];
  return ["-c", NATS_CONF, "-m", "8222", "--cluster_id", CLUSTER_ID, ...store, ...limits];
}

/** What has no flag. */
export function renderNatsStreaming(queue: Environment["openfaas"]["queue"]): string {
  return `max_payload: ${Math.ceil((bytes(queue.maxBody) * 4) / 3) + 256 * 1024}\n`;
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
      ...["intake", "queue-worker", "exporter"].map((name) => ({
        job_name: name,
        scrape_interval: "5s",
        dns_sd_configs: [{ names: [name], port: 8081, type: "A", refresh_interval: "5s" }],
      })),
    ],
    alerting: { alertmanagers: [{ static_configs: [{ targets: ["alertmanager:9093"] }] }] },
  });
}
