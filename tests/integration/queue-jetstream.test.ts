/** The queue's intake and worker with a real NATS, and calls moved out of a real NATS Streaming. The gateway is one HTTP server. */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { connect } from "@nats-io/transport-node";
import { connect as connectStan, type Stan } from "node-nats-streaming";
import { natsStreamingArgs } from "../../components/openfaas/render";
import { parseEnvironment } from "../../environment/parse";
import type { DeadCallDetails, QueueAnswers, QueueRequest, Selection } from "../../shared/deadCalls";
import { CALLS, MONITOR_PATHS, queueState } from "../../shared/queueState";
import type { QueueSettings } from "../../shared/queueSettings";
import { buildGoProgram } from "./goProgram";
import { configureNats, killNats, startNats, until } from "./natsBed";
import { freePort } from "./sshd";
import { Acceptor } from "../../services/queue/src/accept";
import { Bridge } from "../../services/queue/src/bridge";
import type { QueuedCall } from "../../services/queue/src/call";
import { type Config, readConfig } from "../../services/queue/src/config";
import { DeadCalls } from "../../services/queue/src/dead";
import { answerOf } from "../../services/queue/src/deadCommand";
import { JetStream, NotAccepted } from "../../services/queue/src/jetstream";
import { Lanes } from "../../services/queue/src/lanes";
import { Mover } from "../../services/queue/src/natsStreaming";
import { Worker } from "../../services/queue/src/worker";

jest.setTimeout(120_000);

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
const CLUSTER = "faas-cluster";
const quiet = () => undefined;

let dir: string;
let config: Config;
let nats: ChildProcess;
const ports = { nats: 0, monitor: 0, gateway: 0, old: 0 };
const closers: (() => unknown)[] = [];
/** What the gateway was asked, by body. */
let made: Map<string, number>;
let answer: (url: string, response: http.ServerResponse, headers: http.IncomingHttpHeaders) => void;

function start(): void {
  nats = startNats(dir);
}

beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-jetstream-"));
  for (const part of ["nats", "nats-streaming"]) buildGoProgram(part, dir);
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      made.set(body, (made.get(body) ?? 0) + 1);
      answer(request.url!, response, request.headers);
    });
  });
  await new Promise<void>((done) => server.listen(ports.gateway, "127.0.0.1", done));
  closers.push(() => (server.close(), server.closeAllConnections()));
}, 900_000);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
  fs.rmSync(dir, { recursive: true });
});

function writeConfig(maxBytes: string): void {
  config = readConfig({
    ...configureNats(dir, ports, { maxBytes, maxBody: "100k" }),
    max_inflight: "4",
    max_bytes: String(maxBytes === "1m" ? 1024 ** 2 : 64 * 1024 ** 2),
    retry_attempts: "3",
    retry_min_delay: "100ms",
  });
}

/** What functions say of their asynchronous calls. */
let said: Record<string, QueueSettings>;
const functions = { settings: async (name: string) => said[name] ?? {} };
const opened: { queue: JetStream; lanes?: Lanes }[] = [];

async function setUp(maxBytes = "64m"): Promise<Acceptor> {
  writeConfig(maxBytes);
  fs.rmSync(path.join(dir, "data"), { recursive: true, force: true });
  made = new Map();
  said = {};
  answer = (_url, response) => void response.end();
  start();
  const queue = await JetStream.open(config, "queue-intake-test", quiet);
  opened.push({ queue });
  return new Acceptor(queue);
}

async function startWorker(): Promise<JetStream> {
  const queue = await JetStream.open(config, "queue-worker-test", quiet);
  const lanes = new Lanes(
    queue,
    new Worker(config, quiet, new DeadCalls(queue), functions),
    config,
    functions,
    quiet,
  );
  opened.push({ queue, lanes });
  void lanes.run();
  return queue;
}

afterEach(async () => {
  for (const { queue, lanes } of opened.splice(0)) {
    void lanes?.end();
    await queue.connection.close();
  }
  await killNats(nats);
});

