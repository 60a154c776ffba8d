/** Who may call a function from outside, at the edge as it runs. */
import { createHash } from "node:crypto";
import type * as http from "node:http";
import { LOOPBACK, bed, call, configure, restart, useBed } from "./edgeBed";

useBed();

describe("who may call", () => {
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  const ACCESS = "com.oslo-faas.access";
  /** From outside, as Nginx says it. */
  const from = (address: string, headers: http.OutgoingHttpHeaders = {}) => ({
    headers: { "X-Real-IP": address, ...headers },
  });
  const statusOf = async (url: string, options: http.RequestOptions = {}) =>
    (await call(url, options)).status;
  /** Called by every way there is: a replica, the gateway for one at zero, the queue. */
  const everyWay = async (name: string, options: http.RequestOptions = {}) => {
    const found: number[] = [];
    for (const isAtZero of [false, true]) {
      bed.zero = new Set(isAtZero ? [name] : []);
      await bed.edge.tell();
      found.push(await statusOf(`/function/${name}/a?b`, options));
      found.push(await statusOf(`/function/${name}.openfaas-fn`, options));
    }
    found.push(await statusOf(`/async-function/${name}/a`, { ...options, method: "POST" }));
    return [...new Set(found)];
  };

  test("is the environment's word where the function says nothing, and nobody where it says internal", async () => {
    bed.replicas = {
      open: [`${LOOPBACK}.2`],
      closed: [`${LOOPBACK}.2`],
      silent: [`${LOOPBACK}.2`],
      odd: [`${LOOPBACK}.2`],
    };
    bed.annotations = {
      open: { [ACCESS]: "public" },
      closed: { [ACCESS]: "internal" },
      odd: { [ACCESS]: "Public" },
    };
    expect(await everyWay("open")).toEqual([200]);
    expect(await everyWay("closed")).toEqual([404]);
    expect(await everyWay("odd")).toEqual([404]);
    expect([await everyWay("silent"), await statusOf("/function/unknown")]).toEqual([[200], 200]);
    configure("internal");
    await restart();
    expect(await everyWay("open")).toEqual([200]);
    expect(await everyWay("closed")).toEqual([404]);
    expect([await everyWay("silent"), await statusOf("/function/unknown")]).toEqual([[404], 404]);
  });

  test("is who has one of the function's tokens, which goes no further", async () => {
    bed.replicas = { hello: [`${LOOPBACK}.2`], other: [`${LOOPBACK}.2`] };
    const tokens = `ci=${sha256("a token")}, ${sha256("another")}`;
    bed.annotations = {
      hello: { [ACCESS]: "token", "com.oslo-faas.access-tokens": tokens },
      other: { [ACCESS]: "token", "com.oslo-faas.access-tokens": sha256("of the other") },
    };
    const bearing = (Authorization: string) => ({ headers: { Authorization } });
    for (const token of ["a token", "another"])
      expect(await everyWay("hello", bearing(`Bearer ${token}`))).toEqual([200]);
    for (const wrong of [
      {},
      bearing("Bearer "),
      bearing("Bearer a tokens"),
      bearing("Bearer of the other"),
      bearing(`Bearer ${sha256("a token")}`),
      bearing("Basic YSB0b2tlbg=="),
      { headers: { "X-Authorization": "Bearer a token" } },
    ])
      expect(await everyWay("hello", wrong)).toEqual([401]);
    const { headers } = await call("/function/hello");
    expect(headers["www-authenticate"]).toBe("Bearer");
    const { seen } = await call("/function/hello", bearing("Bearer another"));
    expect(seen!.headers).not.toHaveProperty("authorization");
    bed.annotations.hello!["com.oslo-faas.access-tokens"] = sha256("another");
    expect(await everyWay("hello", bearing("Bearer a token"))).toEqual([401]);
    expect(await everyWay("hello", bearing("Bearer another"))).toEqual([200]);
  });

  test("is who calls from one of the function's networks, also where another function names a part of it", async () => {
    bed.replicas = { wide: [`${LOOPBACK}.2`], narrow: [`${LOOPBACK}.2`], six: [`${LOOPBACK}.2`] };
    const networks = (text: string) => ({ [ACCESS]: "networks", "com.oslo-faas.access-networks": text });
    bed.annotations = {
      wide: networks("10.0.0.0/8, 198.51.100.7/32"),
      narrow: networks("10.1.0.0/16"),
      six: networks("2001:db8::/32"),
    };
    const may = async (name: string, address: string) => (await everyWay(name, from(address)))[0];
    expect(await may("wide", "10.2.3.4")).toBe(200);
    expect(await may("wide", "10.1.2.3")).toBe(200);
    expect(await may("wide", "198.51.100.7")).toBe(200);
    expect(await may("wide", "198.51.100.8")).toBe(403);
    expect(await may("wide", "2001:db8::1")).toBe(403);
    expect(await may("narrow", "10.1.2.3")).toBe(200);
    expect(await may("narrow", "10.2.3.4")).toBe(403);
    expect(await may("six", "2001:db8:1::9")).toBe(200);
    expect(await may("six", "2001:db9::9")).toBe(403);
    expect(await everyWay("wide")).toEqual([403]);
    expect(await everyWay("wide", from("not an address"))).toEqual([403]);
  });

  test("is nobody while a function is being made, and is known to an edge that starts without its provider", async () => {
    bed.replicas = { hello: [`${LOOPBACK}.2`] };
    await bed.edge.tell();
    const made = await bed.edge.begin("secret");
    expect(await statusOf("/function/secret")).toBe(404);
    await bed.edge.tell();
    expect(await statusOf("/function/secret")).toBe(404);
    bed.replicas.secret = [`${LOOPBACK}.2`];
    bed.annotations.secret = { [ACCESS]: "internal" };
    await made();
    expect(await statusOf("/function/secret")).toBe(404);
    await restart();
    expect(await statusOf("/function/secret")).toBe(404);
    expect((await call("/function/hello")).seen!.who).toBe("gateway");
  });

  test("also holds for where the answer of an asynchronous call goes", async () => {
    bed.replicas = { open: [`${LOOPBACK}.2`], closed: [`${LOOPBACK}.2`] };
    bed.annotations = { closed: { [ACCESS]: "internal" } };
    await bed.edge.tell();
    const to = (url: string | string[]) =>
      statusOf("/async-function/open", { method: "POST", headers: { "X-Callback-Url": url } });
    for (const url of [
      "https://example.no/hook?a=b,c",
      "http://user:word@example.no:8080/gateway",
      "http://[2001:db8::1]/",
      "http://gateway.example.no/",
      "http://gateway:8080/function/open",
      "http://gateway.openfaas:8080/function/open/a?b",
      "http://gateway:8080/async-function/open",
    ])
      expect([url, await to(url)]).toEqual([url, 200]);
    for (const url of [
      "http://gateway:8080/function/closed",
      "http://GATEWAY:8080/function/closed",
      "HTTP://gateway:8080/function/closed",
      "http://a:b@gateway:8080/function/closed",
      "http://gateway.openfaas:8080/function/closed?x",
      "http://gateway:8080/function/closed#x",
      "http://gateway:8080/function/open/../closed",
      "http://gateway:8080/function/open/%2e%2e/closed",
      "http://gateway:8080/function/open\\..\\closed",
      "http://gateway:8080//function/closed",
      "http://gateway:8080/function/clo%73ed",
      "http://gateway:8080/system/functions",
      "http://gateway:8080",
    ])
      expect([url, await to(url)]).toEqual([url, 403]);
    for (const url of [
      "http://%67ateway:8080/function/closed",
      "http:\\\\gateway:8080/function/closed",
      "http:gateway:8080/function/closed",
      "http:///gateway:8080/function/closed",
      "http://gate\tway:8080/function/closed",
      "http://x\\@gateway:8080/function/closed",
      "file:///etc/passwd",
      "",
    ])
      expect([url, await to(url)]).toEqual([url, 400]);
    expect(await to(["https://example.no/", "http://gateway:8080/function/closed"])).toBe(400);
    const { status } = await call("/function/open", { headers: { "X-Callback-Url": "its own" } });
    expect(status).toBe(200);
  });
});
