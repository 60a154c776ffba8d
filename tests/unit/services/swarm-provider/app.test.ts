import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { buildApp } from "../../../../services/swarm-provider/src/app";
import { readConfig } from "../../../../services/swarm-provider/src/config";
import { chooseApi } from "../../../../services/swarm-provider/src/apiVersion";
import { FakeEngine } from "./fakeEngine";

let engine: FakeEngine;
let app: FastifyInstance;

beforeEach(async () => {
  engine = await new FakeEngine().start();
  start("10s");
});

function start(docker_timeout: string): void {
  const env = { docker_socket: engine.socket, log_level: "error", docker_timeout, delete_timeout: "100ms" };
  app = buildApp({ ...readConfig(env), logLevel: "silent", credentials: { user: "admin", password: "pw" } });
}

afterEach(async () => {
  await app.close();
  await engine.stop();
});

const authorization = `Basic ${Buffer.from("admin:pw").toString("base64")}`;

/** Over a real connection, since what the provider does with connections is part of it. */
async function send(method: string, url: string, body?: string, headers: Record<string, string> = {}) {
  if (!app.server.listening) await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}${url}`, { method, body, headers });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: () => JSON.parse(text) as unknown };
}

async function call(method: string, url: string, payload?: object | string, headers = {}) {
  const body = payload === undefined || typeof payload === "string" ? payload : JSON.stringify(payload);
  return send(method, url, body, { authorization, ...headers });
}

const other = { Labels: {} };
const manager = { status: 503, body: { message: "This node is not a swarm manager. Use docker swarm init" } };

/** In the engine's own words (daemon/server/middleware/version.go of moby 29). */
const tooOld = (version: string) => ({
  status: 400,
  body: {
    message: `client version ${version} is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version`,
  },
});

describe("the engine's API", () => {
  test.each([
    ["1.40", "1.12", "1.40"],
    ["1.41", "1.12", "1.41"],
    ["1.44", "1.24", "1.44"],
    ["1.52", "1.44", "1.44"],
    ["1.60", "1.50", "1.50"],
  ])("of %s down to %s is spoken in %s", (newest, oldest, chosen) =>
    expect(chooseApi(newest, oldest)).toBe(chosen),
  );

  test("is too old below 1.40", () => expect(() => chooseApi("1.39", "1.12")).toThrow(/API is 1\.39; 1\.40/));

  test("is asked for its version once", async () => {
    await call("GET", "/system/functions");
    await call("GET", "/system/functions");
    const paths = engine.asked.map(({ path }) => path);
    expect(paths.filter((path) => path === "/version")).toHaveLength(1);
    expect(paths.slice(1).every((path) => path.startsWith("/v1.41/"))).toBe(true);
  });

  test("of engine 29 is never spoken to in a version that it refuses", async () => {
    engine.apiVersion = "1.52";
    engine.minApiVersion = "1.44";
    engine.intercept = ({ path }) => {
      const version = /^\/v1\.(\d+)\//.exec(path)?.[1];
      return version && Number(version) < 44 ? tooOld(`1.${version}`) : undefined;
    };
    engine.addService("f");
    expect((await call("GET", "/system/functions")).status).toBe(200);
    expect((await call("POST", "/system/scale-function/f", { replicas: 2 })).status).toBe(202);
    expect((await call("GET", "/healthz")).status).toBe(200);
    expect(engine.asked.filter(({ path }) => path.startsWith("/v1.44/")).length).toBeGreaterThan(3);
  });

  test("is asked for its version again when it was replaced by one that refuses ours", async () => {
    engine.addService("f");
    expect((await call("GET", "/system/functions")).status).toBe(200);
    engine.apiVersion = "1.54";
    engine.minApiVersion = "1.44";
    engine.intercept = ({ path }) => (path.startsWith("/v1.41/") ? tooOld("1.41") : undefined);
    expect((await call("POST", "/system/scale-function/f", { replicas: 2 })).status).toBe(202);
    expect(engine.changes()).toEqual(["POST /v1.44/services/id-f/update"]);
  });

  test("that is slow to say its version is not waited for longer than who asks has time", async () => {
    engine.intercept = ({ path }) => (path === "/version" ? "silence" : undefined);
    expect((await call("GET", "/system/functions")).status).toBe(504);
    engine.intercept = undefined;
    expect((await call("GET", "/system/functions")).status).toBe(200);
  });

  test("is asked again when it was away", async () => {
    engine.intercept = ({ path }) =>
      path === "/version" ? { status: 500, body: { message: "starting" } } : undefined;
    expect((await call("GET", "/system/functions")).status).toBe(500);
    engine.intercept = undefined;
    expect((await call("GET", "/system/functions")).status).toBe(200);
  });

  test("that says nothing is not waited for", async () => {
    await app.close();
    start("300ms");
    engine.intercept = ({ path }) => (path.endsWith("/services") ? "silence" : undefined);
    const answer = await call("GET", "/system/functions");
    expect(answer).toMatchObject({
      status: 504,
      text: "list services: the engine did not answer within 0.3 s",
    });
  });

  test("of a node that is not a manager names the cause", async () => {
    engine.intercept = ({ path }) => (path === "/version" ? undefined : manager);
    expect(await call("GET", "/system/functions")).toMatchObject({
      status: 503,
      text: expect.stringContaining("this node is not a swarm manager"),
    });
  });
});

describe("listing", () => {
  test("takes two calls, a third while a function is not whole, and shows functions alone", async () => {
    engine.addService("b");
    engine.addService("a");
    engine.addService("nats", other);
    engine.addService("copied", { Labels: { "com.openfaas.function": "a" } });
    engine.tasks = [{ ServiceID: "id-b", DesiredState: "running", Status: { State: "running" } }];
    await call("GET", "/healthz");
    engine.asked.length = 0;
    const list = (await call("GET", "/system/functions")).json() as {
      name: string;
      labels: object;
      availableReplicas: number;
    }[];
    expect(list[0]?.labels).toEqual({ faas_function: "a" });
    expect(list.map((f) => [f.name, f.availableReplicas])).toEqual([
      ["a", 0],
      ["b", 1],
    ]);
    expect(engine.asked).toHaveLength(3);
    engine.services = engine.services.filter(({ ID }) => ID !== "id-a");
    await call("GET", "/system/functions");
    expect(engine.asked).toHaveLength(5);
  });

  test("of one that begins like another finds the right one", async () => {
    engine.addService("resize-large");
    engine.addService("resize");
    expect((await call("GET", "/system/function/resize")).json()).toMatchObject({ name: "resize" });
    expect((await call("GET", "/system/function/resi")).status).toBe(404);
    expect((await call("GET", "/system/function/id-resize")).status).toBe(404);
  });
});

describe("a deployment", () => {
  const body = { service: "hello", image: "reg.example/hello:1" };

  test("creates a service of its name", async () => {
    expect((await call("POST", "/system/functions", body)).status).toBe(202);
    const created = engine.asked.at(-1)!;
    expect(created).toMatchObject({ method: "POST", path: "/v1.41/services/create" });
    expect(created.body).toMatchObject({
      Name: "hello",
      TaskTemplate: { ContainerSpec: { Image: body.image } },
    });
    expect(created.headers["x-registry-auth"]).toBeUndefined();
  });

  test("that is closed to somebody is refused where no edge closes it", async () => {
    for (const level of ["internal", "token", "networks"]) {
      const annotations = {
        "com.oslo-faas.access": level,
        ...(level === "token" ? { "com.oslo-faas.access-tokens": "0".repeat(64) } : {}),
        ...(level === "networks" ? { "com.oslo-faas.access-networks": "10.0.0.0/8" } : {}),
      };
      for (const method of ["POST", "PUT"])
        expect(await call(method, "/system/functions", { ...body, annotations })).toMatchObject({
          status: 400,
          text: expect.stringContaining("only the edge keeps callers out"),
        });
    }
    expect(engine.changes()).toEqual([]);
    const open = { ...body, annotations: { "com.oslo-faas.access": "public" } };
    expect((await call("POST", "/system/functions", open)).status).toBe(202);
  });

  test("passes on the registry's credentials", async () => {
    const auth = { username: "u", password: "p", serveraddress: "reg.example" };
    const header = Buffer.from(JSON.stringify(auth)).toString("base64");
    await call("POST", "/system/functions", body, { "x-registry-auth": header });
    const sent = engine.asked.at(-1)!.headers["x-registry-auth"] as string;
    expect(JSON.parse(Buffer.from(sent, "base64").toString())).toEqual(auth);
    expect(JSON.stringify(engine.asked.at(-1)!.body)).not.toContain('reg.example"');
  });

  test("keeps the login that it has for its registry, and shows it to no other", async () => {
    const at = (Image: string) => ({ TaskTemplate: { ContainerSpec: { Image } } });
    engine.addService("hello", at("reg.example/hello:0"));
    await call("PUT", "/system/functions", body);
    const kept = engine.asked.at(-1)!;
    expect(kept.query.get("registryAuthFrom")).toBe("spec");
    expect(kept.headers["x-registry-auth"]).toBeUndefined();
    engine.services = [];
    engine.addService("hello", at("theirs.example/hello:1"));
    await call("PUT", "/system/functions", body);
    const dropped = engine.asked.at(-1)!;
    expect(dropped.query.has("registryAuthFrom")).toBe(false);
    expect(Buffer.from(dropped.headers["x-registry-auth"] as string, "base64").toString()).toBe("{}");
  });

  test("keeps its environment out of the engine's addresses", async () => {
    engine.addService("hello", { TaskTemplate: { ContainerSpec: { Image: "reg.example/hello:0" } } });
    await call("PUT", "/system/functions", { ...body, envVars: { TOKEN: "canary" } });
    const update = engine.asked.at(-1)!;
    expect(update.path).toBe("/v1.41/services/id-hello/update");
    expect([...update.query.entries()]).toEqual([
      ["version", "5"],
      ["registryAuthFrom", "spec"],
    ]);
    expect(update.body.TaskTemplate.ContainerSpec.Env).toEqual(["TOKEN=canary"]);
  });

  test("takes JSON with any type, and refuses other bodies without quoting them", async () => {
    const text = JSON.stringify(body);
    expect((await call("POST", "/system/functions", text, { "content-type": "text/plain" })).status).toBe(
      202,
    );
    const bad = await call("POST", "/system/functions", '{"canary', { "content-type": "application/json" });
    expect(bad).toMatchObject({ status: 400, text: "the request's body is not JSON" });
    expect((await call("POST", "/system/functions", "")).status).toBe(400);
  });

  test("of a name that is another service's changes nothing", async () => {
    engine.addService("hello", other);
    expect((await call("POST", "/system/functions", body)).status).toBe(409);
    expect((await call("PUT", "/system/functions", body)).status).toBe(409);
    expect((await call("DELETE", "/system/functions", { functionName: "hello" })).status).toBe(404);
    expect((await call("POST", "/system/scale-function/hello", { replicas: 3 })).status).toBe(404);
    expect(engine.changes()).toEqual([]);
  });

  test("of a function that was created meanwhile is refused", async () => {
    engine.intercept = ({ path }) =>
      path.endsWith("/create")
        ? {
            status: 409,
            body: {
              message: "rpc error: code = AlreadyExists desc = name conflicts with an existing object",
            },
          }
        : undefined;
    expect(await call("POST", "/system/functions", body)).toMatchObject({
      status: 400,
      text: expect.stringContaining("function hello already exists"),
    });
  });

  test("to update what is not there is 404, which faas-cli answers with POST", async () =>
    expect((await call("PUT", "/system/functions", body)).status).toBe(404));

  test("that meets another change is tried again", async () => {
    engine.addService("hello");
    let left = 2;
    engine.intercept = ({ path }) =>
      path.endsWith("/update") && left-- > 0
        ? { status: 500, body: { message: "rpc error: code = Unknown desc = update out of sequence" } }
        : undefined;
    expect((await call("PUT", "/system/functions", body)).status).toBe(202);
    expect(engine.changes()).toHaveLength(3);
  });

  test("that always meets another change gives up", async () => {
    engine.addService("hello");
    engine.intercept = ({ path }) =>
      path.endsWith("/update") ? { status: 500, body: { message: "update out of sequence" } } : undefined;
    expect((await call("PUT", "/system/functions", body)).status).toBe(409);
    expect(engine.changes()).toHaveLength(5);
  });

  test("with a secret that is not a function's is refused", async () => {
    engine.secrets = [{ ID: "s1", Spec: { Name: "mine", Labels: { "com.openfaas.owner": "openfaas" } } }];
    const refused = await call("POST", "/system/functions", { ...body, secrets: ["mine", "theirs"] });
    expect(refused).toMatchObject({
      status: 400,
      text: expect.stringMatching(/^secrets\[1\]: there is no secret theirs/),
    });
    const listed = engine.asked.find(({ path }) => path.endsWith("/secrets"))!;
    expect(listed.query.get("filters")).toContain("com.openfaas.owner=openfaas");
    expect((await call("POST", "/system/functions", { ...body, secrets: ["mine"] })).status).toBe(202);
  });
});

describe("scaling", () => {
  test.each([
    [3, {}, 3],
    [99, {}, 20],
    [99, { "com.openfaas.scale.max": "5" }, 5],
    [30, { "com.openfaas.scale.max": "50" }, 30],
    [0, { "com.openfaas.scale.min": "2" }, 0],
  ])("to %d with labels %j sets %d and nothing else", async (replicas, labels, expected) => {
    engine.addService("f", {
      Labels: { "com.openfaas.function": "f", ...labels },
      Networks: [{ Target: "kept" }],
    });
    expect((await call("POST", "/system/scale-function/f", { replicas })).status).toBe(202);
    expect(engine.asked.at(-1)!.body).toEqual({
      ...engine.services[0].Spec,
      Mode: { Replicated: { Replicas: expected } },
    });
  });

  test.each([
    ["updating", 1, 409],
    ["rollback_started", 1, 409],
    ["completed", 1, 202],
    ["updating", 0, 202],
  ])("while its update is %s with %d replicas is answered %d", async (State, Replicas, status) => {
    engine.addService("f", { Mode: { Replicated: { Replicas } } });
    engine.services[0].UpdateStatus = { State };
    expect((await call("POST", "/system/scale-function/f", { replicas: 2 })).status).toBe(status);
    expect(engine.changes()).toHaveLength(status === 409 ? 0 : 1);
  });

  test("to what it is already changes nothing", async () => {
    engine.addService("f");
    expect((await call("POST", "/system/scale-function/f", { serviceName: "f", replicas: 1 })).status).toBe(
      202,
    );
    expect(engine.changes()).toEqual([]);
  });

  test.each([{}, { replicas: -1 }, { replicas: 1.5 }, { replicas: "3" }])(
    "by %j is refused",
    async (body) => {
      engine.addService("f");
      expect(await call("POST", "/system/scale-function/f", body)).toMatchObject({
        status: 400,
        text: expect.stringMatching(/^replicas: /),
      });
    },
  );
});

describe("another namespace than the one there is", () => {
  test.each([
    ["GET", "/system/function/f?namespace=other", undefined],
    ["GET", "/system/logs?name=f&namespace=other", undefined],
    ["POST", "/system/scale-function/f", { replicas: 2, namespace: "other" }],
    ["POST", "/system/scale-function/f?namespace=other", { replicas: 2 }],
    ["DELETE", "/system/functions", { functionName: "f", namespace: "other" }],
    ["DELETE", "/system/functions?namespace=other", { functionName: "f" }],
  ])("has no such function: %s %s", async (method, path, body) => {
    engine.addService("f");
    expect(await call(method, path, body)).toMatchObject({ status: 404, text: "No such function: f" });
    expect(engine.changes()).toEqual([]);
  });
});

test.each(["functions", "secrets"])("another namespace has no %s", async (what) => {
  engine.addService("f");
  engine.secrets = [{ ID: "s", Spec: { Name: "s", Labels: { "com.openfaas.owner": "openfaas" } } }];
  expect((await call("GET", `/system/${what}?namespace=other`)).json()).toEqual([]);
  expect((await call("GET", `/system/${what}?namespace=openfaas-fn`)).json()).toHaveLength(1);
});

describe("an update of a function that sleeps", () => {
  test.each([
    ["leaves it asleep", { "com.openfaas.scale.zero": "true" }, 0],
    ["wakes it when it may not sleep any more", {}, 1],
    ["gives it its least number then", { "com.openfaas.scale.min": "2" }, 2],
  ])("%s", async (_what, labels, replicas) => {
    engine.addService("f", {
      Labels: { "com.openfaas.function": "f", "com.openfaas.scale.zero": "true" },
      Mode: { Replicated: { Replicas: 0 } },
    });
    expect((await call("PUT", "/system/functions", { service: "f", image: "a:1", labels })).status).toBe(202);
    expect(engine.asked.at(-1)!.body.Mode).toEqual({ Replicated: { Replicas: replicas } });
  });
});

describe("removal", () => {
  test.each([
    ["at once", "", "running", 200],
    ["after a wait when requests are still being finished", "?wait=true", "running", 202],
    ["after a wait when its last replica has ended", "?wait=true", "shutdown", 200],
  ])("is answered %s", async (_when, query, State, status) => {
    engine.addService("f");
    engine.tasks = [{ ServiceID: "id-f", DesiredState: "shutdown", Status: { State } }];
    expect((await call("DELETE", `/system/functions${query}`, { functionName: "f" })).status).toBe(status);
    expect(engine.asked.some(({ path }) => path.endsWith("/tasks"))).toBe(query !== "");
  });

  test.each([{}, { functionName: "" }, { functionName: 1 }, undefined])("of %j is refused", async (body) => {
    expect(await call("DELETE", "/system/functions", body)).toMatchObject({
      status: 400,
      text: expect.stringMatching(/^functionName: /),
    });
  });
});

describe("who may call", () => {
  test.each([
    ["GET", "/system/functions"],
    ["POST", "/system/functions"],
    ["GET", "/system/function/f"],
    ["POST", "/system/scale-function/f"],
    ["GET", "/system/info"],
    ["GET", "/system/namespaces"],
    ["GET", "/system/secrets"],
    ["GET", "/system/logs"],
  ] as const)("%s %s needs credentials", async (method, url) => {
    const answer = await send(method, url);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain("Basic");
    expect(engine.asked).toEqual([]);
  });

  test("health needs none, and is the engine's too", async () => {
    expect((await send("GET", "/healthz")).status).toBe(200);
    engine.intercept = () => ({ status: 500, body: { message: "no" } });
    expect((await send("GET", "/healthz")).status).toBe(500);
  });

  test("what is not there is 404", async () => {
    expect((await send("GET", "/nothing")).status).toBe(404);
    expect((await call("GET", "/system/nothing")).status).toBe(404);
  });
});