const call = (body: string, changes: Partial<QueuedCall> = {}): QueuedCall => ({
  function: "hello",
  target: `/function/${changes.function ?? "hello"}`,
  headers: {},
  body: Buffer.from(body),
  callId: "",
  attempt: 1,
  acceptedMs: Date.now(),
  ...changes,
});
const bodies = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
const times = (names: string[]) => names.map((name) => made.get(name) ?? 0);
async function state() {
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${ports.monitor}${path}`)).json();
  const said = queueState({ jsz: await ask(MONITOR_PATHS.jsz), connz: await ask(MONITOR_PATHS.connz) });
  // A NATS that starts has no streams for a moment.
  if (!said.counts) throw new Error("not counted");
  return { ...said, counts: said.counts };
}
/** Calls that are not done. */
const depth = async () => (await state()).depth;
const counts = async () => (await state()).counts;

test("every accepted call is made, once, though NATS is killed in between", async () => {
  const acceptor = await setUp();
  const first = bodies("first", 40);
  for (const body of first) expect(await acceptor.accept(call(body))).toBe(true);
  await killNats(nats);
  await expect(acceptor.accept(call("while away"))).rejects.toBeInstanceOf(NotAccepted);
  start();
  let slow = 0;
  answer = (_url, response) => void setTimeout(() => (slow++, response.end()), 200);
  await startWorker();
  await until("some of the calls", () => slow > 4);
  // With calls under way.
  await killNats(nats);
  start();
  await until("all of the calls", () => first.every((body) => made.has(body)));
  await until("an empty queue", async () => (await depth().catch(() => 1)) === 0);
  expect(times(first)).toEqual(first.map(() => 1));
});

test("the same call is accepted once, and a full queue refuses without losing one", async () => {
  const acceptor = await setUp("1m");
  expect(await acceptor.accept(call("Kari", { callId: "one" }))).toBe(true);
  expect(await acceptor.accept(call("Kari", { callId: "one" }))).toBe(false);
  const accepted: string[] = [];
  const full = async () => {
    for (let i = 0; i < 100; i++) {
      const body = `${i} ${"x".repeat(50_000)}`;
      await acceptor.accept(call(body));
      accepted.push(body);
    }
  };
  await expect(full()).rejects.toMatchObject({ isFull: true });
  expect(accepted.length).toBeGreaterThan(10);
  await startWorker();
  await until("an empty queue", async () => (await depth()) === 0);
  expect(times(["Kari", ...accepted])).toEqual(["Kari", ...accepted].map(() => 1));
  expect(await acceptor.accept(call("room again"))).toBe(true);
});

test("a failed call is tried again later, with its number, and does not hold up another function", async () => {
  const acceptor = await setUp();
  const attempts: unknown[] = [];
  answer = (url, response, headers) => {
    if (url.startsWith("/function/slow")) return void setTimeout(() => response.end(), 3000);
    if (!url.startsWith("/function/failing")) return void response.end();
    attempts.push(headers["x-retry-attempt"]);
    response.writeHead(attempts.length < 3 ? 503 : 200).end();
  };
  for (const body of bodies("slow", 50)) await acceptor.accept(call(body, { function: "slow" }));
  await acceptor.accept(call("failing", { function: "failing" }));
  await startWorker();
  await until("the slow function", () => made.has("slow-3"));
  const begun = Date.now();
  await acceptor.accept(call("quick"));
  await until("the quick function", () => made.has("quick"));
  expect(Date.now() - begun).toBeLessThan(2500);
  await until("three attempts", () => attempts.length === 3);
  expect(attempts).toEqual([undefined, "2", "3"]);
  expect(made.size).toBeLessThan(20);
});

const queued = (body: string) =>
  JSON.stringify({ Function: "hello", Header: {}, Body: Buffer.from(body).toString("base64") });

const publish = (stan: Stan, channel: string, data: string) =>
  new Promise<void>((done, fail) =>
    stan.publish(channel, Buffer.from(data), (error) => (error ? fail(new Error(String(error))) : done())),
  );

async function withStan<T>(port: number, work: (stan: Stan) => Promise<T>): Promise<T> {
  const url = `nats://127.0.0.1:${port}`;
  const stan = connectStan(CLUSTER, "faas-publisher-gateway", { url, waitOnFirstConnect: true });
  await new Promise((done, fail) => stan.once("connect", done).once("error", fail));
  try {
    return await work(stan);
  } finally {
    const closed = new Promise((done) => stan.once("close", done));
    stan.close();
    await closed;
  }
}

