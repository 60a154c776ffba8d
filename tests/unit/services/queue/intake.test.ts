/** The intake over its real HTTP server; what it hands on is a list, and the queue's answers are made up. */
import * as fs from "node:fs";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { Acceptor } from "../../../../services/queue/src/accept";
import type { QueuedCall } from "../../../../services/queue/src/call";
import { Intake } from "../../../../services/queue/src/intake";
import { listenAt } from "../../../../shared/listenAt";
import { NotAccepted } from "../../../../services/queue/src/jetstream";
import { parseTarget } from "../../../../services/queue/src/target";

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

interface Given {
  accept?: (call: QueuedCall) => Promise<boolean>;
  has?: (name: string) => Promise<boolean>;
  free?: number;
}

async function setUp(given: Given = {}) {
  const calls: QueuedCall[] = [];
  const accept = given.accept ?? (async (call: QueuedCall) => calls.push(call) > 0);
  const has = given.has ?? (async (name: string) => name === "hello");
  const intake = new Intake(
    { accept },
    { has },
    {
      maxBody: 1000,
      log: () => undefined,
      freeBytes: async () => given.free ?? 1e12,
    },
  );
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-intake-"));
  const socketPath = path.join(folder, "intake.sock");
  const server = intake.server();
  await listenAt(server, socketPath);
  closers.push(() => {
    server.close();
    server.closeAllConnections();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const ask = (url: string, options: http.RequestOptions = {}, body = "Kari") =>
    new Promise<{ status: number; headers: http.IncomingHttpHeaders; text: string }>((resolve, reject) => {
      const request = http.request(
        { socketPath, path: url, method: "POST", agent: false, ...options },
        (response) => {
          let text = "";
          response.on("data", (chunk) => (text += chunk));
          response.on("end", () =>
            resolve({ status: response.statusCode!, headers: response.headers, text }),
          );
        },
      );
      request.on("error", reject);
      request.end(body);
    });
  return { ask, calls, intake, server, socketPath };
}

test("a call is accepted with what came, and its id is told", async () => {
  const { ask, calls, intake } = await setUp();
  const headers = {
    "X-Call-Id": "call-1",
    X_Signature: "abc",
    "X-Retry-Attempt": "9",
    Cookie: ["a=1", "b=2"],
  };
  const answer = await ask("/async-function/hello/a%2Fb?x=%20&y", { headers });
  expect(answer).toMatchObject({ status: 202, text: "", headers: { "x-call-id": "call-1" } });
  expect(calls).toMatchObject([
    {
      function: "hello",
      // Decoded once by the gateway.
      target: "/function/hello/a%252Fb?x=%20&y",
      callId: "call-1",
      attempt: 1,
      body: Buffer.from("Kari"),
      headers: {
        X_Signature: ["abc"],
        "X-Call-Id": ["call-1"],
        "X-Start-Time": [answer.headers["x-start-time"]],
      },
    },
  ]);
  expect(Object.keys(calls[0]!.headers)).not.toContain("X-Retry-Attempt");
  expect(await intake.registry.metrics()).toContain('accepted_total{function_name="hello"} 1\n');
  expect((await ask("/async-function/hello.openfaas-fn")).headers["x-call-id"]).toMatch(/^[0-9a-f-]{36}$/);
  expect(calls[1]!.target).toBe("/function/hello");
});

test.each([
  [
    "the queue is full",
    { accept: () => Promise.reject(new NotAccepted("maximum bytes", true)) },
    "full",
    "30",
  ],
  ["the queue is away", { accept: () => Promise.reject(new NotAccepted("timeout", false)) }, "away", "5"],
  ["the disk has no room", { free: 1024 }, "full", "30"],
  ["the provider is away", { has: () => Promise.reject(new Error("refused")) }, "looked up", "5"],
])("503 with Retry-After and a sentence when %s", async (_case, given, word, seconds) => {
  const { ask, calls } = await setUp(given);
  const { status, headers, text } = await ask("/async-function/hello");
  expect([status, headers["retry-after"], calls.length]).toEqual([503, seconds, 0]);
  expect(text).toContain(word);
});

test.each<[string, http.RequestOptions, number, string]>([
  ["/async-function/absent", {}, 404, "There is no function absent."],
  ["/async-function/", {}, 404, "No function has such a name."],
  ["/async-function/hello.other", {}, 404, "No function has such a name."],
  ["/async-function/hel%6co", {}, 404, "No function has such a name."],
  ["/function/hello", {}, 404, "Only /async-function/NAME"],
  ["/async-function/hello", { method: "GET" }, 405, "POST"],
  ["/async-function/hello", { headers: { "X-Callback-Url": "file:///etc/passwd" } }, 400, "X-Callback-Url"],
  ["/async-function/hello", { headers: { "X-Callback-Url": "http://" } }, 400, "X-Callback-Url"],
  ...["/..", "/a/./b", "/%2e%2e/system", "/%252E%252e/x", "//x", "/a\\..\\b", "/%5c..", "/a#b", "/%zz"].map(
    (tail): [string, object, number, string] => [`/async-function/hello${tail}`, {}, 400, ""],
  ),
])("POST %s is refused", async (url, options, status, text) => {
  const { ask, calls } = await setUp();
  const answer = await ask(url, options, "");
  expect([answer.status, calls.length]).toEqual([status, 0]);
  expect(answer.text).toContain(text);
});

test("a body that is too large is refused, told beforehand or not", async () => {
  const { ask, calls } = await setUp();
  const large = "x".repeat(1001);
  expect((await ask("/async-function/hello", {}, large)).status).toBe(413);
  const headers = { "Transfer-Encoding": "chunked" };
  expect((await ask("/async-function/hello", { headers }, large)).status).toBe(413);
  expect((await ask("/async-function/hello", { headers }, "x".repeat(1000))).status).toBe(202);
  expect(calls).toHaveLength(1);
});

test("a second intake takes the socket over, and the end of the first leaves it there", async () => {
  const first = await setUp();
  const second = await setUp();
  await listenAt(second.intake.server(), first.socketPath);
  await new Promise((done) => first.server.close(done));
  expect((await first.ask("/async-function/hello")).status).toBe(202);
  expect([first.calls.length, second.calls.length]).toEqual([0, 1]);
});

test("the same X-Call-Id is one call; another path, body or no id is another", async () => {
  const ids: string[] = [];
  const queue = {
    accept: async (_call: QueuedCall, id: string) => ids.push(id) > 0,
    connection: { publish: () => undefined },
  };
  const acceptor = new Acceptor(queue as never);
  const call = (changes: Partial<QueuedCall>): QueuedCall => ({
    function: "hello",
    target: "/function/hello",
    headers: {},
    body: Buffer.from("Kari"),
    callId: "call-1",
    attempt: 1,
    acceptedMs: 0,
    ...changes,
  });
  for (const changes of [
    {},
    {},
    { body: Buffer.from("Ola") },
    { target: "/function/hello/a" },
    { callId: "" },
    { callId: "" },
  ])
    await acceptor.accept(call(changes));
  expect(ids[0]).toBe(ids[1]);
  expect(new Set(ids).size).toBe(5);
});

test.each(["/a:b@c$d&e+f,g;h=i", "/bl%C3%A5b%C3%A6r", "/a%3Fb%23c%25d", "/", ""])(
  "the path %j reaches the function as it was written",
  (tail) => {
    const { target } = parseTarget(`/async-function/hello${tail}?q=%3F`);
    // What the gateway makes of it.
    expect(decodeURIComponent(target.split("?")[0]!)).toBe(`/function/hello${tail}`);
    expect(target.split("?")[1]).toBe("q=%3F");
  },
);
