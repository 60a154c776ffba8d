import { once } from "node:events";
import { createServer, request, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { Addresses } from "../../../../services/swarm-provider/src/addresses";
import { buildApp } from "../../../../services/swarm-provider/src/app";
import { readConfig } from "../../../../services/swarm-provider/src/config";
import { Directory } from "../../../../services/swarm-provider/src/directory";
import { parseTarget } from "../../../../services/swarm-provider/src/proxy";
import { FakeEngine } from "./fakeEngine";

describe("the target of a call", () => {
  test.each([
    ["/function/f", "f", "/"],
    ["/function/f/", "f", "/"],
    ["/function/f?a=1", "f", "/?a=1"],
    ["/function/f/x/y?a=%2F&b", "f", "/x/y?a=%2F&b"],
    ["/function/f//x/../y", "f", "//x/../y"],
    ["/function/f/%2e%2e/x", "f", "/%2e%2e/x"],
    ["/function/f.openfaas-fn/x", "f", "/x"],
    ["/function/f.other/x", "f.other", "/x"],
  ])("of %s is %s with %s", (url, name, path) =>
    expect(parseTarget(url, "openfaas-fn")).toEqual({ name, path }),
  );

  test("of anything else is undefined", () =>
    expect(parseTarget("/system/functions", "openfaas-fn")).toBeUndefined());
});

describe("a proxied call", () => {
  let engine: FakeEngine;
  let app: FastifyInstance;
  let replicas: Server[];
  let addresses: string[];
  let port: number;

  /** A replica on an address of its own of the loopback network, all on one port, as in a swarm. */
  async function replica(address: string, listener: RequestListener): Promise<Server> {
    const server = createServer(listener);
    server.listen(port, address);
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
    replicas.push(server);
    return server;
  }

  async function start(env: Record<string, string> = {}): Promise<void> {
    const config = readConfig({
      docker_socket: engine.socket,
      write_timeout: "400ms",
      function_port: String(port),
      ...env,
    });
    const resolve = async (host: string) => (host === "f.openfaas-fn" ? addresses : []);
    app = buildApp({ ...config, logLevel: "silent" }, { addresses: new Addresses(resolve) });
    await app.listen({ host: "127.0.0.1", port: 0 });
  }

  beforeEach(async () => {
    engine = await new FakeEngine().start();
    engine.addService("f");
    engine.addService("nats", { Labels: {} });
    replicas = [];
    addresses = ["127.0.0.2"];
    port = 0;
  });

  afterEach(async () => {
    for (const server of replicas) server.closeAllConnections();
    await Promise.all(replicas.map((server) => new Promise((done) => server.close(done))));
    app.server.closeAllConnections();
    await app.close();
    await engine.stop();
  });

  function send(method: string, path: string, headers = {}, body?: string): Promise<IncomingMessage> {
    return new Promise((done, fail) => {
      const target = {
        host: "127.0.0.1",
        port: (app.server.address() as AddressInfo).port,
        method,
        path,
        headers,
        agent: false,
      };
      request(target as object, done)
        .on("error", fail)
        .end(body);
    });
  }

  async function call(method: string, path: string, headers = {}, body?: string) {
    const answer = await send(method, path, headers, body);
    let text = "";
    for await (const chunk of answer.setEncoding("utf8")) text += chunk;
    return { status: answer.statusCode, headers: answer.headers, raw: answer.rawHeaders, text };
  }

  test("brings status, headers and body back as they are", async () => {
    await replica("127.0.0.2", (_request, response) => {
      response.writeHead(418, "Tea", [
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
        ["connection", "x-private"],
        ["x-private", "1"],
      ] as never);
      response.end("short and stout");
    });
    await start();
    const answer = await call("GET", "/function/f/");
    expect(answer).toMatchObject({ status: 418, text: "short and stout" });
    expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(answer.headers).not.toHaveProperty("x-private");
  });

  test.each([
    ["the answer's", "text/html", "image/png", "text/html"],
    ["the request's", undefined, "image/png", "image/png"],
    ["plain text", undefined, undefined, "text/plain"],
  ])("has a type: %s", async (_what, given, sent, expected) => {
    await replica("127.0.0.2", (_request, response) =>
      response.writeHead(200, given ? { "content-type": given } : {}).end("x"),
    );
    await start();
    expect(
      (await call("POST", "/function/f", sent ? { "content-type": sent } : {}, "x")).headers["content-type"],
    ).toBe(expected);
  });

  test("is not made to a service that is not a function", async () => {
    let calls = 0;
    await replica("127.0.0.2", (_request, response) => void response.end(String(++calls)));
    await start();
    for (const name of ["nats", "absent", "nats.openfaas-fn", "f.other", "127.0.0.2", "f%2f..%2fnats"])
      expect([name, (await call("GET", `/function/${name}/`)).status]).toEqual([name, 404]);
    expect(calls).toBe(0);
  });

  test("asks the engine for names rarely, whatever is called", async () => {
    await replica("127.0.0.2", (_request, response) => void response.end());
    await start();
    await call("GET", "/function/f");
    const before = engine.asked.length;
    for (let i = 0; i < 30; i++) await call("GET", `/function/${i % 2 ? "f" : `nonsense-${i}`}`);
    expect(engine.asked.length - before).toBeLessThanOrEqual(2);
  });

  test("waits for a replica that is about to listen, and sends the body once", async () => {
    await replica("127.0.0.3", (_request, response) => void response.end());
    let calls = 0;
    setTimeout(() => {
      void replica("127.0.0.2", (incoming, response) => {
        calls++;
        incoming.pipe(response);
      });
    }, 500);
    await start();
    expect(await call("POST", "/function/f", {}, "precious")).toMatchObject({
      status: 200,
      text: "precious",
    });
    expect(calls).toBe(1);
  });

  test("goes to another replica when one takes no connection", async () => {
    await replica("127.0.0.2", (_request, response) => void response.end("alive"));
    addresses = ["127.0.0.3", "127.0.0.2", "127.0.0.4"];
    await start();
    const answers = await Promise.all(Array.from({ length: 10 }, () => call("POST", "/function/f", {}, "x")));
    expect(answers.every(({ text }) => text === "alive")).toBe(true);
  });

  test("is not repeated once its body was on the way", async () => {
    let calls = 0;
    await replica("127.0.0.2", (incoming) => {
      calls++;
      incoming.once("data", () => incoming.socket.destroy());
    });
    await start();
    expect(await call("POST", "/function/f", {}, "x")).toMatchObject({
      status: 502,
      text: "Can't reach service for: f.",
    });
    expect(calls).toBe(1);
  });

  test("without a replica is 503, in bounded time", async () => {
    await replica("127.0.0.2", (_request, response) => void response.end());
    addresses = [];
    await start();
    expect(await call("GET", "/function/f")).toMatchObject({
      status: 503,
      text: "No endpoints available for: f.",
    });
  });

  test("to a function that says nothing is 504", async () => {
    await replica("127.0.0.2", () => undefined);
    await start();
    const started = Date.now();
    expect(await call("GET", "/function/f")).toMatchObject({
      status: 504,
      text: "Function f did not answer in time.",
    });
    expect(Date.now() - started).toBeLessThan(3000);
  });

  test("whose answer breaks off is broken off, not ended", async () => {
    await replica("127.0.0.2", (incoming, response) => {
      response.write("half");
      setTimeout(() => incoming.socket.destroy(), 100);
    });
    await start();
    await expect(call("GET", "/function/f")).rejects.toThrow(/aborted/);
  });

  test("ends at the function when the client goes", async () => {
    let ended: () => void = () => undefined;
    const gone = new Promise<void>((done) => (ended = done));
    await replica("127.0.0.2", (incoming, response) => {
      incoming.socket.once("close", ended);
      response.write("begun");
    });
    await start({ write_timeout: "60s" });
    const answer = await send("GET", "/function/f");
    answer.destroy();
    await gone;
  });

  test("goes to the replica with the least under way", async () => {
    const slow = (_request: IncomingMessage, response: import("node:http").ServerResponse) =>
      void setTimeout(() => response.end("slow"), 300);
    await replica("127.0.0.2", slow);
    await replica("127.0.0.3", (_request, response) => void response.end("quick"));
    addresses = ["127.0.0.2", "127.0.0.3"];
    await start();
    const first = await Promise.all([call("GET", "/function/f"), call("GET", "/function/f")]);
    expect(first.map(({ text }) => text).sort()).toEqual(["quick", "slow"]);
  });

  test("with two lengths is refused before it gets anywhere", async () => {
    let calls = 0;
    await replica("127.0.0.2", (_request, response) => void response.end(String(++calls)));
    await start();
    const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
    socket.write(
      "POST /function/f HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    );
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400/);
    expect(calls).toBe(0);
  });

  test("under way is finished when the provider ends", async () => {
    await replica("127.0.0.2", (_request, response) => void setTimeout(() => response.end("finished"), 300));
    await start();
    const answer = call("GET", "/function/f");
    await sleep(100);
    await app.close();
    expect((await answer).text).toBe("finished");
  });

  test("brings trailers, both ways", async () => {
    await replica("127.0.0.2", async (request, response) => {
      for await (const chunk of request) void chunk;
      response.writeHead(200, { trailer: "x-sum, x-sum-too" });
      response.write("body");
      response.addTrailers([
        ["X-Sum", request.trailers["x-sum"] ?? "none"],
        ["X-Sum-Too", "b"],
      ] as never);
      response.end();
    });
    await start();
    const address = {
      host: "127.0.0.1",
      port: (app.server.address() as AddressInfo).port,
      agent: false as const,
    };
    const answer = await new Promise<IncomingMessage>((done, fail) => {
      const headers = { trailer: "x-sum", "transfer-encoding": "chunked" };
      const sent = request({ ...address, method: "POST", path: "/function/f", headers }, done).on(
        "error",
        fail,
      );
      sent.write("a");
      sent.addTrailers({ "x-sum": "42" });
      sent.end();
    });
    let text = "";
    for await (const chunk of answer.setEncoding("utf8")) text += chunk;
    expect({ text, trailers: answer.trailers }).toEqual({
      text: "body",
      trailers: { "x-sum": "42", "x-sum-too": "b" },
    });
  });

  test("with trailers announced is cut off when the function breaks off", async () => {
    await replica("127.0.0.2", (_request, response) => {
      response.writeHead(200, { trailer: "x-sum" });
      response.write("half", () => response.destroy());
    });
    await start();
    await expect(call("GET", "/function/f")).rejects.toThrow("aborted");
  });

  describe("that asks for another protocol", () => {
    const handshake = (path: string) =>
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-Mine: 1\r\n\r\n`;

    /** What the client gets until the connection ends. */
    async function converse(path: string, more: string, untilText: string): Promise<string> {
      const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
      socket.write(handshake(path));
      let text = "";
      socket.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        if (text.endsWith("\r\n\r\n") && text.includes(" 101 ")) socket.write(more);
        if (text.endsWith(untilText)) socket.end();
      });
      await once(socket, "close");
      return text;
    }

    test("gets the function's connection, with its headers", async () => {
      const server = await replica("127.0.0.2", () => undefined);
      server.on("upgrade", (request, socket) => {
        const seen = `${request.url} ${request.headers.upgrade} ${String(request.headers["x-mine"])} ${request.headers.host}`;
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\nX-Saw: ${seen}\r\n\r\n`,
        );
        socket.pipe(socket);
      });
      await start();
      const text = await converse("/function/f/ws?a=1", "ping pong", "ping pong");
      expect(text).toContain("HTTP/1.1 101 Switching Protocols\r\n");
      expect(text).toContain(`X-Saw: /ws?a=1 echo 1 f.openfaas-fn:${port}\r\n`);
      expect(text.endsWith("\r\n\r\nping pong")).toBe(true);
    });

    test("gets the answer of a function that knows no other", async () => {
      await replica("127.0.0.2", (_request, response) => {
        response.writeHead(426, { "x-why": "no" });
        response.end("HTTP only");
      });
      await start();
      const text = await converse("/function/f", "", "never");
      expect(text).toMatch(/^HTTP\/1\.1 426 /);
      expect(text).toContain("x-why: no\r\n");
      expect(text.endsWith("\r\n\r\nHTTP only")).toBe(true);
    });

    test("is refused without the function, or without a replica", async () => {
      await replica("127.0.0.2", () => undefined);
      await start();
      expect(await converse("/function/absent", "", "never")).toMatch(
        /^HTTP\/1\.1 404 [^]*No such function: absent$/,
      );
      expect(await converse("/system/functions", "", "never")).toMatch(/^HTTP\/1\.1 404 /);
      addresses = [];
      expect(await converse("/function/f", "", "never")).toMatch(
        /^HTTP\/1\.1 503 [^]*No endpoints available/,
      );
    });

    test("ends with the provider", async () => {
      const server = await replica("127.0.0.2", () => undefined);
      server.on("upgrade", (_request, socket) => {
        socket
          .on("error", () => undefined)
          .on("end", () => socket.end())
          .resume();
        socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
      });
      await start();
      const ended = converse("/function/f", "", "never");
      await sleep(100);
      await app.close();
      expect(await ended).toContain(" 101 ");
    });
  });

  describe("of a function at zero", () => {
    /** As the engine has it: at zero until it is scaled, and with a replica in DNS a moment after that. */
    async function asleep(labels: object, env: Record<string, string> = {}): Promise<void> {
      await replica("127.0.0.2", (request, response) => request.pipe(response));
      addresses = [];
      engine.addService("f", {
        Labels: { "com.openfaas.function": "f", ...labels },
        Mode: { Replicated: { Replicas: 0 } },
      });
      engine.services = engine.services.filter(({ Spec }) => Spec.Mode.Replicated.Replicas === 0);
      engine.intercept = ({ method, path, body }) => {
        if (method === "POST" && path.endsWith("/update") && body.Mode.Replicated.Replicas > 0)
          setTimeout(() => {
            addresses = ["127.0.0.2"];
            engine.tasks = [
              { ID: "t", ServiceID: "id-f", DesiredState: "running", Status: { State: "running" } },
            ];
          }, 200);
        return undefined;
      };
      await start({ wake_timeout: "5s", ...env });
    }

    test("wakes it, once for all that wait, and each gets its answer", async () => {
      await asleep({ "com.openfaas.scale.zero": "true", "com.openfaas.scale.min": "2" });
      const answers = await Promise.all(["a", "b", "c"].map((body) => call("POST", "/function/f", {}, body)));
      expect(answers.map(({ status, text }) => `${status} ${text}`)).toEqual(["200 a", "200 b", "200 c"]);
      const updates = engine.asked.filter(({ path }) => path.endsWith("/update"));
      expect(updates.map(({ body }) => body.Mode.Replicated.Replicas)).toEqual([2]);
    });

    test("wakes it also when it fell asleep a moment ago", async () => {
      await asleep({ "com.openfaas.scale.zero": "true" });
      engine.services[0].Spec.Mode.Replicated.Replicas = 1;
      addresses = ["127.0.0.2"];
      expect((await call("GET", "/function/f")).status).toBe(200);
      engine.services[0].Spec.Mode.Replicated.Replicas = 0;
      addresses = [];
      await sleep(1100);
      expect(await call("POST", "/function/f", {}, "body")).toMatchObject({ status: 200, text: "body" });
    });

    test("does not wake it without the label", async () => {
      await asleep({});
      expect((await call("GET", "/function/f")).status).toBe(503);
      expect(engine.changes()).toEqual([]);
    });

    test("does not wait for ever", async () => {
      await asleep({ "com.openfaas.scale.zero": "true" }, { wake_timeout: "300ms" });
      engine.intercept = undefined;
      expect(await call("GET", "/function/f")).toMatchObject({
        status: 503,
        text: "f was at zero and did not start within 0.3 s.",
      });
    });
  });

  test("is counted, by function and status, and no name of a path is", async () => {
    await replica("127.0.0.2", (request, response) => {
      response.statusCode = request.url === "/bad" ? 500 : 200;
      response.end();
    });
    await start();
    for (const path of ["/function/f", "/function/f/x", "/function/f/bad", "/function/absent"])
      await call("GET", path);
    await call("GET", "/system/function/f");
    const { text } = await call("GET", "/metrics");
    expect(text).toContain('provider_function_requests_total{code="200",function="f"} 2\n');
    expect(text).toContain('provider_function_requests_total{code="500",function="f"} 1\n');
    expect(text).toContain('provider_function_requests_in_flight{function="f"} 0\n');
    expect(text).toContain(
      'provider_http_requests_total{code="200",method="GET",path="/system/function/:name"} 1\n',
    );
    expect(text).toMatch(
      /provider_function_request_duration_seconds_bucket\{le="\+Inf",code="200",function="f"\} 2\n/,
    );
    expect(text).not.toContain("absent");
  });
});

