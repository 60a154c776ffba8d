/** Each component in a program of one's own: without an environment, with the least it takes, and with Outputs for Inputs. */
import * as pulumi from "@pulumi/pulumi";
import { Certificate, Checks, DockerEngine, Functions, Host, Nginx, OpenFaaS, Swarm } from "oslo-faas";
import { registered, type Registered } from "./registered";

const connection = {
  address: "203.0.113.10",
  hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ",
};

const names = (resources: Registered[]) =>
  resources
    .filter(({ type }) => !type.startsWith("pulumi:providers:"))
    .map(({ name }) => name)
    .sort();
const inputs = (resources: Registered[], name: string): any =>
  resources.find((one) => one.name === name)!.inputs;

/** Every Input of plain arguments as an Output. */
const later = <T extends object>(args: T): T =>
  Object.fromEntries(Object.entries(args).map(([key, value]) => [key, pulumi.output(value as unknown)])) as T;

test("Host: checks and prepares a host that is given by its address and key", async () => {
  const { resources, outputs } = await registered(() => {
    const { facts } = new Host("h", { connection });
    return { facts };
  });
  expect(names(resources)).toEqual([
    "h",
    "h-firewall",
    "h-firewall-rules",
    "h-firewall-script",
    "h-packages",
    "h-preflight",
    "h-sysctl",
    "h-timezone",
  ]);
  expect(inputs(resources, "h-connection")).toMatchObject({ host: "203.0.113.10", port: 22, user: "root" });
  expect(outputs.facts).toMatchObject({ osId: "ubuntu" });
});

test("Host: takes Outputs", async () => {
  const { resources } = await registered(() => {
    const args = later({
      base: { timezone: "Europe/London" },
      preflight: { minMemoryMiB: 4096 },
      backlog: 4096,
      gatewayPort: 8099,
    });
    new Host("h", { connection: { ...connection, address: pulumi.output("198.51.100.7") }, ...args });
    return {};
  });
  expect(inputs(resources, "h-connection").host).toBe("198.51.100.7");
  expect(inputs(resources, "h-preflight").minMemoryMiB).toBe(4096);
  expect(inputs(resources, "h-timezone").content).toBe("Europe/London\n");
  expect(inputs(resources, "h-sysctl").values["net.core.somaxconn"]).toBe("4096");
  expect(inputs(resources, "h-firewall-rules").content).toContain("8099");
});

test("DockerEngine: gathers facts itself where none are given", async () => {
  const { resources } = await registered(() => {
    new DockerEngine("d");
    return {};
  });
  expect(names(resources)).toEqual([
    "d",
    "d-daemon-json",
    "d-facts",
    "d-needs",
    "d-packages",
    "d-repository",
    "d-unit",
  ]);
  expect(inputs(resources, "d-repository").uri).toBe("https://download.docker.com/linux/debian");
});

test("DockerEngine: takes Outputs, and no repository with the distribution's engine", async () => {
  const { resources } = await registered(() => {
    const args = later({ registryMirrors: ["https://mirror.example.no"], openFiles: 131072 });
    new DockerEngine("d", { source: "distro", ...args });
    return {};
  });
  expect(names(resources)).toEqual(["d", "d-daemon-json", "d-facts", "d-needs", "d-packages", "d-unit"]);
  expect(inputs(resources, "d-daemon-json").content).toContain("https://mirror.example.no");
  expect(inputs(resources, "d-daemon-json").content).toContain("131072");
});

test("Swarm: makes the first manager", async () => {
  const { resources, outputs } = await registered(() => {
    const { clusterId } = new Swarm("s", later({ location: { city: "Bergen" } }));
    return { clusterId };
  });
  expect(names(resources)).toEqual(["s", "s-manager"]);
  expect(inputs(resources, "s-manager")).toMatchObject({
    role: "manager-init",
    defaultAddrPool: ["10.201.0.0/16"],
  });
  expect(JSON.stringify(inputs(resources, "s-manager").labels)).toContain("Bergen");
  expect(outputs.clusterId).toBe("cluster");
});

test("OpenFaaS: makes a password and runs the whole platform from the documented images", async () => {
  const { resources, outputs } = await registered(() => {
    const { user, password, services } = new OpenFaaS("f");
    return { user, password, services };
  });
  expect(outputs).toMatchObject({ user: "admin", password: "made" });
  expect(outputs.services).toEqual([
    "nats",
    "nats-streaming",
    "prometheus",
    "basic-auth-plugin",
    "swarm-provider",
    "intake",
    "gateway",
    "edge",
    "queue-worker",
    "exporter",
    "alertmanager",
  ]);
  expect(inputs(resources, "f-gateway").taskSpec.containerSpec.image).toBe("ghcr.io/openfaas/gateway:0.25.4");
});