test("what publishes to NATS Streaming, as the stock gateway does, publishes into JetStream without a password", async () => {
  const acceptor = await setUp();
  new Bridge(opened[0]!.queue, acceptor, CLUSTER, quiet).start();
  await opened[0]!.queue.connection.flush();
  await withStan(ports.nats, async (stan) => {
    await publish(stan, "faas-request", queued("Kari"));
    await expect(publish(stan, "faas-request", '{"Function": "../x"}')).rejects.toThrow("cannot be");
  });
  await startWorker();
  await until("the call", () => made.has("Kari"));
  // Everything else is closed to it.
  const anybody = await connect({ servers: config.nats.url });
  for (const subject of ["$JS.API.INFO", "calls.hello", "$JS.API.STREAM.PURGE.CALLS"])
    await expect(anybody.request(subject, "", { timeout: 2000 })).rejects.toThrow(/permissions violation/i);
  await anybody.close();
});

test("calls of NATS Streaming are moved: those that wait, those delayed, and none twice", async () => {
  const acceptor = await setUp();
  const { openfaas } = parseEnvironment({ host: { address: "198.51.100.7", hostKey: KEY } });
  const args = natsStreamingArgs(openfaas.queue)
    .slice(4)
    .map((arg) => (arg === "/data" ? path.join(dir, "old") : arg));
  const old = spawn(path.join(dir, "nats-streaming-server"), ["-p", String(ports.old), ...args], {
    stdio: "ignore",
  });
  closers.push(() => old.kill("SIGKILL"));
  const waiting = bodies("old", 300);
  await withStan(ports.old, async (stan) => {
    await Promise.all(waiting.map((body) => publish(stan, "faas-request", queued(body))));
    const held = { due: Date.now() + 3_600_000, acceptedMs: Date.now(), data: queued("delayed") };
    await publish(stan, "faas-request-delayed", JSON.stringify(held));
  });
  const from = { url: `nats://127.0.0.1:${ports.old}`, monitor: "", cluster: CLUSTER, group: "faas" };
  const mover = new Mover(from, acceptor, quiet, "queue-mover-test");
  void mover.run();
  await until("the moved calls", () => mover.moved === waiting.length + 1);
  expect(await depth()).toBe(waiting.length + 1);
  mover.end();
  await startWorker();
  await until("an empty queue", async () => (await depth()) === 0);
  expect(times([...waiting, "delayed"])).toEqual([...waiting, "delayed"].map(() => 1));
});

