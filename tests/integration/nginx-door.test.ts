/** Debian's Nginx with the rendered configuration, in front of a server that writes down what reaches it. */
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { type RunningNginx, startNginx } from "./nginxBed";

let dir: string;
let port: number;
let nginx: RunningNginx;
const reached: string[] = [];
const gateway = http.createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    reached.push(`${request.method} ${request.url}`);
    response.end("gateway");
  });
});

beforeAll(async () => {
  await new Promise<void>((done) => gateway.listen(0, "127.0.0.1", done));
  nginx = await startNginx((gateway.address() as AddressInfo).port);
  ({ dir, port } = nginx);
});
beforeEach(() => void reached.splice(0));
afterAll(async () => {
  await nginx.stop();
  gateway.close();
  gateway.closeAllConnections();
});

type Headers = Record<string, string>;

function call(method: string, target: string, headers: Headers = {}, body = "") {
  return new Promise<{ status: number; headers: http.IncomingHttpHeaders }>((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      port,
      path: target,
      method,
      agent: false,
      headers: {
        Host: `faas.example.no:${port}`,
        ...headers,
        ...(body ? { "Content-Length": String(body.length) } : {}),
      },
    };
    const request = http.request(options, (response) => {
      response.resume();
      response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const json = { "Content-Type": "application/json" };

describe("management", () => {
  test.each<[string, string, Headers]>([
    ["curl and faas-cli", "POST", json],
    ["a client that names no type", "POST", {}],
    ["the web page", "POST", { ...json, Origin: "http://faas.example.no:PORT" }],
    ["the web page behind a TLS proxy", "PUT", { ...json, Origin: "https://faas.example.no:PORT" }],
    ["a link on another site", "GET", { Origin: "https://evil.example" }],
  ])("answers %s", async (_who, method, headers) => {
    const own = JSON.parse(JSON.stringify(headers).replaceAll("PORT", String(port))) as Headers;
    expect((await call(method, "/system/functions", own, method === "GET" ? "" : "{}")).status).toBe(200);
    expect(reached).toEqual([`${method} /system/functions`]);
  });

  test.each<[string, string, Headers, number]>([
    ["another site's page", "POST", { ...json, Origin: "https://evil.example" }, 403],
    ["a page without an origin", "DELETE", { ...json, Origin: "null" }, 403],
    [
      "a site whose name begins alike",
      "PUT",
      { ...json, Origin: "http://faas.example.no:PORT.evil.example" },
      403,
    ],
    ["another port", "POST", { ...json, Origin: "http://faas.example.no:1" }, 403],
    ["a form's text", "POST", { "Content-Type": "text/plain" }, 415],
    ["a form", "POST", { "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" }, 415],
    ["a form with files", "PUT", { "Content-Type": "Multipart/Form-Data; boundary=x" }, 415],
  ])("refuses %s", async (_who, method, headers, status) => {
    const own = JSON.parse(JSON.stringify(headers).replaceAll("PORT", String(port))) as Headers;
    for (const target of [
      "/system/functions",
      "//system/functions",
      "/function/..%2fsystem/functions",
      "/%73ystem/functions",
    ])
      expect([target, (await call(method, target, own, "{}")).status]).toEqual([target, status]);
    expect(reached).toEqual([]);
  });

  test("is in no frame, and the page loads nothing from elsewhere", async () => {
    for (const target of ["/ui/", "/system/functions"]) {
      const { headers } = await call("GET", target);
      expect(headers["content-security-policy"]).toMatch(/^default-src 'self';.*frame-ancestors 'none'$/);
      expect(headers["content-security-policy"]).not.toMatch(/https?:|\*/);
      expect(headers).toMatchObject({ "x-frame-options": "DENY", "x-content-type-options": "nosniff" });
    }
  });
});

test("a function gets what forms and other sites send, and its own headers are left alone", async () => {
  const form = { "Content-Type": "text/plain", Origin: "https://shop.example" };
  const { status, headers } = await call("POST", "/function/hello", form, "a=1");
  expect(status).toBe(200);
  expect(headers["content-security-policy"]).toBeUndefined();
});

test("the body of an asynchronous call has its own limit", async () => {
  const large = "x".repeat(11 * 1024);
  for (const target of [
    "/async-function/hello",
    "//async-function/hello",
    "/%61sync-function/hello",
    "/x/../async-function/hello/a",
  ])
    expect([target, (await call("POST", target, {}, large)).status]).toEqual([target, 413]);
  expect(reached).toEqual([]);
  expect((await call("POST", "/async-function/hello", {}, "x".repeat(9 * 1024))).status).toBe(200);
  expect((await call("POST", "/function/hello", {}, large)).status).toBe(200);
});

test("nothing but functions, management and the gateway's health is passed on", async () => {
  for (const target of ["/metrics", "/functions/hello", "/x", "/healthz/x", "/Function/hello"])
    expect([target, (await call("GET", target)).status]).toEqual([target, 404]);
  expect(reached).toEqual([]);
  for (const target of ["/", "/healthz", "/ui/", "/function/hello"]) await call("GET", target);
  expect(reached).toEqual(["GET /", "GET /healthz", "GET /ui/", "GET /function/hello"]);
});

describe("what is written down of a call", () => {
  const logged = async (target: string, headers: Headers): Promise<string> => {
    const log = path.join(dir, "access.log");
    await call("GET", target, headers);
    for (let i = 0; i < 100; i++) {
      const line =
        fs.existsSync(log) &&
        fs
          .readFileSync(log, "utf8")
          .split("\n")
          .find((one) => one.includes(target.split("?")[0]!));
      if (line) return line;
      await new Promise((next) => setTimeout(next, 100));
    }
    throw new Error("nothing is in the log");
  };

  test("is neither the whole address nor a query", async () => {
    const line = await logged("/function/hello/written?token=of-the-caller", {
      Referer: "https://shop.example/basket?session=of-the-caller",
      "X-Call-Id": "call-7",
    });
    expect(line).toMatch(/^127\.0\.0\.0 - - \[.*\] "GET \/function\/hello\/written HTTP\/1\.1" 200 /);
    expect(line).toContain('"https://shop.example/basket"');
    expect(line).toMatch(/ call-7$/);
    expect(fs.readFileSync(path.join(dir, "access.log"), "utf8")).not.toContain("of-the-caller");
    expect(fs.readFileSync(path.join(dir, "error.log"), "utf8")).not.toContain("of-the-caller");
  });
});

test("a call has a number, its own where it brings one that is plain, also when it is refused", async () => {
  const id = async (target: string, headers: Headers = {}) =>
    (await call("GET", target, headers)).headers["x-call-id"];
  expect(await id("/function/hello")).toMatch(/^[0-9a-f]{32}$/);
  expect(await id("/function/hello", { "X-Call-Id": "mine.7" })).toBe("mine.7");
  expect(await id("/function/hello", { "X-Call-Id": 'a" b' })).toMatch(/^[0-9a-f]{32}$/);
  expect(await id("/nothing")).toMatch(/^[0-9a-f]{32}$/);
  expect(await id("/system/functions")).toMatch(/^[0-9a-f]{32}$/);
});

test("what Nginx answers by itself is one line that names no program", async () => {
  const answers = await Promise.all([
    fetch(`http://127.0.0.1:${port}/nothing`),
    fetch(`http://127.0.0.1:${port}/.error/404`),
    fetch(`http://127.0.0.1:${port}/async-function/hello`, { method: "POST", body: "x".repeat(11 * 1024) }),
    fetch(`http://127.0.0.1:${port}/system/functions`, { method: "POST", body: "a" }),
    fetch(`http://127.0.0.1:${port}/function/hello`, { headers: { Large: "x".repeat(60_000) } }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 413, 415, 431]);
  for (const one of answers) {
    const text = await one.text();
    expect(text).toMatch(/^[A-Z][A-Za-z ]+\.\n$/);
    expect(one.headers.get("content-type")).toBe("text/plain");
  }
});
