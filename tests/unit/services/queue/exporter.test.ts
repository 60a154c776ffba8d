import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { Registry } from "prom-client";
import { readConfig } from "../../../../services/queue/src/config";
import { answers, defaultGateway, exported } from "../../../../services/queue/src/exporter";
import { BoundedCounter, gauge } from "../../../../services/queue/src/metrics";

const ROUTES =
  "Iface\tDestination\tGateway \tFlags\neth1\t000012AC\t00000000\t0001\neth1\t00000000\t010012AC\t0003\n";

const value = (text: string, name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);

test("the host is the container's default route", () => {
  expect(defaultGateway(ROUTES)).toBe("172.18.0.1");
  expect(() => defaultGateway("Iface\n")).toThrow("no default route");
});

test("depth, disk and memory are told; what cannot be asked is named and hides nothing", async () => {
  const channel = { name: "faas-request", msgs: 3, bytes: 100, last_seq: 3, subscriptions: [] };
  const state = { messages: 5, bytes: 100, first_ts: new Date(Date.now() - 60_000).toISOString() };
  const streams = [
    { name: "CALLS", config: { max_bytes: 1000 }, state: { ...state, last_seq: 100 }, consumer_detail: null },
    { name: "DEAD", state: { messages: 1, last_seq: 10 } },
    { name: "DONE", state: { messages: 7, last_seq: 93 } },
  ];
  const answers: Record<string, object> = {
    "/jsz": { config: {}, account_details: [{ stream_detail: streams }] },
    "/connz": { connections: [] },
    "/streaming/channelsz": { channels: [channel] },
  };
  const nats = http.createServer(({ url }, response) =>
    response.end(JSON.stringify(answers[url!.split("?")[0]!])),
  );
  await new Promise<void>((done) => nats.listen(0, "127.0.0.1", done));
  const files = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-exporter-"));
  try {
    fs.writeFileSync(
      path.join(files, "meminfo"),
      "MemTotal:  2048 kB\nMemFree: 1 kB\nMemAvailable:  1024 kB\n",
    );
    const config = readConfig({
      faas_nats_address: "127.0.0.1",
      old_nats_address: "127.0.0.1",
      faas_nats_monitor_port: String((nats.address() as AddressInfo).port),
      tls_port: "443",
    });
    const text = await exported(config, files);
    expect(value(text, "oslo_faas_queue_depth")).toBe(5);
    const counts = ["accepted", "done", "died", "missing"].map((name) => `oslo_faas_queue_calls_${name}`);
    expect(counts.map((name) => value(text, name))).toEqual([100, 83, 10, 2]);
    expect(value(text, "oslo_faas_queue_workers")).toBe(0);
    expect(value(text, "oslo_faas_queue_bytes")).toBe(100);
    expect(value(text, "oslo_faas_queue_max_bytes")).toBe(1000);
    expect(value(text, "oslo_faas_queue_old_depth")).toBe(3);
    expect(value(text, "oslo_faas_queue_oldest_seconds")).toBeCloseTo(60, -1);
    expect(value(text, "oslo_faas_memory_available_bytes")).toBe(1024 ** 2);
    const { bavail, bsize } = fs.statfsSync("/");
    expect(value(text, "oslo_faas_disk_free_bytes") / (bavail * bsize)).toBeCloseTo(1, 1);
    expect(text).toContain('oslo_faas_probe_success{probe="certificate"} 0\n');
    nats.close();
    nats.closeAllConnections();
    const without = await exported(config, files);
    expect(without).toContain('oslo_faas_probe_success{probe="queue"} 0\n');
    expect(without).not.toContain("oslo_faas_queue_depth");
    expect(without).toContain("oslo_faas_disk_size_bytes");
  } finally {
    nats.close();
    fs.rmSync(files, { recursive: true });
  }
});

test("open and unused ports count as answering; ports to watch must be valid", async () => {
  const server = http.createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  expect(await answers("127.0.0.1", port)).toBe(true);
  await new Promise((done) => server.close(done));
  expect(await answers("127.0.0.1", port)).toBe(true);
  // What cannot be reached at all says nothing.
  expect(await answers("255.255.255.255", port)).toBe(false);
  expect(readConfig({ closed_ports: "8080,2377" }).closedPorts).toEqual([8080, 2377]);
  expect(() => readConfig({ closed_ports: "8080,x" })).toThrow("closed_ports");
});

test("names that anybody can make up do not fill the memory", async () => {
  const registry = new Registry();
  const counter = new BoundedCounter(registry, "x", "Help.", ["function_name"]);
  for (let i = 0; i < 2000; i++) counter.add({ function_name: `made-up-${i}` });
  counter.add({ function_name: "made-up-0" });
  const text = await registry.metrics();
  expect(text.split("\n").length).toBeLessThan(1010);
  expect(text).toContain('x{function_name="other"} 1000\n');
  expect(text).toContain('x{function_name="made-up-0"} 2\n');
});

test("labels are escaped as Prometheus reads them", async () => {
  const registry = new Registry();
  gauge(registry, "x", "Help.", [{ labels: { a: 'b"\\\n' }, value: 1 }]);
  expect(await registry.metrics()).toBe('# HELP x Help.\n# TYPE x gauge\nx{a="b\\"\\\\\\n"} 1\n');
});