test("OpenFaaS: leaves NATS Streaming out, and calls past the edge are accepted by the intake", async () => {
  const { resources, outputs } = await registered(() => {
    const { services, queueSocket, functionsSocket } = new OpenFaaS("f", {
      edge: false,
      queue: { natsStreaming: false },
    });
    return { services, queueSocket, functionsSocket };
  });
  expect(outputs.services).not.toContain("nats-streaming");
  expect(names(resources)).not.toContain("f-volume-queue");
  expect(outputs).toMatchObject({ queueSocket: "/run/oslo-faas-door/intake/intake.sock" });
  expect(outputs.functionsSocket).toBeUndefined();
});

test("OpenFaaS: removes functions that were deployed by hand where it knows the host", async () => {
  const { resources } = await registered(() => {
    new OpenFaaS("alone");
    new OpenFaaS("f", { connection: later(connection) });
    return {};
  });
  expect(names(resources)).toContain("f-functions-by-hand");
  expect(names(resources)).not.toContain("alone-functions-by-hand");
});

test("OpenFaaS: takes Outputs", async () => {
  const { resources } = await registered(() => {
    const args = later({ user: "ops", gatewayPort: 8099, password: "given" });
    const images = later({ gateway: "registry.example.no/gateway:1" });
    new OpenFaaS("f", { ...args, images, queue: later({ workers: 3 }) });
    return {};
  });
  expect(names(resources)).not.toContain("f-password");
  expect(inputs(resources, "f-gateway").endpointSpec.ports[0].publishedPort).toBe(8099);
  expect(inputs(resources, "f-gateway").taskSpec.containerSpec.image).toBe("registry.example.no/gateway:1");
  expect(inputs(resources, "f-queue-worker").mode.replicated.replicas).toBe(3);
});

test("Nginx: serves with the documented defaults", async () => {
  const { resources, outputs } = await registered(() => {
    const { url, origin, revision } = new Nginx("web");
    return { url, origin, revision };
  });
  expect(names(resources)).toEqual(["web", "web-conf", "web-packages", "web-unit", "web-user"]);
  expect(outputs).toEqual({
    url: "http://localhost",
    origin: "http://127.0.0.1:80",
    revision: expect.any(String),
  });
  expect(inputs(resources, "web-conf").content).toContain("server 127.0.0.1:8080;");
});

test("Nginx: takes Outputs", async () => {
  const { resources, outputs } = await registered(() => {
    const args = {
      keepalive: 99,
      httpPort: 8000,
      gatewayPort: 8099,
      asyncBody: "1m",
      openFiles: 20000,
      address: "faas.example.no",
    };
    const { url } = new Nginx("web", later(args));
    return { url };
  });
  const { content } = inputs(resources, "web-conf") as { content: string };
  for (const line of [
    "keepalive 99;",
    "server 127.0.0.1:8099;",
    "client_max_body_size 1m;",
    "worker_rlimit_nofile 20000;",
  ])
    expect(content).toContain(line);
  expect(outputs.url).toBe("http://faas.example.no:8000");
});

test("Certificate: orders one for Nginx, whose account's key is kept secret", async () => {
  const { resources } = await registered(() => {
    const tls = { auto: { eabKeyId: "kid-1" } };
    const web = new Nginx("web", { serverName: "faas.example.no", tls, acmeEabKey: "aGVsbG8" });
    new Certificate("certificate", { order: web.order! }, { dependsOn: web });
    return {};
  });
  expect(names(resources).filter((name) => /cert/.test(name))).toEqual([
    "certificate",
    "certificate-order",
    "web-certbot",
    "web-certbot-settings",
    "web-certificate-script",
    "web-certificate-service",
    "web-certificate-timer",
  ]);
  expect(inputs(resources, "web-certbot-settings")).toMatchObject({
    mode: "0600",
    content: { value: expect.stringContaining("eab-hmac-key = aGVsbG8\n") },
  });
  const open = resources.map((one) => ({
    ...one,
    inputs: { ...one.inputs, content: undefined, acmeEabKey: undefined },
  }));
  expect(JSON.stringify(open)).not.toContain("aGVsbG8");
  expect(inputs(resources, "web").acmeEabKey).toMatchObject({ value: "aGVsbG8" });
  expect(inputs(resources, "web-certificate-script").content).not.toContain("aGVsbG8");
});