describe("addresses", () => {
  test("are asked for once a second, and once for many", async () => {
    let asked = 0;
    let now = 0;
    const addresses = new Addresses(
      async () => [`10.0.0.${++asked}`],
      () => now,
    );
    await Promise.all([addresses.replicas("f"), addresses.replicas("f")]);
    now = 999;
    expect((await addresses.replicas("f")).map((r) => r.address)).toEqual(["10.0.0.1"]);
    now = 1000;
    expect((await addresses.replicas("f")).map((r) => r.address)).toEqual(["10.0.0.2"]);
    expect(asked).toBe(2);
  });

  test("that are none, or cannot be asked for, are asked for at once again", async () => {
    const answers = [async () => [], () => Promise.reject(new Error("ENOTFOUND")), async () => ["10.0.0.1"]];
    const addresses = new Addresses(
      () => answers.shift()!(),
      () => 0,
    );
    const found = [];
    for (let i = 0; i < 3; i++) found.push((await addresses.replicas("f")).length);
    expect(found).toEqual([0, 0, 1]);
  });

  test("that stay keep their connections", async () => {
    let now = 0;
    const lists = [["10.0.0.1", "10.0.0.2"], ["10.0.0.2"]];
    const addresses = new Addresses(
      async () => lists.shift()!,
      () => now,
    );
    const kept = (await addresses.replicas("f")).find((r) => r.address === "10.0.0.2");
    now = 2000;
    expect(await addresses.replicas("f")).toEqual([kept]);
    expect((await addresses.replicas("f"))[0]).toBe(kept);
  });
});

