/** What one client may take up at a real Nginx. It calls from 127.0.0.2 and up: 127.0.0.1 is the host itself, which has no limits. */
import * as http from "node:http";
import * as net from "node:net";
import { type RunningNginx, startNginx } from "./nginxBed";

let nginx: RunningNginx;
const held: http.ServerResponse[] = [];
const gateway = http.createServer((request, response) => {
  request.resume();
  if (request.url === "/function/held") held.push(response);
  else request.on("end", () => response.end("gateway"));
});

beforeAll(async () => {
  await new Promise<void>((done) => gateway.listen(0, "127.0.0.1", done));
  nginx = await startNginx((gateway.address() as net.AddressInfo).port, () => ({
    clientHeaderTimeout: "1s",
    clientBodyTimeout: "2s",
    perClient: { requests: 1, burst: 4, connections: 3 },
  }));
});
afterAll(async () => {
  await nginx.stop();
  gateway.close();
  gateway.closeAllConnections();
});

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
}

function call(localAddress: string, target = "/function/hello"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: nginx.port, path: target, localAddress, agent: false };
    const request = http.get(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, text }));
    });
    request.once("error", reject);
  });
}

const many = (count: number, localAddress: string, target?: string) =>
  Promise.all(Array.from({ length: count }, () => call(localAddress, target)));
const statuses = (answers: Answer[]) => answers.map(({ status }) => status).sort();

test("requests beyond the rate and its burst are answered 429, another client's are not", async () => {
  const answers: Answer[] = [];
  for (let i = 0; i < 12; i++) answers.push(await call("127.0.0.2"));
  const served = answers.filter(({ status }) => status === 200).length;
  // The burst and the first, and what the time that it took adds.
  expect(served).toBeGreaterThanOrEqual(5);
  expect(served).toBeLessThanOrEqual(8);
  const refused = answers.find(({ status }) => status !== 200)!;
  expect(refused).toMatchObject({
    status: 429,
    text: "Too many requests. Try again later.\n",
    headers: {
      "retry-after": "1",
      "content-type": "text/plain",
      "x-content-type-options": "nosniff",
      "x-call-id": expect.stringMatching(/^[0-9a-f]{32}$/),
    },
  });
  expect(statuses(await many(3, "127.0.0.3"))).toEqual([200, 200, 200]);
});

test("connections beyond the limit are answered 429, another client's are not", async () => {
  const first = many(3, "127.0.0.4", "/function/held");
  while (held.length < 3) await new Promise((next) => setTimeout(next, 20));
  expect((await call("127.0.0.4")).status).toBe(429);
  expect((await call("127.0.0.5")).status).toBe(200);
  held.splice(0).forEach((response) => response.end());
  expect(statuses(await first)).toEqual([200, 200, 200]);
  expect((await call("127.0.0.4")).status).toBe(200);
});

test("the host itself has no limit", async () => {
  expect(new Set(statuses(await many(30, "127.0.0.1")))).toEqual(new Set([200]));
});

/** Sends `first`, then a byte every 200 ms. @returns after how many milliseconds Nginx ended the connection, and what it said */
function sendSlowly(first: string, everyMs: number, limitMs: number): Promise<{ ms: number; text: string }> {
  return new Promise((resolve, reject) => {
    const began = Date.now();
    const socket = net.connect({ port: nginx.port, host: "127.0.0.1", localAddress: "127.0.0.6" });
    let text = "";
    socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    socket.write(first);
    const timer = setInterval(() => socket.write("x"), everyMs);
    const giveUp = setTimeout(() => {
      socket.destroy();
      reject(new Error(`still open after ${limitMs} ms`));
    }, limitMs);
    socket.on("error", () => undefined);
    socket.once("close", () => {
      clearInterval(timer);
      clearTimeout(giveUp);
      resolve({ ms: Date.now() - began, text });
    });
  });
}

test("a client that sends its headers byte by byte is cut off", async () => {
  const { ms, text } = await sendSlowly("GET /function/hello HTTP/1.1\r\nHost: a\r\nX-Slow: ", 200, 8000);
  expect(ms).toBeGreaterThanOrEqual(900);
  expect(ms).toBeLessThan(5000);
  expect(text).not.toMatch(/^HTTP\/1.1 200/);
});

test("a client whose body stops is cut off, one that goes on is not", async () => {
  const head = "POST /function/hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 8\r\n\r\n";
  const stopped = await sendSlowly(`${head}x`, 60_000, 10_000);
  expect(stopped.ms).toBeGreaterThanOrEqual(1900);
  expect(stopped.text).not.toMatch(/^HTTP\/1.1 200/);
  const slow = await sendSlowly(`${head}x`, 400, 10_000);
  expect(slow.text).toMatch(/^HTTP\/1.1 200/);
  expect(slow.ms).toBeGreaterThan(2400);
});

test("500 slow clients keep nobody out, and are gone when their time is up", async () => {
  const gone = Array.from({ length: 500 }, (_one, at) => {
    const socket = net.connect({ port: nginx.port, host: "127.0.0.1", localAddress: `127.0.1.${at % 250}` });
    socket.on("error", () => undefined);
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n");
    return new Promise((done) => socket.resume().once("close", done));
  });
  expect((await call("127.0.0.1")).status).toBe(200);
  await Promise.all(gone);
}, 120_000);
