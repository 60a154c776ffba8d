import { parse } from "yaml";
import { parseEnvironment } from "../../../environment/parse";
import { renderAlertmanager, renderAlertRules } from "../../../components/openfaas/alerts";
import * as render from "../../../components/openfaas/render";
import { dockerDuration } from "../../../components/openfaas/service";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
const { openfaas, alerts } = parseEnvironment({
  host: { address: "198.51.100.7", hostKey: KEY },
  openfaas: { queue: { maxInflight: 3 } },
});

const NONE = { webhookUrl: false, webhookToken: false, smtpPassword: false };

test("the queue is in files, synced and encrypted, and only those with the password read it", () => {
  const config = render.renderNats(openfaas.queue);
  expect(config).toMatchSnapshot();
  expect(config).toContain("  sync_interval: always\n");
  expect(config).toContain("  key: $QUEUE_KEY\n");
  expect(config).toContain("    { user: queue, password: $QUEUE_PASSWORD }\n");
  expect(render.renderNatsSecrets("word", "key")).toBe('QUEUE_PASSWORD: "word"\nQUEUE_KEY: "key"\n');
  expect(render.queueWorkerEnv(openfaas)).toMatchObject({
    max_inflight: "3",
    ack_wait: "390s",
    max_bytes: String(1024 ** 3),
    faas_nats_password_file: "/run/secrets/queue-password",
  });
});

test("NATS Streaming is asked for what it still has only where it runs", () => {
  const without = { ...openfaas, queue: { ...openfaas.queue, natsStreaming: false } };
  expect(render.intakeEnv(openfaas, "Europe/Oslo").old_nats_address).toBe("nats-streaming");
  expect(render.intakeEnv(without, "Europe/Oslo")).not.toHaveProperty("old_nats_address");
  const args = render.natsStreamingArgs(openfaas.queue);
  expect(args[args.indexOf("--store") + 1]).toBe("file");
  expect(args).toContain(render.CLUSTER_ID);
});

test("gateway, intake and worker speak to the same queue", () => {
  const gateway = render.gatewayEnv(openfaas);
  for (const other of [render.intakeEnv(openfaas, "Europe/Oslo"), render.queueWorkerEnv(openfaas)])
    for (const key of ["faas_nats_address", "faas_nats_port", "faas_nats_cluster_name"])
      expect(other[key]).toBe(gateway[key]);
});

test("the gateway calls NAME.NETWORK and asks for a password", () => {
  expect(render.gatewayEnv(openfaas)).toMatchObject({
    direct_functions: "true",
    direct_functions_suffix: render.FUNCTIONS_NETWORK,
    basic_auth: "true",
  });
});

test("the files of Prometheus and Alertmanager", () => {
  expect(render.renderPrometheus()).toMatchSnapshot();
  expect(renderAlertRules(alerts, 1024 ** 3)).toMatchSnapshot();
  expect(renderAlertmanager({ user: "admin", alerts, secrets: NONE })).toMatchSnapshot();
});

test("only the order to scale goes to the gateway, with a password that is read from a file", () => {
  const config = parse(renderAlertmanager({ user: "admin", alerts, secrets: NONE }));
  expect(config.route.receiver).toBe("people");
  expect(config.route.routes).toMatchObject([
    { match: { alertname: "APIHighInvocationRate" }, receiver: "scale-up" },
  ]);
  expect(config.receivers).toMatchObject([
    { name: "people" },
    {
      name: "scale-up",
      webhook_configs: [
        {
          url: "http://gateway:8080/system/alert",
          http_config: {
            basic_auth: { username: "admin", password_file: "/run/secrets/basic-auth-password" },
          },
        },
      ],
    },
  ]);
});

test("people are told by webhook and mail, their secrets in files", () => {
  const told = {
    ...alerts,
    webhook: { url: "https://alerts.example.no/hook" },
    email: {
      to: ["a@example.no", "b@example.no"],
      from: "faas@example.no",
      smarthost: "smtp.example.no:587",
      username: "faas",
      requireTls: true,
    },
  };
  const secrets = { webhookUrl: false, webhookToken: true, smtpPassword: true };
  const [people] = parse(renderAlertmanager({ user: "admin", alerts: told, secrets })).receivers;
  expect(people).toEqual({
    name: "people",
    webhook_configs: [
      {
        url: "https://alerts.example.no/hook",
        send_resolved: true,
        http_config: {
          authorization: { type: "Bearer", credentials_file: "/run/secrets/alert-webhook-token" },
        },
      },
    ],
    email_configs: [
      {
        to: "a@example.no, b@example.no",
        from: "faas@example.no",
        smarthost: "smtp.example.no:587",
        require_tls: true,
        send_resolved: true,
        auth_username: "faas",
        auth_password_file: "/run/secrets/alert-smtp-password",
      },
    ],
  });
});

test("a message holds the largest body in base64", () =>
  expect(render.renderNats({ ...openfaas.queue, maxBody: "6m" })).toContain(
    `max_payload: ${8 * 1024 ** 2 + 256 * 1024}\n`,
  ));

test("retention is whole hours, at least one", () => {
  const retention = (value: string) =>
    render.prometheusArgs({ ...openfaas, prometheusRetention: value }).at(-1);
  expect([retention("360h"), retention("90m"), retention("5s")].map((arg) => arg!.split("=")[1])).toEqual([
    "360h",
    "2h",
    "1h",
  ]);
});

test.each([
  [35, "35s"],
  [120, "2m"],
  [90, "1m30s"],
  [3600, "1h"],
])("%d seconds are written as the docker provider reads them back", (seconds, text) => {
  expect(dockerDuration(seconds)).toBe(text);
});