test("the directory stands by what it knows while the engine is away, for a while", async () => {
  let now = 0;
  let fail = false;
  const service = {
    ID: "1",
    Version: { Index: 1 },
    CreatedAt: "",
    Spec: { Name: "f", Labels: { "com.openfaas.function": "f" }, Mode: { Replicated: {} } },
  };
  const directory = new Directory(
    { listFunctions: async () => (fail ? Promise.reject(new Error("away")) : [service]) },
    () => now,
  );
  expect(await directory.has("f")).toBe(true);
  fail = true;
  now = 29_999;
  expect(await directory.has("f")).toBe(true);
  await expect(directory.has("g")).rejects.toThrow("away");
  now = 30_000;
  await expect(directory.has("f")).rejects.toThrow("away");
  fail = false;
  expect(await directory.has("f")).toBe(true);
});

test("the directory tells which functions are called by more than HTTP, and since when they are there", async () => {
  let now = 0;
  const PREFIX = "com.openfaas.annotations.";
  const service = (Name: string, labels: Record<string, string>) => ({
    ID: Name,
    Version: { Index: 1 },
    CreatedAt: "2026-11-28T04:00:00.5Z",
    Spec: { Name, Labels: { "com.openfaas.function": Name, ...labels }, Mode: { Replicated: {} } },
  });
  let services = [
    service("nightly", { [`${PREFIX}topic`]: "cron-function", [`${PREFIX}schedule`]: "@daily" }),
    service("hello", { [`${PREFIX}git.sha`]: "abc", schedule: "of its own" }),
  ];
  const directory = new Directory({ listFunctions: async () => services }, () => now);
  expect(await directory.triggers()).toEqual({
    nightly: {
      annotations: { topic: "cron-function", schedule: "@daily" },
      createdMs: Date.parse("2026-11-28T04:00:00.500Z"),
    },
  });
  services = [];
  now = 2000;
  expect(await directory.triggers()).toEqual({});
});

test("the directory believes no answer that is older than what it was told to forget", async () => {
  const answers: ((services: never[]) => void)[] = [];
  const directory = new Directory({ listFunctions: () => new Promise((done) => answers.push(done)) });
  const service = { Spec: { Name: "f", Labels: { "com.openfaas.function": "f" }, Mode: { Replicated: {} } } };
  const before = directory.has("f");
  // It is deployed meanwhile.
  directory.forget();
  const after = directory.has("f");
  answers[1]!([service] as never[]);
  answers[0]!([]);
  expect(await before).toBe(true);
  expect(await after).toBe(true);
  expect(await directory.has("f")).toBe(true);
});
