import { parse } from "yaml";
import { parseEnvironment } from "../../../components/environment/parse";
import * as render from "../../../components/openfaas/render";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
const { openfaas } = parseEnvironment({
  host: { address: "198.51.100.7", hostKey: KEY },
  openfaas: { queue: { maxInflight: 3 } },
});

test("the queue is in files, synced, and its subscription outlives the worker", () => {
  const args = render.natsArgs(openfaas.queue);
  expect(args[args.indexOf("--store") + 1]).toBe("file");
  expect(args).toContain("--file_sync=true");
  expect(args[args.indexOf("--max_bytes") + 1]).toBe(String(1024 ** 3));
  expect(render.queueWorkerEnv(openfaas)).toMatchObject({
    faas_nats_durable_queue_subscription: "true",
    max_inflight: "3",
    ack_wait: "330s",
  });
});

test("gateway and worker speak to the same queue", () => {
  const [gateway, worker] = [render.gatewayEnv(openfaas), render.queueWorkerEnv(openfaas)];
  for (const key of ["faas_nats_address", "faas_nats_port", "faas_nats_cluster_name"])
    expect(worker[key]).toBe(gateway[key]);
  expect(render.natsArgs(openfaas.queue)).toContain(gateway.faas_nats_cluster_name);
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
  expect(render.renderAlertRules()).toMatchSnapshot();
  expect(render.renderAlertmanager("admin")).toMatchSnapshot();
});

test("Alertmanager reads the password from a file and never holds it", () => {
  const config = parse(render.renderAlertmanager("admin"));
  expect(config.receivers[0].webhook_configs[0].http_config.basic_auth).toEqual({
    username: "admin",
    password_file: "/run/secrets/basic-auth-password",
  });
});

test("retention is whole hours, at least one", () => {
  const retention = (value: string) =>
    render.prometheusArgs({ ...openfaas, prometheusRetention: value }).at(-1);
  expect([retention("360h"), retention("90m"), retention("5s")].map((arg) => arg!.split("=")[1])).toEqual([
    "360h",
    "2h",
    "1h",
  ]);
});