test("a call that failed for good is kept, listed, shown, made again and dropped", async () => {
  const acceptor = await setUp();
  let isWell = false;
  answer = (url, response) =>
    void response.writeHead(isWell || url === "/function/hello" ? 200 : 503).end("no paper");
  const headers = { "X-Order": ["7"], Authorization: ["Bearer canary"] };
  const ask = (request: QueueRequest) => answerOf(new DeadCalls(opened[0]!.queue), request);
  const list = async (selection: Selection, limit = 50) =>
    (await ask({ verb: "list", selection, limit })) as QueueAnswers["list"];
  expect(await list({})).toEqual({ count: 0, calls: [], waiting: {} });
  for (const body of bodies("dead", 5)) await acceptor.accept(call(body, { function: "printer", headers }));
  await acceptor.accept(call("other", { function: "other", callId: "other-1" }));
  await acceptor.accept(call("fine"));
  await startWorker();
  await until("dead calls", async () => (await list({})).count === 6);
  await until("an empty queue", async () => Object.keys((await list({})).waiting).length === 0);
  expect(times(["dead-0", "fine"])).toEqual([3, 1]);

  const { calls } = await list({ function: "other" });
  expect(calls).toMatchObject([
    {
      callId: "other-1",
      status: 503,
      attempts: 3,
      reason: "the last answer was 503",
      answer: "no paper",
      bytes: 5,
    },
  ]);
  expect((await list({ sinceMs: Date.now() + 60_000 })).count).toBe(0);
  expect((await list({}, 2)).calls.map(({ id }) => id)).toEqual([5, 6]);
  const [first] = (await list({ function: "printer" })).calls;
  const one = (await ask({ verb: "show", id: first!.id })) as DeadCallDetails;
  expect(one).toMatchObject({ target: "/function/printer", headers: { "X-Order": ["7"] } });
  expect(Buffer.from(one.body, "base64").toString()).toMatch(/^dead-[0-4]$/);
  expect(JSON.stringify(one)).not.toContain("canary");
  expect(await ask({ verb: "show", id: 99 })).toBeNull();

  expect(await ask({ verb: "drop", selection: { ids: [calls[0]!.id, 99] } })).toBe(1);
  isWell = true;
  expect(await ask({ verb: "retry", selection: { function: "printer" } })).toBe(5);
  await until("the calls made again", async () => times(bodies("dead", 5)).every((count) => count === 4));
  expect((await list({})).count).toBe(0);
});

test("a dead call is kept once NATS is there again", async () => {
  const acceptor = await setUp();
  const dead = new DeadCalls(opened[0]!.queue);
  await acceptor.accept(call("Kari"));
  let attempts = 0;
  answer = (_url, response) => {
    // The answer of its last attempt finds no queue.
    if (++attempts === 3) nats.kill("SIGKILL");
    response.writeHead(503).end();
  };
  await startWorker();
  await until("the last attempt", () => attempts === 3);
  await until("the end of NATS", () => nats.signalCode !== null);
  start();
  await until("the dead call", async () => (await dead.list({}, 1).catch(() => ({ count: 0 }))).count === 1);
  await until("an empty queue", async () => Object.keys(await dead.waiting()).length === 0);
});

test("a function's own concurrency holds, and its failures are told to another function", async () => {
  const acceptor = await setUp();
  said = {
    narrow: { concurrency: 1, attempts: 1, onFailure: "mourner" },
    mourner: { attempts: 1, onFailure: "mourner" },
  };
  let [running, most] = [0, 0];
  const told: http.IncomingHttpHeaders[] = [];
  answer = (url, response, headers) => {
    if (url.startsWith("/function/mourner")) {
      told.push(headers);
      // Nobody is told of this one.
      return void response.writeHead(500).end();
    }
    most = Math.max(most, ++running);
    setTimeout(() => (running--, response.writeHead(500).end()), 50);
  };
  for (const body of bodies("narrow", 5))
    await acceptor.accept(call(body, { function: "narrow", callId: body }));
  await startWorker();
  await until("five reports", () => told.length === 5);
  const dead = new DeadCalls(opened[0]!.queue);
  await until("ten dead calls", async () => (await dead.list({}, 1)).count === 10);
  await until("an empty queue", async () => Object.keys(await dead.waiting()).length === 0);
  expect(most).toBe(1);
  expect(told.map((headers) => headers["x-failed-function"])).toEqual(Array(5).fill("narrow"));
  const reports = [...made.keys()]
    .filter((body) => body.startsWith("{"))
    .map((body) => JSON.parse(body) as object);
  expect(reports).toHaveLength(5);
  expect(reports).toContainEqual(
    expect.objectContaining({
      function: "narrow",
      callId: "narrow-3",
      status: 500,
      attempts: 1,
      target: "/function/narrow",
    }),
  );
  expect(told).toHaveLength(5);
});

