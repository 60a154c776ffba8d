/** Scaling and alerts as plain values: Prometheus's rules, and what Alertmanager does with them. */
import { stringify } from "yaml";
import { seconds } from "../../environment/units";
import type { Environment } from "../../environment/schema";

type Alerts = Environment["alerts"];

/** OpenFaaS's own rule; what it fires is an order to the gateway, not news for people. */
export const SCALING_ALERT = "APIHighInvocationRate";

const CALLS = "gateway_function_invocation_total";

const MISSING = "oslo_faas_queue_calls_missing";

/** What has no task has no address, and then there is nothing that could be down. */
const TARGETS = ["gateway", "intake", "queue-worker", "exporter"];

interface Rule {
  alert: string;
  expr: string;
  for: string;
  labels: Record<string, string>;
  annotations: { summary: string; description: string };
}

/** For people: what is wrong, and where to look. */
function rule(alert: string, severity: string, wait: string, expr: string, text: [string, string]): Rule {
  const [summary, description] = text;
  return { alert, expr, for: wait, labels: { severity }, annotations: { summary, description } };
}

/** More than five answered calls a second of one function: upstream's measure, looked at every 5 s instead of every 15. */
const scaling = {
  name: "openfaas",
  interval: "5s",
  rules: [
    {
      alert: SCALING_ALERT,
      expr: `sum(rate(${CALLS}{code="200"}[10s])) BY (function_name) > 5`,
      for: "5s",
      // A scrape that comes late leaves the rate without a value for a moment, and the end of this alert takes a function to its fewest replicas.
      keep_firing_for: "30s",
      labels: { service: "gateway", severity: "major" },
      annotations: {
        description: "High invocation total on {{ $labels.function_name }}",
        summary: "High invocation total on {{ $labels.function_name }}",
      },
    },
  ],
};

function host(alerts: Alerts): Rule[] {
  const free = "oslo_faas_disk_free_bytes / oslo_faas_disk_size_bytes";
  const days = alerts.certificateDays;
  return [
    rule("DiskFilling", "critical", "5m", `${free} < ${alerts.diskFreePercent / 100}`, [
      "{{ $value | humanizePercentage }} of the disk is free",
      `Below ${alerts.diskFreePercent} % where the engine keeps images, logs and the queue. See: docker system df`,
    ]),
    rule(
      "DiskFullSoon",
      "warning",
      "30m",
      // Not from the first minutes of a host, in which its images come.
      `predict_linear(oslo_faas_disk_free_bytes[3h], 86400) < 0 and ${free} < 0.5 and oslo_faas_disk_free_bytes offset 2h > 0`,
      ["the disk is full within a day if it goes on filling like this", "See: docker system df"],
    ),
    rule(
      "MemoryLow",
      "warning",
      "10m",
      "oslo_faas_memory_available_bytes / oslo_faas_memory_size_bytes < 0.05",
      [
        "{{ $value | humanizePercentage }} of the memory is available",
        "The kernel soon ends something. Lower functions' limits or replicas.",
      ],
    ),
    rule("PortsOpen", "critical", "15s", "max by (port) (oslo_faas_closed_port_answers) > 0", [
      "port {{ $labels.port }} of the host answers, which has to be closed",
      "See: systemctl status oslo-faas-firewall; nft list table inet oslo_faas",
    ]),
    rule(
      "CertificateExpiring",
      "critical",
      "1m",
      `(oslo_faas_certificate_expiry_timestamp_seconds - time()) / 86400 < ${days}`,
      [
        'the certificate expires in {{ $value | printf "%.1f" }} days',
        "Renew it, then: systemctl reload nginx. With tls: auto see: journalctl -u oslo-faas-certificate",
      ],
    ),
  ];
}

/** @param queueBytes the bound of the queue's log */
function queue(alerts: Alerts, queueBytes: number): Rule[] {
  const age = seconds(alerts.queueAge);
  return [
    rule("QueueOld", "critical", "1m", `max(oslo_faas_queue_oldest_seconds) > ${age}`, [
      "the oldest asynchronous call has waited for {{ $value | humanizeDuration }}",
      "More workers (openfaas.queue.workers, maxInflight), or a function that is slow or fails.",
    ]),
    rule("QueueDeep", "warning", "2m", `oslo_faas_queue_depth > ${alerts.queueDepth}`, [
      "{{ $value }} asynchronous calls wait",
      "More workers (openfaas.queue.workers, maxInflight), or a function that is slow or fails.",
    ]),
    rule("QueueNearlyFull", "critical", "0s", `oslo_faas_queue_bytes > ${0.8 * queueBytes}`, [
      "calls of {{ $value | humanize1024 }}B wait, and the queue soon refuses calls",
      "It holds openfaas.queue.maxBytes. More workers, or a larger queue where the disk has room.",
    ]),
    rule(
      "QueueRefusing",
      "critical",
      "0s",
      'sum by (reason) (increase(oslo_faas_queue_refused_total{reason=~"full|away|disk|provider"}[5m])) > 0',
      [
        "asynchronous calls are answered 503: {{ $labels.reason }}",
        "See: docker service logs intake; docker service ps nats",
      ],
    ),
    rule(
      "QueueWithoutWorker",
      "critical",
      "2m",
      "oslo_faas_queue_depth > 0 and oslo_faas_queue_workers == 0",
      [
        "{{ $value }} asynchronous calls wait and no worker is connected",
        "See: docker service ps queue-worker",
      ],
    ),
    rule(
      "AsyncCallsMissing",
      "critical",
      "5m",
      // A call that is just being acknowledged counts as -1. What has been wrong for a day has been told of.
      `(min_over_time(${MISSING}[1m]) > 0 or max_over_time(${MISSING}[1m]) < 0) unless max_over_time(${MISSING}[1m]) == max_over_time(${MISSING}[1m] offset 1d)`,
      [
        "accepted asynchronous calls and those done, dead or waiting differ by {{ $value }}",
        "Above 0: calls vanished. Below 0: calls counted twice. See docs/queue.md",
      ],
    ),
    rule(
      "AsyncCallsFailing",
      "warning",
      "0s",
      "sum by (function_name) (increase(oslo_faas_queue_failed_total[10m])) > 0",
      [
        "asynchronous calls of {{ $labels.function_name }} failed in their last attempt",
        "They are kept. See: npx oslo-faas queue list",
      ],
    ),
  ];
}

