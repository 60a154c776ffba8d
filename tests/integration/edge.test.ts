/** The edge as it runs: a real HAProxy under the configuration that is rendered, told of replicas by the provider's own code. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { EMPTY_MAP, renderEdge } from "../../components/openfaas/edge";
import { REPLICA_MAP } from "../../shared/edge";
import { Edge } from "../../services/swarm-provider/src/edge";
import { listenForCalls } from "../../services/swarm-provider/src/edge/calls";
import { FUNCTION_LABEL } from "../../services/swarm-provider/src/deployment";
import type { ServiceRecord, TaskRecord } from "../../services/swarm-provider/src/records";
import { unpackedPackages } from "./debian";

const LIBRARIES = ["liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1", "libpcre2-8-0"];
const NETWORK = "openfaas-fn";

let dir: string;
let program: { file: string; libraries: string };
let haproxy: ChildProcess;
let edge: Edge;
let calls: string[];
let counter: net.Server;
let now: number;
/** Addresses of ready replicas, by function. */
let replicas: Record<string, string[]>;
let zero: Set<string>;
const servers: http.Server[] = [];

interface Seen {
  who: string;
  method: string;
  url: string;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** A replica, or the gateway: says what it was asked. */
async function serve(who: string, host: string, port: number): Promise<http.Server> {
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method, url, headers } = request;
      if (url === "/break") return void request.socket.destroy();
      response.setHeader("X-Own", "as it was");
      response.end(JSON.stringify({ who, method, url, headers, body: Buffer.concat(chunks).toString() }));
    });
  });
  server.on("upgrade", (_request, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    socket.pipe(socket);
  });
  await new Promise<void>((done, fail) => server.once("error", fail).listen(port, host, done));
  servers.push(server);
  return server;
}

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
  seen?: Seen;
}

function call(url: string, options: http.RequestOptions = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socketPath = path.join(dir, "door/edge.sock");
    const request = http.request({ socketPath, path: url, agent: false, ...options }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.once("error", reject).once("end", () => {
        const seen = text.startsWith("{") ? (JSON.parse(text) as Seen) : undefined;
        resolve({ status: response.statusCode!, headers: response.headers, text, seen });
      });
    });
    request.once("error", reject).end(body);
  });
}

function startHaproxy(): ChildProcess {
  const env = { ...process.env, LD_LIBRARY_PATH: program.libraries };
  return spawn(program.file, ["-W", "-db", "-f", path.join(dir, "haproxy.cfg")], { env, stdio: "ignore" });
}

async function until(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (await is()) return;
    await new Promise((next) => setTimeout(next, 100));
  }
  throw new Error(`waited for ${what} in vain`);
}

const isReachable = () =>
  call("/").then(
    () => true,
    () => false,
  );

const service = (name: string): ServiceRecord => ({
  ID: `id-${name}`,
  Version: { Index: 1 },
  CreatedAt: "2026-01-01T00:00:00Z",
  Spec: {
    Name: name,
    Labels: { [FUNCTION_LABEL]: name },
    Mode: { Replicated: { Replicas: zero.has(name) ? 0 : replicas[name]!.length } },
  },
});
const task = (name: string, address: string): TaskRecord => ({
  ID: `${name}-${address}`,
  ServiceID: `id-${name}`,
  DesiredState: "running",
  Status: { State: "running" },
  NetworksAttachments: [{ Network: { Spec: { Name: NETWORK } }, Addresses: [`${address}/24`] }],
});

beforeAll(async () => {
  const folder = unpackedPackages("haproxy", ...LIBRARIES);
  program = {
    file: path.join(folder, "usr/sbin/haproxy"),
    libraries: path.join(folder, "usr/lib", `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`),
  };
  await serve("gateway", "127.0.7.1", 8080);
  for (const host of ["127.0.7.2", "127.0.7.3"]) await serve(host, host, 8080);
}, 400_000);

