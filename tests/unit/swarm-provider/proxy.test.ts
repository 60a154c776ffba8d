import { once } from "node:events";
import { createServer, request, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { Addresses } from "../../../services/swarm-provider/src/addresses";
import { buildApp } from "../../../services/swarm-provider/src/app";
import { readConfig } from "../../../services/swarm-provider/src/config";
import { Directory } from "../../../services/swarm-provider/src/directory";
import { parseTarget } from "../../../services/swarm-provider/src/proxy";
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

  test("of anything else is none", () =>
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

  test("is not made to what is no function", async () => {
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
      () => answers.shift()!() as Promise<string[]>,
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

test("the directory forgets nothing it cannot ask for, and asks again", async () => {
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
  now = 1999;
  expect(await directory.has("f")).toBe(true);
  now = 2000;
  await expect(directory.has("f")).rejects.toThrow("away");
  fail = false;
  expect(await directory.has("f")).toBe(true);
});
