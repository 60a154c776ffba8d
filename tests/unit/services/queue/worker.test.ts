/** The worker against real HTTP servers; the queue is a list. */
import { closedNetworks } from "../../../../services/queue/src/callback";
import { readConfig } from "../../../../services/queue/src/config";
import { CALLBACK_ATTEMPTS, CALLBACK_TIMEOUT_MS } from "../../../../shared/queueLimits";
import { callOf } from "../../../../services/queue/src/natsStreaming";
import { decode } from "../../../../services/queue/src/request";
import { callback, closeAll, ok, serve, queued, setUp } from "./gateway";

test("a call is made as it was accepted, and acknowledged when it is done", async () => {
  const gateway = await serve(ok);
  const { worker, message, acks } = setUp(gateway.port);
  await worker.take(message(queued()));
  expect(gateway.seen).toMatchObject([
    { url: "/function/hello/a/b?x=1&y=%20", method: "POST", body: "Kari" },
  ]);
  expect(gateway.seen[0]!.headers).toMatchObject({ "x-call-id": "call-1", "content-length": "4" });
  expect(acks()).toBe(1);
  expect(await worker.metrics()).toContain(
    'oslo_faas_queue_calls_total{function_name="hello",code="200"} 1\n',
  );
});

test.each([
  ["/a b/c", "/a%20b/c"],
  ["/%2e%2e/%2E%2e/system/functions", "/%252e%252e/%252E%252e/system/functions"],
  ["/\\..\\..\\system", "/%5C..%5C..%5Csystem"],
  ["//gateway/x", "/gateway/x"],
  ["/a?b#c", "/a%3Fb%23c"],
  ["/a:b@c$d&e+f,g;h=i", "/a:b@c$d&e+f,g;h=i"],
  ["/blåbær", "/bl%C3%A5b%C3%A6r"],
  ["/a\r\nX: y", "/a%0D%0AX:%20y"],
])("the path %j, as the gateway has decoded it, is sent as %s", async (Path, sent) => {
  const gateway = await serve(ok);
  const { worker, message } = setUp(gateway.port);
  await worker.take(message(queued({ Path, QueryString: "a=%2e%2e/\\ b#c" })));
  expect(gateway.seen.map(({ url }) => url)).toEqual([`/function/hello${sent}?a=%2e%2e/\\%20b%23c`]);
});

test.each(["/..", "/a/../b", "/./a", "../x"])(
  "the path %j leads out of the function: no call",
  async (Path) => {
    const gateway = await serve(ok);
    const { worker, message, acks } = setUp(gateway.port);
    await worker.take(message(queued({ Path })));
    expect([gateway.seen.length, acks()]).toEqual([0, 1]);
  },
);

test("no callback goes to the gateway's management, whatever its answer carries", async () => {
  const gateway = await serve((_, response) => void response.setHeader("Authorization", "Basic eA==").end());
  for (const Path of [
    "/system/functions",
    "/function/../system/functions",
    "/function/%2e%2e/system/functions",
  ]) {
    const { worker, message, logged } = setUp(gateway.port);
    const url = { Scheme: "http", Host: `127.0.0.1:${gateway.port}`, Path, RawPath: Path };
    await worker.take(message(queued({ CallbackUrl: url })));
    expect(logged).toEqual(["the callback is refused"]);
  }
  expect(gateway.seen.map(({ url }) => url)).toEqual(Array(3).fill("/function/hello/a/b?x=1&y=%20"));
});

test("the callback gets the answer, and what upstream tells with it", async () => {
  const gateway = await serve(
    (_, response) => void response.writeHead(201, { "X-Own": "yes" }).end("picture"),
  );
  const back = await serve(ok);
  const { worker, message } = setUp(gateway.port);
  await worker.take(message(queued(callback(back.port))));
  expect(back.seen).toMatchObject([{ url: "/back?n=1", method: "POST", body: "picture" }]);
  expect(back.seen[0]!.headers).toMatchObject({
    "x-own": "yes",
    "x-call-id": "call-1",
    "x-function-name": "hello",
    "x-function-status": "201",
    "x-duration-seconds": expect.stringMatching(/^\d+\.\d{6}$/),
  });
});

test.each([
  ["/a%3Fb%25c%23d", "/a?b%c#d", ""],
  ["/a%2Fb", "/a/b", "/a%2Fb"],
  ["/bl%C3%A5%21", "/blå!", ""],
])("a callback reaches %s as its caller wrote it", async (written, Path, RawPath) => {
  const gateway = await serve(ok);
  const back = await serve(ok);
  const { worker, message } = setUp(gateway.port);
  const url = { Scheme: "http", Host: `127.0.0.1:${back.port}`, Path, RawPath };
  await worker.take(message(queued({ CallbackUrl: url })));
  expect(back.seen.map(({ url }) => url)).toEqual([written]);
});

test("a callback that fails at first is tried again", async () => {
  const gateway = await serve(ok);
  let times = 0;
  const back = await serve((_, response) => void response.writeHead(++times === 1 ? 503 : 200).end());
  const { worker, message } = setUp(gateway.port);
  await worker.take(message(queued(callback(back.port))));
  expect(times).toBe(2);
  expect(await worker.metrics()).toContain('callbacks_total{outcome="delivered"} 1');
});

test.each(["127.0.0.1", "localhost"])("no callback goes to %s, and the call is done", async (host) => {
  const target = await serve(ok);
  const back = await serve(ok);
  const { worker, message, logged, acks } = setUp(target.port, {}, closedNetworks());
  const url = { CallbackUrl: { Scheme: "http", Host: `${host}:${back.port}`, Path: "/" } };
  await worker.take(message(queued(url)));
  expect(back.seen).toEqual([]);
  expect([target.seen.length, acks()]).toEqual([1, 1]);
  expect(logged).toEqual(["the callback is refused"]);
  expect(await worker.metrics()).toContain('callbacks_total{outcome="refused"} 1');
});