beforeEach(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-edge-"));
  for (const name of ["run", "door"]) fs.mkdirSync(path.join(dir, name));
  fs.writeFileSync(path.join(dir, "replicas.map"), EMPTY_MAP);
  const config = renderEdge({ upstreamTimeout: "2s" })
    .replace("fd-hard-limit 40000", "fd-hard-limit 2000")
    .replace(/server gateway gateway:8080.*/, "server gateway 127.0.7.1:8080")
    .replaceAll("/run/edge/", `${dir}/run/`)
    .replaceAll("/door/", `${dir}/door/`)
    .replaceAll(REPLICA_MAP, `${dir}/replicas.map`);
  fs.writeFileSync(path.join(dir, "haproxy.cfg"), config);
  calls = [];
  replicas = {};
  zero = new Set();
  now = Date.now();
  counter = listenForCalls(
    `${dir}/run/calls.sock`,
    (name, code) => calls.push(`${name} ${code}`),
    (error) => calls.push(String(error)),
  );
  haproxy = startHaproxy();
  await until("HAProxy", isReachable);
  const engine = {
    listFunctions: async () => Object.keys(replicas).map(service),
    listRunningTasks: async () =>
      Object.entries(replicas).flatMap(([name, hosts]) => hosts.map((host) => task(name, host))),
  };
  const log = { info: () => undefined, warn: () => undefined };
  edge = new Edge(
    engine,
    { ready: async (tasks) => tasks },
    { asReported: (one) => one },
    { socket: `${dir}/run/admin.sock`, map: `${dir}/replicas.map`, network: NETWORK, log },
    () => now,
  );
});

afterEach(async () => {
  counter.close();
  const gone = new Promise((done) => haproxy.once("exit", done));
  haproxy.kill("SIGTERM");
  await gone;
  fs.rmSync(dir, { recursive: true });
});
afterAll(() => servers.forEach((server) => server.close()));

test("a call reaches a replica byte by byte, with the headers that the gateway adds", async () => {
  replicas = { hello: ["127.0.7.2"] };
  await edge.tell();
  const headers = { Host: "faas.example.no:8443", X_Signature: "a", "x.trace": "b" };
  const {
    status,
    headers: answered,
    seen,
  } = await call("/function/hello/a%2e%2e//b%3F?x=%25&y", { method: "POST", headers }, "body");
  expect({ status, own: answered["x-own"] }).toEqual({ status: 200, own: "as it was" });
  expect(seen).toMatchObject({
    who: "127.0.7.2",
    method: "POST",
    url: "/a%2e%2e//b%3F?x=%25&y",
    body: "body",
  });
  expect(seen!.headers).toMatchObject({
    host: "hello.openfaas-fn:8080",
    "x-forwarded-host": "faas.example.no:8443",
    x_signature: "a",
    "x.trace": "b",
    "x-call-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
    "x-start-time": expect.stringMatching(/^\d{19}$/),
  });
  expect(answered).toMatchObject({
    "x-call-id": seen!.headers["x-call-id"],
    "x-start-time": seen!.headers["x-start-time"],
  });
  const own = await call("/function/hello.openfaas-fn", { headers: { "X-Call-Id": "mine" } });
  expect(own.seen).toMatchObject({ who: "127.0.7.2", url: "/", headers: { "x-call-id": "mine" } });
  await until("the calls to be counted", () => calls.length === 2);
  expect(calls).toEqual(["hello 200", "hello 200"]);
  expect(await edge.invocations()).toEqual(new Map([["hello", { started: 2, ended: 2 }]]));
});

test("all replicas get their share, and one that ends gets none", async () => {
  replicas = { hello: ["127.0.7.2", "127.0.7.3"] };
  await edge.tell();
  const who = async () => (await call("/function/hello")).seen!.who;
  const first = await Promise.all(Array.from({ length: 40 }, who));
  expect(new Set(first)).toEqual(new Set(["127.0.7.2", "127.0.7.3"]));
  replicas = { hello: ["127.0.7.3"] };
  await edge.tell();
  expect(new Set(await Promise.all(Array.from({ length: 20 }, who)))).toEqual(new Set(["127.0.7.3"]));
});