test("Nginx: a key of an account's binding without its identifier is refused", () => {
  expect(() => new Nginx("web", { serverName: "faas.example.no", tls: { auto: { eabKeyId: "k" } } })).toThrow(
    "acmeEabKey",
  );
});

test("Functions: deploys a function by name and image", async () => {
  const { resources, outputs } = await registered(() => {
    const functions = [{ name: "hello", image: "ghcr.io/example/hello:1" }];
    const { urls } = new Functions("fn", { connection, functions, password: "p" });
    return urls;
  });
  expect(names(resources)).toEqual(["fn", "fn-hello"]);
  expect(outputs).toEqual({ hello: "http://localhost/function/hello" });
});

test("Functions: takes Outputs, and says which secret is not among its own", async () => {
  const { resources } = await registered(() => {
    const functions = [{ name: "hello", secrets: ["key"], ...later({ image: "ghcr.io/example/hello:1" }) }];
    const args = later({ password: "p", user: "ops", gatewayPort: 8099 });
    new Functions("fn", { connection, functions, secrets: { key: pulumi.secret("v") }, ...args });
    return {};
  });
  expect(inputs(resources, "fn-gateway")).toMatchObject({ username: "ops", gateway: { port: 8099 } });
  expect(inputs(resources, "fn-hello")).toMatchObject({
    image: "ghcr.io/example/hello:1",
    secretRevisions: { key: 4 },
  });
  await expect(
    registered(() => {
      const functions = [{ name: "hello", image: "a:1", secrets: ["other"] }];
      return new Functions("fn", { connection, functions, password: "p" });
    }),
  ).rejects.toThrow("hello: the secret other is not among the component's secrets");
});

test("Checks: calls the front door, with Outputs as well", async () => {
  const least = await registered(() => {
    new Checks("c", { connection, password: "p" });
    return {};
  });
  expect(names(least.resources)).toEqual(["c", "c-calls"]);
  expect(inputs(least.resources, "c-calls").create).toContain("http://127.0.0.1:80");
  const { resources } = await registered(() => {
    const args = {
      connection,
      password: "p",
      origin: "http://127.0.0.1:8000",
      functions: ["hello"],
      checks: [{ path: "/function/hello" }],
    };
    new Checks("c", later(args));
    return {};
  });
  for (const part of ["http://127.0.0.1:8000", "/function/hello"])
    expect(inputs(resources, "c-calls").create).toContain(part);
});

describe("arguments that do not go together name the component and the argument", () => {
  test.each<[string, () => object]>([
    [
      "Nginx w: keepalive: 64: must be below workerConnections 64",
      () => new Nginx("w", { workerConnections: 64 }),
    ],
    ["Nginx w: workerConnections: 10240: is above openFiles 8192", () => new Nginx("w", { openFiles: 8192 })],
    [
      "Nginx w: httpPort: 8080: is used by two listeners: gatewayPort has 8080 too",
      () => new Nginx("w", { httpPort: 8080 }),
    ],
    ["Nginx w: asyncBody:", () => new Nginx("w", { asyncBody: "much" })],
    [
      'OpenFaaS f: readTimeout: "10s": is below upstreamTimeout 290s',
      () => new OpenFaaS("f", { readTimeout: "10s" }),
    ],
    [
      "OpenFaaS f: alerts.email.username:",
      () =>
        new OpenFaaS("f", {
          alerts: {
            email: {
              to: ["a@example.no"],
              from: "a@example.no",
              smarthost: "a.example.no:25",
              username: "a",
            },
          },
        }),
    ],
    [
      "DockerEngine d: version:",
      () => new DockerEngine("d", { source: "distro", version: "5:24.0.2-1~ubuntu.18.04~bionic" }),
    ],
    ["Host h: base.packages.0:", () => new Host("h", { connection, base: { packages: ["docker-ce"] } })],
    ["Host h: backlog: 1:", () => new Host("h", { connection, backlog: 1 })],
    ["connection.jump.address:", () => new Host("h", { connection: { ...connection, jump: connection } })],
    ["Swarm s: addressPool:", () => new Swarm("s", { addressPool: "10.0.0.0/30" })],
    [
      "Functions fn: gatewayPort: 0:",
      () => new Functions("fn", { connection, functions: [], password: "p", gatewayPort: 0 }),
    ],
  ])("%s", async (message, make) => {
    await expect(registered(make)).rejects.toThrow(message);
  });

  test("an argument that nobody gave is not compared with what the component cannot know", async () => {
    const { resources } = await registered(() => {
      new Nginx("w", { proxyReadTimeout: "30s" });
      return {};
    });
    expect(inputs(resources, "w-conf").content).toContain("proxy_read_timeout 30s;");
  });
});