test("accepted calls are done, dead or waiting, though workers and NATS are killed; one that vanishes is missed", async () => {
  const acceptor = await setUp();
  answer = (url, response) => void response.writeHead(url === "/function/bad" ? 500 : 200).end();
  for (const body of bodies("good", 20)) await acceptor.accept(call(body));
  for (const body of bodies("bad", 5)) await acceptor.accept(call(body, { function: "bad" }));
  expect(await counts()).toEqual({ accepted: 25, done: 0, died: 0, missing: 0 });
  const first = await startWorker();
  const count = first.countDone.bind(first);
  let counted = 0;
  // Killed after its call was counted, and before it was acknowledged.
  first.countDone = async (id) => {
    await count(id);
    if (++counted === 3) await first.connection.close();
  };
  await until("the worker's end", () => first.connection.isClosed());
  await killNats(nats);
  start();
  await startWorker();
  await until("an empty queue", async () => (await counts().catch(() => undefined))?.done === 20, 60);
  await until("acknowledgements", async () => (await counts()).missing === 0, 90);
  expect(await counts()).toEqual({ accepted: 25, done: 20, died: 5, missing: 0 });

  // A dead call that is made again is a new one.
  answer = (_url, response) => void response.end();
  const dead = new DeadCalls(opened[0]!.queue);
  expect(await dead.retry({ function: "bad" })).toBe(5);
  await until("the calls made again", async () => (await counts()).done === 25);
  await killNats(nats);
  start();
  // What was not acknowledged before the kill is delivered again, after 30 s.
  await until("acknowledgements", async () => (await counts().catch(() => undefined))?.missing === 0, 90);
  expect(await counts()).toEqual({ accepted: 30, done: 25, died: 5, missing: 0 });

  for (const { lanes } of opened) void lanes?.end();
  await until("the queue", () => acceptor.accept(call("lost", { function: "unasked" })).catch(() => false));
  const { manager } = opened[0]!.queue;
  const { last_seq } = (await manager.streams.info(CALLS)).state;
  await manager.streams.deleteMessage(CALLS, last_seq);
  expect(await counts()).toMatchObject({ accepted: 31, missing: 1 });
}, 300_000);

test("calls that left before they were counted are not missed", async () => {
  const acceptor = await setUp();
  const { manager } = opened[0]!.queue;
  for (const body of bodies("early", 3)) await acceptor.accept(call(body));
  await startWorker();
  await until("an empty queue", async () => (await depth()) === 0);
  await manager.streams.delete("DONE");
  await acceptor.accept(call("waits"));
  for (const { lanes } of opened) void lanes?.end();
  await (await JetStream.open(config, "queue-worker-new", quiet)).connection.close();
  expect((await counts()).missing).toBeLessThanOrEqual(0);
});

test("what a worker that ends has not begun is made by another, and has lost no attempt", async () => {
  const acceptor = await setUp();
  const hanging: http.ServerResponse[] = [];
  const attempts: unknown[] = [];
  let ending = false;
  answer = (_url, response, headers) => {
    if (!headers["x-hang"]) return void response.end();
    if (ending) attempts.push(headers["x-retry-attempt"]);
    if (ending) response.end();
    else hanging.push(response);
  };
  for (const body of bodies("quick", 30)) await acceptor.accept(call(body));
  const later = bodies("later", 20);
  for (const body of later) await acceptor.accept(call(body, { headers: { "X-Hang": ["1"] } }));
  await startWorker();
  await until("calls under way", () => hanging.length === 4);
  await until("calls at hand", async () => (await state()).underWay > 4);
  ending = true;
  await opened.at(-1)!.lanes!.end();
  await startWorker();
  await until("the other calls", () => attempts.length === 16);
  for (const response of hanging) response.end();
  await until("an empty queue", async () => (await depth()) === 0);
  expect(attempts).toEqual(Array(16).fill(undefined));
  expect(times(later)).toEqual(later.map(() => 1));
  expect((await counts()).missing).toBe(0);
});
