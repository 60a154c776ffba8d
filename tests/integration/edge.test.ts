/** The edge as it runs: a real HAProxy under the configuration that is rendered, told of replicas by the provider's own code. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import * as path from "node:path";
import { LOOPBACK, bed, call, isReachable, startHaproxy, until, useBed } from "./edgeBed";

useBed();

const leftBehind: net.Server[] = [];
afterEach(() => leftBehind.splice(0).forEach((server) => server.close()));

test("a call reaches a replica byte by byte, with the headers that the gateway adds", async () => {
  bed.replicas = { hello: [`${LOOPBACK}.2`] };
  await bed.edge.tell();
  const headers = { Host: "faas.example.no:8443", X_Signature: "a", "x.trace": "b" };
  const {
    status,
    headers: answered,
    seen,
  } = await call("/function/hello/a%2e%2e//b%3F?x=%25&y", { method: "POST", headers }, "body");
  expect({ status, own: answered["x-own"] }).toEqual({ status: 200, own: "as it was" });
  expect(seen).toMatchObject({
    who: `${LOOPBACK}.2`,
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
  expect(own.seen).toMatchObject({ who: `${LOOPBACK}.2`, url: "/", headers: { "x-call-id": "mine" } });
  await until("the calls to be counted", () => bed.calls.length === 2);
  expect(bed.calls).toEqual(["hello 200", "hello 200"]);
  expect(await bed.edge.invocations()).toEqual(new Map([["hello", { started: 2, ended: 2 }]]));
});

test("all replicas get their share, and one that ends gets none", async () => {
  bed.replicas = { hello: [`${LOOPBACK}.2`, `${LOOPBACK}.3`] };
  await bed.edge.tell();
  const who = async () => (await call("/function/hello")).seen!.who;
  const first = await Promise.all(Array.from({ length: 40 }, who));
  expect(new Set(first)).toEqual(new Set([`${LOOPBACK}.2`, `${LOOPBACK}.3`]));
  bed.replicas = { hello: [`${LOOPBACK}.3`] };
  await bed.edge.tell();
  expect(new Set(await Promise.all(Array.from({ length: 20 }, who)))).toEqual(new Set([`${LOOPBACK}.3`]));
});

test("the gateway gets what the edge was not told of, and no other path", async () => {
  bed.replicas = { hello: [`${LOOPBACK}.2`], sleeper: [`${LOOPBACK}.3`] };
  bed.zero = new Set(["sleeper"]);
  await bed.edge.tell();
  for (const url of ["/function/other/x?y", "/function/sleeper/x?y"])
    expect((await call(url)).seen).toMatchObject({ who: "gateway", url });
  for (const url of ["/async-function/hello/x%2Fy?y", "/async-function/sleeper"])
    expect((await call(url, { method: "POST" }, "Kari")).seen).toMatchObject({
      who: "intake",
      url,
      body: "Kari",
    });
  for (const url of [
    "/system/functions",
    "/ui/",
    "/",
    "/functions",
    "//function/hello",
    "/x/../function/hello",
    "/%66unction/hello",
    "/Function/hello",
    "/function",
    "/function/",
    "/function//hello",
    "/function/./hello",
    "/function/../function/hello",
    "/function/hello:0",
    "/function/.",
    "/function/hello%00",
    "/function/hell%6f",
    "/function/Hello",
    "/function/hello%2fx",
    "/function/hello;x",
    "/function/hello.openfaas",
    "/function/hello.openfaas-fn.openfaas-fn",
    "/function/other/../sleeper",
    "/function/other/..%2fsleeper",
    "/function/other/%2e%2e/sleeper",
    "/async-function/other/.%2e/sleeper",
    "/async-function//hello",
    "/async-function/hell%6f",
  ])
    expect([url, (await call(url)).status]).toEqual([url, 404]);
  expect(bed.calls).toEqual([]);
});

test("the gateway gets a call whose replica takes no connection, whole and once", async () => {
  bed.replicas = { hello: [`${LOOPBACK}.9`] };
  await bed.edge.tell();
  const { seen } = await call("/function/hello/a?b", { method: "POST", headers: { Host: "x" } }, "body");
  expect(seen).toMatchObject({ who: "gateway", method: "POST", url: "/function/hello/a?b", body: "body" });
  expect(seen!.headers["x-forwarded-host"]).toBe("x");
});

test("a call that a replica has begun is not made again", async () => {
  bed.replicas = { hello: [`${LOOPBACK}.2`] };
  await bed.edge.tell();
  const { status, text } = await call("/function/hello/break", { method: "POST" }, "body");
  expect({ status, text }).toEqual({ status: 502, text: "The function broke the connection off.\n" });
});

test("what was told half a minute ago is not trusted", async () => {
  bed.replicas = { hello: [`${LOOPBACK}.2`] };
  bed.now -= 31_000;
  await bed.edge.tell();
  expect((await call("/function/hello")).seen!.who).toBe("gateway");
  bed.now = Date.now();
  await bed.edge.tell();
  expect((await call("/function/hello")).seen!.who).toBe(`${LOOPBACK}.2`);
});

test("one that was started anew is told again, and the one before ends when its calls have", async () => {
  bed.replicas = { hello: [`${LOOPBACK}.2`] };
  await bed.edge.tell();
  const before = bed.haproxy;
  bed.haproxy = startHaproxy();
  await until("the new one", async () => (await call("/function/hello")).seen!.who === "gateway");
  const gone = new Promise((done) => before.once("exit", done));
  before.kill("SIGUSR1");
  await gone;
  await bed.edge.tell();
  expect((await call("/function/hello")).seen!.who).toBe(`${LOOPBACK}.2`);
});

test("one that is nobody starts where one that was root left its sockets", async () => {
  bed.replicas = { hello: [`${LOOPBACK}.2`] };
  const gone = new Promise((done) => bed.haproxy.once("exit", done));
  bed.haproxy.kill("SIGTERM");
  await gone;
  for (const name of ["admin.sock", "cold.sock"]) {
    const server = net.createServer().listen(path.join(bed.dir, "run", name));
    await once(server, "listening");
    leftBehind.push(server);
  }
  bed.haproxy = startHaproxy();
  await until("HAProxy", isReachable);
  await bed.edge.tell();
  expect((await call("/function/hello")).seen!.who).toBe(`${LOOPBACK}.2`);
});

test("a thousand functions are told at once", async () => {
  bed.replicas = Object.fromEntries(
    Array.from({ length: 1000 }, (_one, at) => [`fn-${at}`, [`${LOOPBACK}.2`]]),
  );
  await bed.edge.tell();
  expect((await call("/function/fn-999")).seen!.who).toBe(`${LOOPBACK}.2`);
});

test("a connection becomes what both ends want", async () => {
  bed.replicas = { hello: [`${LOOPBACK}.2`] };
  await bed.edge.tell();
  const echoed = await new Promise<string>((resolve, reject) => {
    const socketPath = path.join(bed.dir, "door/edge.sock");
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
  bed.haproxy.kill("SIGTERM");
  await new Promise((done) => bed.haproxy.once("exit", done));
  await expect(bed.edge.tell()).rejects.toThrow(/ECONNREFUSED|ENOENT/);
  expect(await bed.edge.metrics()).toBe("");
  bed.haproxy = startHaproxy();
  await until("HAProxy", isReachable);
});

test("the configuration is without a warning", () => {
  const args = ["-c", "-f", path.join(bed.dir, "haproxy.cfg")];
  const env = { ...process.env, LD_LIBRARY_PATH: bed.program.libraries };
  const { status, stderr } = spawnSync(bed.program.file, args, { env, encoding: "utf8" });
  expect({ status, said: stderr.match(/.*(WARNING|ALERT).*/g) }).toEqual({ status: 0, said: null });
});