function functions(alerts: Alerts): Rule[] {
  const over = (call: string, filter = "") => `sum by (function_name) (${call}(${CALLS}${filter}[5m]))`;
  const failed = '{code=~"5.."}';
  return [
    rule(
      "FunctionFailing",
      "critical",
      "2m",
      // A call or two that met a function on its way up is not worth waking anybody for.
      `${over("rate", failed)} / ${over("rate")} > ${alerts.failingPercent / 100} and ${over("increase", failed)} >= 5`,
      [
        "{{ $value | humanizePercentage }} of the calls of {{ $labels.function_name }} fail",
        "See its log: GET /system/logs?name={{ $labels.function_name }}",
      ],
    ),
    rule(
      "TargetDown",
      "critical",
      "2m",
      ["up == 0", ...TARGETS.map((job) => `absent(up{job="${job}"})`)].join(" or "),
      ["{{ $labels.job }} does not answer", "See: docker service ps {{ $labels.job }}"],
    ),
    rule("ProbeFailing", "warning", "10m", "oslo_faas_probe_success == 0", [
      "the exporter cannot ask about: {{ $labels.probe }}",
      "What it cannot see, no alert tells of.",
    ]),
  ];
}

/** @param queueBytes the bound of the queue's log */
export function renderAlertRules(alerts: Alerts, queueBytes: number): string {
  const groups = [
    scaling,
    { name: "host", rules: host(alerts) },
    { name: "queue", rules: queue(alerts, queueBytes) },
    { name: "functions", rules: functions(alerts) },
  ];
  return stringify({ groups }, { lineWidth: 0 });
}

export interface AlertmanagerValues {
  /** User of the gateway. */
  user: string;
  alerts: Alerts;
  /** Whether there are secrets in files: the URL is then posted to in place of alerts.webhook.url. */
  secrets: { webhookUrl: boolean; webhookToken: boolean; smtpPassword: boolean };
}

const SECRETS = "/run/secrets";

/** Orders to scale go to the gateway and nowhere else; everything else goes to people and never to the gateway. */
export function renderAlertmanager({ user, alerts, secrets }: AlertmanagerValues): string {
  return stringify(
    {
      route: {
        receiver: "people",
        group_by: ["alertname", "function_name"],
        group_wait: "30s",
        group_interval: "5m",
        repeat_interval: alerts.repeat,
        routes: [
          {
            match: { alertname: SCALING_ALERT },
            receiver: "scale-up",
            group_by: ["alertname", "function_name"],
            group_wait: "5s",
            group_interval: "10s",
            repeat_interval: "30s",
          },
        ],
      },
      receivers: [
        { name: "people", ...people(alerts, secrets) },
        { name: "scale-up", webhook_configs: [scaleUp(user)] },
      ],
    },
    { lineWidth: 0 },
  );
}

const scaleUp = (user: string) => ({
  url: "http://gateway:8080/system/alert",
  send_resolved: true,
  http_config: { basic_auth: { username: user, password_file: `${SECRETS}/basic-auth-password` } },
});

function people({ webhook, email }: Alerts, secrets: AlertmanagerValues["secrets"]): object {
  const authorization = { type: "Bearer", credentials_file: `${SECRETS}/alert-webhook-token` };
  // Alertmanager shows its configuration to everybody on its network, and hides only what is in files.
  const target = secrets.webhookUrl
    ? { url_file: `${SECRETS}/alert-webhook-url` }
    : webhook && { url: webhook.url };
  return {
    ...(target
      ? {
          webhook_configs: [
            {
              ...target,
              send_resolved: true,
              ...(secrets.webhookToken ? { http_config: { authorization } } : {}),
            },
          ],
        }
      : {}),
    ...(email
      ? {
          email_configs: [
            {
              to: email.to.join(", "),
              from: email.from,
              smarthost: email.smarthost,
              require_tls: email.requireTls,
              send_resolved: true,
              ...(email.username ? { auth_username: email.username } : {}),
              ...(secrets.smtpPassword ? { auth_password_file: `${SECRETS}/alert-smtp-password` } : {}),
            },
          ],
        }
      : {}),
  };
}