test("a gateway that is away burns no attempt: the call waits for it", async () => {
  const gone = await serve(ok);
  closeAll();
  const { worker, message, putBack, acks } = setUp(gone.port);
  const taken = worker.take(message(queued()));
  await new Promise((next) => setTimeout(next, 300));
  expect(acks()).toBe(0);
  const back = await serve(ok, gone.port);
  await taken;
  expect(back.seen).toHaveLength(1);
  expect([acks(), putBack.length]).toEqual([1, 0]);
});

test("one delivered again, under way or done, is called once", async () => {
  let finish = () => undefined as void;
  const gateway = await serve((_, response) => void (finish = () => void response.end()));
  const { worker, message, acks } = setUp(gateway.port);
  const first = worker.take(message(queued()));
  while (gateway.seen.length === 0) await new Promise((next) => setTimeout(next, 5));
  await worker.take(message(queued()));
  expect(acks()).toBe(0);
  finish();
  await first;
  await worker.take(message(queued()));
  expect(gateway.seen).toHaveLength(1);
  expect(acks()).toBe(2);
});

test("at its end it finishes what is under way and takes nothing new", async () => {
  let finish = () => undefined as void;
  const gateway = await serve((_, response) => void (finish = () => void response.end()));
  const { worker, message, acks, putBack, handedBack } = setUp(gateway.port);
  const first = worker.take(message(queued()));
  while (gateway.seen.length === 0) await new Promise((next) => setTimeout(next, 5));
  const ended = worker.end(5000);
  await worker.take(message(queued(), "m2"));
  finish();
  await first;
  expect(await ended).toBe(true);
  expect([gateway.seen.length, acks(), putBack, handedBack]).toEqual([1, 1, [], ["m2"]]);
});

describe("messages", () => {
  test("without a path, a query or a header", () =>
    expect(decode(queued({ Path: "", QueryString: "", Header: null, Body: null }), 5)).toMatchObject({
      target: "/function/hello/",
      attempt: 1,
      acceptedMs: 5,
      callId: "",
    }));
  test("time of acceptance, attempt and callback", () => {
    const Header = { "X-Start-Time": ["1795485600123456789"], "X-Retry-Attempt": ["3"] };
    expect(decode(queued({ ...callback(80), Header }), 5)).toMatchObject({
      acceptedMs: 1795485600123,
      attempt: 3,
      callbackUrl: "http://127.0.0.1:80/back?n=1",
    });
  });
  test("one that waited for another attempt in NATS Streaming", () => {
    const held = { due: 9, acceptedMs: 7, data: queued({ Header: null }).toString() };
    expect(callOf("faas-request-delayed", Buffer.from(JSON.stringify(held)), 8)).toMatchObject({
      function: "hello",
      acceptedMs: 7,
      body: Buffer.from("Kari"),
    });
  });
  test("a function may be named with its namespace", () =>
    expect(decode(queued({ Function: "hello.openfaas-fn" }), 0)).toMatchObject({
      function: "hello",
      target: "/function/hello/a/b?x=1&y=%20",
    }));
  test.each(["", "../system/functions", "a/b", "a?b", "a.b", "a.*"])(
    "%p is refused as a function's name",
    (name) => expect(() => decode(queued({ Function: name }), 0)).toThrow("cannot be a function's name"),
  );
  test("a message that is not a call is dropped and logged", async () => {
    const { worker, message, logged, acks } = setUp(1);
    await worker.take(message(Buffer.from("{}")));
    expect(acks()).toBe(1);
    expect(logged).toEqual(["dropped a message that is not a call"]);
  });
});

test("an environment that cannot be used says all that is wrong", () =>
  expect(() =>
    readConfig({ max_inflight: "0", retry_codes: "200", ack_wait: "338s", upstream_timeout: "300s" }),
  ).toThrow(/ack_wait: is not above[^]*retry_codes: "200"[^]*max_inflight: "0"/));

test("between the time limit of a call and the end of its attempt lies its callback, whole", () => {
  const { ackWaitMs, callTimeoutMs } = readConfig({ ack_wait: "339s", upstream_timeout: "300s" });
  expect(ackWaitMs - callTimeoutMs).toBeGreaterThan(CALLBACK_ATTEMPTS * CALLBACK_TIMEOUT_MS + 1000 + 2000);
});

test("a worker that ends gives back a call whose gateway is away", async () => {
  const gone = await serve(ok);
  closeAll();
  const { worker, message, putBack, acks, handedBack } = setUp(gone.port);
  const taken = worker.take(message(queued()));
  await new Promise((next) => setTimeout(next, 100));
  expect(await worker.end(5000)).toBe(true);
  await taken;
  expect([acks(), putBack, handedBack]).toEqual([0, [], ["m1"]]);
});

test("a kept connection that the gateway closed costs no call and no attempt", async () => {
  const gateway = await serve(ok);
  const { worker, message, acks, putBack } = setUp(gateway.port);
  const ports = new Set<number>();
  gateway.server.on("connection", ({ remotePort }) => ports.add(remotePort!));
  await worker.take(message(queued(), "m1"));
  await worker.take(message(queued(), "m2"));
  expect(ports.size).toBe(1);
  // As a gateway that ends: what comes meanwhile finds the connection closed.
  gateway.server.once("checkContinue", (request) => request.socket.destroy());
  await worker.take(message(queued(), "m3"));
  expect([gateway.seen.length, acks(), putBack.length, ports.size]).toEqual([3, 3, 0, 2]);
});
