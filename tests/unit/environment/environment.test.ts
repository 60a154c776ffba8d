import { EnvironmentError, parseEnvironment } from "../../../environment/parse";
import { bytes, seconds } from "../../../environment/units";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
const good = (): Record<string, any> => ({ host: { address: "198.51.100.7", hostKey: KEY } });

function problems(change: (raw: Record<string, any>) => void): string[] {
  const raw = good();
  change(raw);
  try {
    parseEnvironment(raw);
    return [];
  } catch (error) {
    if (error instanceof EnvironmentError) return error.problems;
    throw error;
  }
}

test("the least an environment has to say is its host", () => {
  const env = parseEnvironment(good());
  expect(env.nginx).toMatchObject({
    user: "nginx",
    workerConnections: 10240,
    keepalive: 64,
    proxyReadTimeout: "300s",
  });
  expect(env.docker).toMatchObject({ source: "docker", logMaxSize: "10m" });
  expect(env.docker.repository.fingerprint).toBe("9DC858229FC7DD38854AE2D88D81803C0EBFCD88");
  expect(env.location).toEqual({ country: "NO", city: "Oslo", provider: "self-hosted" });
  expect(seconds(env.openfaas.queue.ackWait)).toBeGreaterThan(seconds(env.openfaas.upstreamTimeout));
});

test.each<[string, (raw: Record<string, any>) => void, RegExp]>([
  ["no host", (raw) => delete raw.host, /^host: is missing/],
  ["no host key", (raw) => delete raw.host.hostKey, /^host\.hostKey: is missing: is required/],
  ["two host keys", (raw) => (raw.host.hostKeyFile = "x"), /^host\.hostKeyFile: .*contradicts host\.hostKey/],
  [
    "a fingerprint instead of a key",
    (raw) => (raw.host.hostKey = "SHA256:abc"),
    /^host\.hostKey: "SHA256:abc": must be a public host key/,
  ],
  [
    "a mistyped key",
    (raw) => (raw.nginx = { keepAlive: 64 }),
    /^nginx\.keepAlive: unknown, did you mean nginx\.keepalive\?$/,
  ],
  [
    "an unknown section",
    (raw) => (raw.varnish = {}),
    /^varnish: unknown; known here: extends, production, location, host/,
  ],
  [
    "an unknown key in a list",
    (raw) => (raw.checks = [{ path: "/", statut: 2 }]),
    /^checks\.0\.statut: unknown, did you mean checks\.0\.status\?$/,
  ],
  ["a port out of range", (raw) => (raw.host.port = 70000), /^host\.port: 70000: /],
  ["a text for a number", (raw) => (raw.nginx = { keepalive: "64" }), /^nginx\.keepalive: "64": /],
  [
    "a duration without a unit",
    (raw) => (raw.nginx = { proxyReadTimeout: "300" }),
    /^nginx\.proxyReadTimeout: "300": must be a duration/,
  ],
  [
    "a size in words",
    (raw) => (raw.nginx = { clientMaxBodySize: "big" }),
    /^nginx\.clientMaxBodySize: "big": must be a size/,
  ],
  [
    "an invalid network",
    (raw) => (raw.firewall = { swarmPeers: ["10.0.0.0/33"] }),
    /^firewall\.swarmPeers\.0: .*must be a network/,
  ],
  [
    "an image with spaces",
    (raw) => (raw.images = { gateway: "a b" }),
    /^images\.gateway: "a b": must be an image reference/,
  ],
  [
    "a short fingerprint",
    (raw) => (raw.docker = { repository: { fingerprint: "0EBFCD88" } }),
    /^docker\.repository\.fingerprint: .*40 hex/,
  ],
  [
    "a country in words",
    (raw) => (raw.location = { country: "Norge" }),
    /^location\.country: "Norge": must be a two-letter/,
  ],
  ["an unknown engine source", (raw) => (raw.docker = { source: "snap" }), /^docker\.source: "snap": /],
  [
    "a proxy that hangs up before the function",
    (raw) => (raw.nginx = { proxyReadTimeout: "60s" }),
    /^nginx\.proxyReadTimeout: .*below openfaas\.readTimeout 295s: Nginx would give up/,
  ],
  [
    "a queue that delivers twice",
    (raw) => (raw.openfaas = { queue: { ackWait: "30s" } }),
    /^openfaas\.queue\.ackWait: .*must be more than openfaas\.upstreamTimeout 290s plus 38s for the callback: a long call would be delivered twice/,
  ],
  [
    "two listeners on one port",
    (raw) => (raw.nginx = { httpPort: 8080 }),
    /^nginx\.httpPort: .*is used by two listeners/,
  ],
])("refuses %s, with its path", (_name, change, message) => {
  const found = problems(change);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(message);
});

test("names every mistake at once", () => {
  const found = problems((raw) => {
    raw.host.port = 0;
    raw.nginx = { keepalive: 0, usr: "nginx" };
    raw.location = { country: "no" };
  });
  expect(found.map((line) => line.split(":")[0]).sort()).toEqual([
    "host.port",
    "location.country",
    "nginx.keepalive",
    "nginx.usr",
  ]);
});

test("durations and sizes become plain numbers", () => {
  expect([seconds("500ms"), seconds("300s"), seconds("5m"), seconds("2h")]).toEqual([0.5, 300, 300, 7200]);
  expect([bytes("10m"), bytes("1G"), bytes("512")]).toEqual([10485760, 1073741824, 512]);
  expect(() => seconds("5 minutes")).toThrow("not a duration");
  expect(() => bytes("ten")).toThrow("not a size");
});