test("the gateway gets what the edge was not told of, and no other path", async () => {
  replicas = { hello: ["127.0.7.2"], sleeper: ["127.0.7.3"] };
  zero = new Set(["sleeper"]);
  await edge.tell();
  for (const name of ["other", "sleeper", "hello:0", ".", "hello%00", ""])
    expect((await call(`/function/${name}/x?y`)).seen).toMatchObject({
      who: "gateway",
      url: `/function/${name}/x?y`,
    });
  for (const url of [
    "/system/functions",
    "/ui/",
    "/",
    "/functions",
    "//function/hello",
    "/x/../function/hello",
  ])
    expect((await call(url)).status).toBe(404);
  expect(calls).toEqual([]);
});

test("the gateway gets a call whose replica takes no connection, whole and once", async () => {
  replicas = { hello: ["127.0.7.9"] };
  await edge.tell();
  const { seen } = await call("/function/hello/a?b", { method: "POST", headers: { Host: "x" } }, "body");
  expect(seen).toMatchObject({ who: "gateway", method: "POST", url: "/function/hello/a?b", body: "body" });
  expect(seen!.headers["x-forwarded-host"]).toBe("x");
});

test("a call that a replica has begun is not made again", async () => {
  replicas = { hello: ["127.0.7.2"] };
  await edge.tell();
  const { status, text } = await call("/function/hello/break", { method: "POST" }, "body");
  expect({ status, text }).toEqual({ status: 502, text: "The function broke the connection off.\n" });
});

test("what was told half a minute ago is not trusted", async () => {
  replicas = { hello: ["127.0.7.2"] };
  now -= 31_000;
  await edge.tell();
  expect((await call("/function/hello")).seen!.who).toBe("gateway");
  now = Date.now();
  await edge.tell();
  expect((await call("/function/hello")).seen!.who).toBe("127.0.7.2");
});

test("one that was started anew is told again, and the one before ends when its calls have", async () => {
  replicas = { hello: ["127.0.7.2"] };
  await edge.tell();
  const before = haproxy;
  haproxy = startHaproxy();
  await until("the new one", async () => (await call("/function/hello")).seen!.who === "gateway");
  const gone = new Promise((done) => before.once("exit", done));
  before.kill("SIGUSR1");
  await gone;
  await edge.tell();
  expect((await call("/function/hello")).seen!.who).toBe("127.0.7.2");
});

test("a thousand functions are told at once", async () => {
  replicas = Object.fromEntries(Array.from({ length: 1000 }, (_one, at) => [`fn-${at}`, ["127.0.7.2"]]));
  await edge.tell();
  expect((await call("/function/fn-999")).seen!.who).toBe("127.0.7.2");
});

test("a connection becomes what both ends want", async () => {
  replicas = { hello: ["127.0.7.2"] };
  await edge.tell();
  const echoed = await new Promise<string>((resolve, reject) => {
    const socketPath = path.join(dir, "door/edge.sock");
    const headers = { Connection: "Upgrade", Upgrade: "echo" };
    const request = http.request({ socketPath, path: "/function/hello", headers, agent: false });
    request.once("upgrade", (_response, socket) => {
      socket.once("data", (data: Buffer) => {
        socket.destroy();
        resolve(data.toString());
      });
      socket.write("ping");
    });
    request.once("error", reject).end();
  });
  expect(echoed).toBe("ping");
});

test("without HAProxy the provider says so", async () => {
  haproxy.kill("SIGTERM");
  await new Promise((done) => haproxy.once("exit", done));
  await expect(edge.tell()).rejects.toThrow(/ECONNREFUSED|ENOENT/);
  expect(await edge.metrics()).toBe("");
  haproxy = startHaproxy();
  await until("HAProxy", isReachable);
});

test("the configuration is without a warning", () => {
  const args = ["-c", "-f", path.join(dir, "haproxy.cfg")];
  const env = { ...process.env, LD_LIBRARY_PATH: program.libraries };
  const { status, stderr } = spawnSync(program.file, args, { env, encoding: "utf8" });
  expect({ status, said: stderr.match(/.*(WARNING|ALERT).*/g) }).toEqual({ status: 0, said: null });
});
