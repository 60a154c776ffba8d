/** What the whole program registers for an environment, with strict mocks: an unexpected call fails. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { packFunction } from "../../../components/functions/build";
import { version } from "../../../package.json";
import { readLock, writeLock } from "../../../components/images/lock";
import run = require("../../../index");
import { registered, type Registered } from "./registered";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
const DIGEST = `sha256:${"0".repeat(64)}`;

/** Runs index.ts on a configuration and returns everything it registered, and its outputs. */
function program(config: Record<string, unknown>, secret: string[] = []) {
  const all = Object.entries(config).map(([key, value]) => [
    `oslo-faas:${key}`,
    // A text as it is, as the engine hands it over.
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return registered(run, {
    all: Object.fromEntries(all) as Record<string, string>,
    secret: secret.map((key) => `oslo-faas:${key}`),
  });
}

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-program-"));
const lock = path.join(dir, "lock.json");
const own = {
  host: { address: "198.51.100.7", hostKey: KEY },
  images: { lock, own: "registry", registry: "registry.example.no" },
  functions: [{ stack: "functions/stack.yml" }],
};

beforeAll(() => {
  const names = [
    "openfaas/gateway:0.25.4",
    "openfaas/basic-auth:0.25.4",
    `oslo-faas/queue:${version}`,
    "library/nats:2.15.3",
    "library/nats-streaming:0.25.6",
    "prom/prometheus:v2.42.0",
    "prom/alertmanager:v0.28.1",
    "library/haproxy:3.0.11",
    `oslo-faas/swarm-provider:${version}`,
    "library/node:22-bookworm-slim",
    "oslo-faas/hello:dev",
    "oslo-faas/resize-image:dev",
  ];
  const images = Object.fromEntries(names.map((name) => [`registry.example.no/${name}`, DIGEST]));
  fs.writeFileSync(lock, JSON.stringify({ version: 1, images }));
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

const ofType = (resources: Registered[], type: string) => resources.filter((r) => r.type === type);
/** As a text, without what the engine is told to keep secret. */
const open = (value: unknown) =>
  JSON.stringify(value, (_key, inner) =>
    inner?.["4dabf18193072939515e22adb298388d"] === "1b47061264138c4ac30d75fd1eb44270" ? "[secret]" : inner,
  );
const isComponent = ({ type }: Registered) => type.startsWith("oslo-faas:");
const named = (resources: Registered[], name: string) => resources.find((r) => r.name === name)!;

describe("an environment with Docker's own engine", () => {
  let made: Awaited<ReturnType<typeof program>>;
  beforeAll(async () => (made = await program(own)));

  test("registers each part once, under names of its component", () => {
    const list = made.resources.map((r) => `${r.type} ${r.name}`).sort();
    expect(list).toMatchSnapshot();
    expect(new Set(list).size).toBe(list.length);
  });

  test("runs every service by digest, restarted whatever it exits with, without virtual addresses", () => {
    const services = ofType(made.resources, "docker:index/service:Service");
    expect(services.map((s) => s.inputs.name).sort()).toEqual([
      "alertmanager",
      "basic-auth-plugin",
      "edge",
      "exporter",
      "gateway",
      "intake",
      "nats",
      "nats-streaming",
      "prometheus",
      "queue-worker",
      "swarm-provider",
    ]);
    for (const { inputs } of services) {
      expect(inputs.taskSpec.containerSpec.image).toMatch(/^registry\.example\.no\/.*@sha256:0{64}$/);
      expect(inputs.taskSpec.restartPolicy).toMatchObject({ condition: "any" });
      expect(inputs.endpointSpec.mode).toBe("dnsrr");
      expect(inputs.taskSpec.containerSpec).toMatchObject({ capDrops: ["ALL"], readOnly: true });
      expect(inputs.taskSpec.resources.limits.memoryBytes).toBeGreaterThanOrEqual(64 * 1024 ** 2);
    }
    const limited = services.filter(({ inputs }) => inputs.taskSpec.resources.limits.nanoCpus !== undefined);
    expect(limited.map(({ inputs }) => inputs.name).sort()).toEqual([
      "alertmanager",
      "basic-auth-plugin",
      "exporter",
      "prometheus",
    ]);
  });

  test("gives a port to the gateway alone, and the engine's socket to the provider alone", () => {
    const services = ofType(made.resources, "docker:index/service:Service");
    expect(services.filter((s) => s.inputs.endpointSpec.ports.length > 0).map((s) => s.inputs.name)).toEqual([
      "gateway",
    ]);
    const mounts = services.filter((s) => JSON.stringify(s.inputs).includes("docker.sock"));
    expect(mounts.map((s) => s.inputs.name)).toEqual(["swarm-provider"]);
  });

  test("removes functions that somebody deployed by hand at destroy, with the host key pinned", () => {
    const { inputs } = named(made.resources, "openfaas-functions-by-hand");
    expect(inputs.delete).toContain("docker service rm");
    expect(inputs.create).toBe(":");
    expect(inputs.connection.value.hostKey).toBe(KEY);
  });

  test("keeps the queue on a volume that outlives its service", () => {
    const nats = named(made.resources, "openfaas-nats").inputs.taskSpec.containerSpec;
    expect(nats.mounts).toEqual([{ type: "volume", source: "openfaas-calls", target: "/data" }]);
  });

  test("takes the engine from Docker's repository, its key pinned by the full fingerprint", () => {
    expect(named(made.resources, "docker-repository").inputs).toMatchObject({
      uri: "https://download.docker.com/linux/ubuntu",
      keyUrl: "https://download.docker.com/linux/ubuntu/gpg",
      fingerprint: "9DC858229FC7DD38854AE2D88D81803C0EBFCD88",
      components: ["stable"],
    });
    expect(named(made.resources, "docker-packages").inputs.hold).toBe(true);
  });

  test("connects with the pinned key, everywhere", () => {
    expect(named(made.resources, "host-connection").inputs).toMatchObject({
      host: "198.51.100.7",
      hostKey: KEY,
    });
    expect(JSON.stringify(named(made.resources, "docker-api").inputs.sshOpts)).toContain(
      `KnownHostsCommand=/bin/echo %H ${KEY}`,
    );
    const { connection } = named(made.resources, "checks-calls").inputs;
    // @pulumi/command makes the whole connection a secret, since it can hold a private key.
    expect(connection.value.hostKey).toBe(KEY);
  });

  test("has the outputs that the documentation promises", () => {
    expect(made.outputs).toMatchObject({
      url: "http://198.51.100.7",
      gatewayUser: "admin",
      functions: {
        hello: "http://198.51.100.7/function/hello",
        "resize-image": "http://198.51.100.7/function/resize-image",
      },
      host: { osId: "ubuntu" },
    });
    expect(Object.keys(made.outputs).sort()).toEqual([
      "functions",
      "gatewayPassword",
      "gatewayUser",
      "host",
      "location",
      "url",
    ]);
  });
});

test("the distribution's engine needs no repository", async () => {
  const { resources } = await program({ ...own, docker: { source: "distro" } });
  expect(ofType(resources, "host:index:AptRepository")).toEqual([]);
  expect(named(resources, "docker-packages").inputs.packages).toContain("docker.io");
});

test("a user who is not root is let to the engine", async () => {
  const { resources } = await program({ ...own, host: { ...own.host, user: "ops" } });
  expect(named(resources, "docker-group").inputs.create).toBe("sudo -n usermod -aG docker ops");
});

test("own images are built on the host under the hash of what they are made of", async () => {
  const { resources } = await program({ ...own, images: { ...own.images, own: "build" } });
  const images = ofType(resources, "docker:index/remoteImage:RemoteImage");
  expect(images.map((image) => image.name).sort()).toEqual([
    "images-fn-hello",
    "images-fn-resize-image",
    "images-queue",
    "images-swarm-provider",
  ]);
  for (const { inputs } of images)
    expect(inputs.name).toMatch(/^localhost\/oslo-faas\/[a-z-]+:[0-9a-f]{12}$/);
  const hello = named(resources, "functions-hello").inputs.image;
  expect(hello).toBe(named(resources, "images-fn-hello").inputs.name);
});

test("functions that are loaded run by the id that the lock file has for their content, and only then", async () => {
  const handler = path.join(dir, "hei");
  fs.mkdirSync(handler, { recursive: true });
  fs.writeFileSync(path.join(handler, "Dockerfile"), "FROM scratch\n");
  const stack = path.relative(process.cwd(), path.join(dir, "loaded.yml"));
  const entry = "{ lang: dockerfile, handler: ./hei, image: example/hei:1 }";
  fs.writeFileSync(stack, `provider: { name: openfaas }\nfunctions:\n  hei: ${entry}\n`);
  const lockOfIt = path.join(dir, "loaded.json");
  const images = { ...own.images, lock: lockOfIt, functions: "loaded" };
  fs.copyFileSync(lock, lockOfIt);
  await expect(program({ ...own, functions: stack, images })).rejects.toThrow(
    /functions: one error\n {2}\S+loaded\.yml:3: functions\.hei\.handler: is, as it is now, not on the host yet: npx oslo-faas functions build -s \S+ --load/,
  );
  const build = { lang: "dockerfile", handler: "./hei", args: {}, copy: [] };
  const { hash, folder } = packFunction("hei", build, stack, {});
  const id = "a".repeat(64);
  writeLock(lockOfIt, { ...readLock(lock), [`localhost/oslo-faas/fn-hei:${hash}`]: `sha256:${id}` });
  const { resources } = await program({ ...own, functions: stack, images });
  fs.rmSync(folder, { recursive: true });
  expect(named(resources, "functions-hei").inputs.image).toBe(`localhost/oslo-faas/fn-hei:${id}`);
  expect(ofType(resources, "docker:index/remoteImage:RemoteImage")).toEqual([]);
});

test("a function gets the secrets that it names, by their revisions and never by their values", async () => {
  const stack = path.join(dir, "secrets.yml");
  fs.writeFileSync(
    stack,
    "provider: { name: openfaas }\nfunctions:\n  a: { image: oslo-faas/hello:dev, secrets: [api-key] }\n  b: { image: oslo-faas/hello:dev }\n",
  );
  const config = { ...own, functions: stack, functionSecrets: { "api-key": "hunter2", other: "hunter3" } };
  const { resources } = await program(config, ["functionSecrets"]);
  const secrets = ofType(resources, "openfaas:index:FunctionSecret");
  expect(secrets.map(({ name }) => name)).toEqual(["functions-secret-api-key", "functions-secret-other"]);
  // How the engine is told that a value is a secret.
  expect(secrets[0]!.inputs.value).toMatchObject({ value: "hunter2" });
  expect(Object.keys(secrets[0]!.inputs.value)).toHaveLength(2);
  expect(named(resources, "functions-a").inputs.secretRevisions).toEqual({ "api-key": 4 });
  expect(named(resources, "functions-b").inputs.secretRevisions).toEqual({});
  const others = resources.filter(({ type }) => type !== "host:index:FunctionSecret");
  expect(open(others)).not.toContain("hunter");
  await expect(program({ ...own, functions: stack })).rejects.toThrow(
    /functions: one error\n {2}\S+secrets\.yml:3: functions\.a\.secrets\.0: api-key is not in the environment's functionSecrets/,
  );
});

describe("a registry that asks for a login", () => {
  const HOST = "registry.example.no";
  const login = { ...own, registryAuth: { [HOST]: "ci:hunter2:x" } };
  const given = (resources: Registered[]) => named(resources, "docker-api").inputs.registryAuth;
  const opened = (value: { value: string }) => JSON.parse(value.value) as unknown;
  const pulled = (resources: Registered[]) => resources.filter(({ name }) => name.includes("-pulled-"));

  test("is given it for services and functions, as a secret and nowhere else", async () => {
    const { resources } = await program(login, ["registryAuth"]);
    expect(opened(given(resources))).toEqual([{ address: HOST, username: "ci", password: "hunter2:x" }]);
    expect(named(resources, "functions-hello").inputs.registryAuth).toMatchObject({ value: "ci:hunter2:x" });
    // Two services have one of them.
    expect(pulled(resources).map(({ name }) => name)).toEqual(
      [
        "library-nats-2.15.3",
        "library-nats-streaming-0.25.6",
        "prom-prometheus-v2.42.0",
        "openfaas-basic-auth-0.25.4",
        `oslo-faas-swarm-provider-${version}`,
        `oslo-faas-queue-${version}`,
        "openfaas-gateway-0.25.4",
        "library-haproxy-3.0.11",
        "prom-alertmanager-v0.28.1",
      ].map((name) => `openfaas-pulled-${HOST}-${name}`),
    );
    // Theirs is the connection's: a new password then replaces none of them.
    for (const { inputs } of ofType(resources, "docker:index/service:Service"))
      expect(inputs.auth).toBeUndefined();
    const others = resources.filter(
      ({ type, name }) => type !== "openfaas:index:Function" && name !== "docker-api",
    );
    expect(open(others)).not.toContain("hunter2");
  });

  test("is asked for the base of a build before that, once, and the function is built without it", async () => {
    const config = { ...login, images: { ...own.images, own: "build" } };
    const { resources } = await program(config, ["registryAuth"]);
    const names = pulled(resources).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith("images-"))).toContain(
      `images-pulled-${HOST}-library-node-22-bookworm-slim`,
    );
    expect(new Set(names).size).toBe(names.length);
    const base = named(resources, `images-pulled-${HOST}-library-node-22-bookworm-slim`).inputs;
    expect(base).toEqual({ name: `${HOST}/library/node:22-bookworm-slim@${DIGEST}`, keepLocally: true });
    expect(named(resources, "functions-hello").inputs.registryAuth).toBeUndefined();
  });

  test("and is Docker Hub has its images of the stack pulled first: of them @pulumi/docker knows no registry", async () => {
    const images = { lock, own: "registry" };
    const config = { ...own, images, registryAuth: { "docker.io": "ci:hunter2" } };
    const { resources } = await program(config, ["registryAuth"]);
    expect(opened(given(resources))).toMatchObject([{ address: "registry-1.docker.io" }]);
    expect(pulled(resources).map(({ inputs }) => inputs.name)).toEqual([
      "nats:2.15.3",
      "nats-streaming:0.25.6",
      "prom/prometheus:v2.42.0",
      "haproxy:3.0.11",
      "prom/alertmanager:v0.28.1",
    ]);
  });

  test("and that no image comes from is an error before anything is registered", async () => {
    const config = { ...own, registryAuth: { "registry.exmaple.no": "ci:hunter2" } };
    await expect(program(config, ["registryAuth"])).rejects.toThrow(
      "stacks/Pulumi.test.yaml:\n  registryAuth.registry.exmaple.no: no image of this environment comes from there, did you mean registry.example.no?",
    );
  });

  test("without one nothing is registered for it", async () => {
    expect(given((await program(own)).resources)).toBeUndefined();
  });
});

test("without a firewall nothing is closed and nothing installed for it", async () => {
  const { resources } = await program({ ...own, firewall: { enabled: false } });
  expect(resources.filter((r) => r.name.startsWith("host-firewall"))).toEqual([]);
  expect(named(resources, "host-packages").inputs.packages).not.toContain("nftables");
});

test("a wrong configuration registers nothing and says all that is wrong", async () => {
  await expect(program({ ...own, nginx: { keepAlive: 1, workerConnections: 1 } })).rejects.toThrow(
    /stacks\/Pulumi\.test\.yaml: 2 errors[^]*nginx\.workerConnections[^]*did you mean nginx\.keepalive\?/,
  );
});

test("where it stands is a label of the node, of every service and function, and an output", async () => {
  const location = { country: "SE", city: "Luleå", provider: "somebody" };
  const { resources, outputs } = await program({ ...own, location });
  const wanted = {
    "no.oslo-faas.country": "SE",
    "no.oslo-faas.city": "Luleå",
    "no.oslo-faas.provider": "somebody",
  };
  const services = ofType(resources, "docker:index/service:Service");
  const others = ["host:index:SwarmMember", "openfaas:index:Function"].flatMap((type) =>
    ofType(resources, type),
  );
  expect([services.length, others.length]).toEqual([11, 3]);
  for (const { inputs } of services)
    expect(
      Object.fromEntries(inputs.labels.map((one: Record<string, string>) => [one.label, one.value])),
    ).toEqual(wanted);
  for (const { inputs } of others) expect(inputs.labels).toMatchObject(wanted);
  expect(outputs.location).toEqual(location);
});

test("a certificate is ordered after everything else, and by nobody who did not ask for it", async () => {
  const nginx = { serverName: "faas.example.no", tls: "auto" };
  const { resources, outputs } = await program({ ...own, nginx });
  const order = named(resources, "certificate-order");
  expect(order.inputs).toMatchObject({ unit: "oslo-faas-certificate.service", active: true });
  expect(resources.indexOf(order)).toBeGreaterThan(resources.indexOf(named(resources, "checks-calls")));
  expect(outputs.url).toBe("https://faas.example.no");
  const { resources: others } = await program(own);
  expect(others.filter(({ name }) => /cert/.test(name))).toEqual([]);
});

test("secrets of alerts reach Alertmanager as Docker secrets, and nothing else", async () => {
  const alerts = { webhook: { url: "https://alerts.example.no/hook" } };
  const { resources } = await program({ ...own, alerts, alertWebhookToken: "t0ken" }, ["alertWebhookToken"]);
  const uses = ofType(resources, "docker:index/service:Service").filter((s) =>
    JSON.stringify(s.inputs).includes("alert-webhook-token"),
  );
  expect(uses.map((s) => s.inputs.name)).toEqual(["alertmanager"]);
  const forms = ["t0ken", Buffer.from("t0ken").toString("base64")];
  const holders = resources.filter(
    (r) => !isComponent(r) && forms.some((form) => JSON.stringify(r.inputs).includes(form)),
  );
  expect(holders.map((r) => r.name)).toEqual(["openfaas-alert-webhook-token"]);
});

test("a webhook's URL that is a secret is in one Docker secret, which Alertmanager reads as a file, and nowhere in plain", async () => {
  const url = "https://hooks.example.no/services/T0/hunter2hunter2";
  const { resources } = await program({ ...own, alertWebhookUrl: url, alertWebhookToken: "t0ken" }, [
    "alertWebhookUrl",
    "alertWebhookToken",
  ]);
  // `value`: marked as a secret.
  const decoded = ({ inputs }: Registered) => Buffer.from(inputs.data?.value ?? "", "base64").toString();
  const holders = resources.filter((one) => decoded(one).includes(url));
  expect(holders.map(({ type, name }) => [type, name])).toEqual([
    ["docker:index/secret:Secret", "openfaas-alert-webhook-url"],
  ]);
  const forms = ["hunter2", Buffer.from(url).toString("base64")];
  for (const form of forms) expect(open(resources)).not.toContain(form);
  const config = resources.find(({ name }) => name === "openfaas-alertmanager-config")!;
  const text = Buffer.from(config.inputs.data, "base64").toString();
  expect(text).toContain("- url_file: /run/secrets/alert-webhook-url");
  expect(text).toContain("credentials_file: /run/secrets/alert-webhook-token");
  const [service] = ofType(resources, "docker:index/service:Service").filter(
    ({ inputs }) => inputs.name === "alertmanager",
  );
  const { secrets } = service!.inputs.taskSpec.containerSpec;
  expect(secrets.map(({ fileName }: { fileName: string }) => fileName).sort()).toEqual([
    "alert-webhook-token",
    "alert-webhook-url",
    "basic-auth-password",
  ]);
});

test("an IPv6 address stands in brackets where a port follows it", async () => {
  const host = { ...own.host, address: "2001:db8::7" };
  const { resources, outputs } = await program({ ...own, host });
  const [api] = resources.filter(({ type }) => type === "pulumi:providers:docker");
  expect(api!.inputs.host).toBe("ssh://root@[2001:db8::7]:22");
  expect(outputs.url).toBe("http://[2001:db8::7]");
});
