/** Rules and routes held against Prometheus's and Alertmanager's own tools, out of the distribution's packages. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { stringify } from "yaml";
import { parseEnvironment } from "../../environment/parse";
import { renderAlertmanager, renderAlertRules } from "../../components/openfaas/alerts";
import { renderPrometheus } from "../../components/openfaas/render";
import { unpackedPackages } from "./debian";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
const { alerts } = parseEnvironment({
  host: { address: "198.51.100.7", hostKey: KEY },
  alerts: {
    webhook: { url: "https://alerts.example.no/hook" },
    email: {
      to: ["ops@example.no"],
      from: "faas@example.no",
      smarthost: "smtp.example.no:587",
      username: "f",
    },
  },
});

let folder: string;
let tools: string;

beforeAll(() => {
  folder = unpackedPackages("prometheus", "prometheus-alertmanager");
  tools = path.join(folder, "usr", "bin");
  const write = (name: string, text: string) => fs.writeFileSync(path.join(folder, name), text);
  write("alert.rules.yml", renderAlertRules(alerts, 1000));
  write("prometheus.yml", renderPrometheus().replaceAll("/etc/prometheus/", `${folder}/`));
  const secrets = { webhookUrl: false, webhookToken: true, smtpPassword: true };
  write("alertmanager.yml", renderAlertmanager({ user: "admin", alerts, secrets }));
}, 600_000);
afterAll(() => fs.rmSync(folder, { recursive: true }));

function tool(name: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(path.join(tools, name), args, {
    cwd: folder,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${name} ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

test("both programs take their files", () => {
  expect(tool("promtool", "check", "config", "prometheus.yml")).toContain("SUCCESS");
  expect(tool("amtool", "check-config", "alertmanager.yml")).toContain("SUCCESS");
});

test.each([
  ["alertname=APIHighInvocationRate", "scale-up"],
  ["alertname=FunctionFailing", "people"],
  ["alertname=DiskFilling", "people"],
])("%s goes to %s alone", (labels, receiver) =>
  expect(
    tool(
      "amtool",
      "config",
      "routes",
      "test",
      "--config.file=alertmanager.yml",
      labels,
      "function_name=a",
    ).trim(),
  ).toBe(receiver),
);

/** Series at one sample a minute, and whether the alert fires for them. */
const CASES: [string, [string, string][], string, boolean][] = [
  [
    "DiskFilling",
    [
      ["oslo_faas_disk_free_bytes", "9x20"],
      ["oslo_faas_disk_size_bytes", "100x20"],
    ],
    "10m",
    true,
  ],
  [
    "DiskFilling",
    [
      ["oslo_faas_disk_free_bytes", "11x20"],
      ["oslo_faas_disk_size_bytes", "100x20"],
    ],
    "10m",
    false,
  ],
  [
    "DiskFullSoon",
    [
      ["oslo_faas_disk_free_bytes", "45-0.1x240"],
      ["oslo_faas_disk_size_bytes", "100x240"],
    ],
    "4h",
    true,
  ],
  [
    "MemoryLow",
    [
      ["oslo_faas_memory_available_bytes", "4x20"],
      ["oslo_faas_memory_size_bytes", "100x20"],
    ],
    "15m",
    true,
  ],
  ["CertificateExpiring", [["oslo_faas_certificate_expiry_timestamp_seconds", "864000x10"]], "5m", true],
  ["CertificateExpiring", [["oslo_faas_certificate_expiry_timestamp_seconds", "1296000x10"]], "5m", false],
  ["QueueOld", [["oslo_faas_queue_oldest_seconds", "601x10"]], "5m", true],
  ["QueueOld", [["oslo_faas_queue_oldest_seconds", "599x10"]], "5m", false],
  ["QueueDeep", [["oslo_faas_queue_depth", "10001x10"]], "5m", true],
  ["QueueNearlyFull", [["oslo_faas_queue_bytes", "801x10"]], "5m", true],
  ["QueueNearlyFull", [["oslo_faas_queue_bytes", "799x10"]], "5m", false],
  ["QueueRefusing", [['oslo_faas_queue_refused_total{reason="full"}', "0 0 0 1x7"]], "5m", true],
  ["QueueRefusing", [['oslo_faas_queue_refused_total{reason="unknown"}', "0 0 0 1x7"]], "5m", false],
  [
    "QueueWithoutWorker",
    [
      ["oslo_faas_queue_depth", "1x10"],
      ["oslo_faas_queue_workers", "0x10"],
    ],
    "5m",
    true,
  ],
  [
    "QueueWithoutWorker",
    [
      ["oslo_faas_queue_depth", "1x10"],
      ["oslo_faas_queue_workers", "1x10"],
    ],
    "5m",
    false,
  ],
  ["AsyncCallsMissing", [["oslo_faas_queue_calls_missing", "0x5 1x10"]], "15m", true],
  ["AsyncCallsMissing", [["oslo_faas_queue_calls_missing", "0x5 -1x10"]], "15m", true],
  // Calls on their way out.
  [
    "AsyncCallsMissing",
    [["oslo_faas_queue_calls_missing", "0 -2 1 -1 0 -3 0 -1 1 0 -2 0 0 -1 1 0"]],
    "15m",
    false,
  ],
  // Told of for a day.
  ["AsyncCallsMissing", [["oslo_faas_queue_calls_missing", "2x1500"]], "1470m", false],
  ["AsyncCallsFailing", [['oslo_faas_queue_failed_total{function_name="a"}', "0x5 1x5"]], "8m", true],
  [
    "FunctionFailing",
    [
      ['gateway_function_invocation_total{function_name="a",code="200"}', "0+80x10"],
      ['gateway_function_invocation_total{function_name="a",code="500"}', "0+20x10"],
    ],
    "8m",
    true,
  ],
  [
    "FunctionFailing",
    [
      ['gateway_function_invocation_total{function_name="a",code="200"}', "0+99x10"],
      ['gateway_function_invocation_total{function_name="a",code="500"}', "0+1x10"],
    ],
    "8m",
    false,
  ],
  [
    "FunctionFailing",
    [
      ['gateway_function_invocation_total{function_name="a",code="200"}', "0x12"],
      ['gateway_function_invocation_total{function_name="a",code="502"}', "0 1 2 2x10"],
    ],
    "4m",
    false,
  ],
  [
    "TargetDown",
    ["gateway", "queue-worker"].map((job): [string, string] => [`up{job="${job}"}`, "1x10"]),
    "5m",
    true,
  ],
  ["ProbeFailing", [['oslo_faas_probe_success{probe="disk"}', "0x20"]], "15m", true],
];

test.each(CASES)("%s (%j)", (alertname, series, at, fires) => {
  const input_series = series.map(([name, values]) => ({
    series: name,
    values: values.replace(/^(\d+)x/, "$1+0x"),
  }));
  const test = {
    interval: "1m",
    input_series: input_series.map((one) => ({ ...one, values: one.values.replace(/ (\d+)x/g, " $1+0x") })),
    // Counted, since the texts of an alert are not what is tested.
    promql_expr_test: [
      {
        expr: `count(ALERTS{alertname="${alertname}",alertstate="firing"}) > bool 0 or vector(0)`,
        eval_time: at,
        exp_samples: [{ labels: "{}", value: fires ? 1 : 0 }],
      },
    ],
  };
  fs.writeFileSync(
    path.join(folder, "test.yml"),
    stringify({ rule_files: ["alert.rules.yml"], evaluation_interval: "1m", tests: [test] }),
  );
  expect(tool("promtool", "test", "rules", "test.yml")).toContain("SUCCESS");
});

test("a burst gives the order to scale, and calm takes it back", () => {
  const series = 'gateway_function_invocation_total{function_name="a",code="200"}';
  const firing = (expected: number) => [{ labels: "{}", value: expected }];
  const expr = 'count(ALERTS{alertname="APIHighInvocationRate",alertstate="firing"}) or vector(0)';
  const test = {
    interval: "5s",
    // The first function's scrapes are late once, while it is called on; the load on both ends at 95 s.
    input_series: [
      { series, values: "0+0x6 50+50x4 _x3 450+50x4 650+0x20" },
      { series: series.replace('"a"', '"b"'), values: "0+0x6 50+50x12 650+0x20" },
    ],
    promql_expr_test: [
      { expr, eval_time: "25s", exp_samples: firing(0) },
      { expr, eval_time: "50s", exp_samples: firing(2) },
      { expr, eval_time: "70s", exp_samples: firing(2) },
      { expr, eval_time: "90s", exp_samples: firing(2) },
      { expr, eval_time: "150s", exp_samples: firing(0) },
    ],
  };
  fs.writeFileSync(
    path.join(folder, "scale.yml"),
    stringify({ rule_files: ["alert.rules.yml"], evaluation_interval: "5s", tests: [test] }),
  );
  expect(tool("promtool", "test", "rules", "scale.yml")).toContain("SUCCESS");
});
