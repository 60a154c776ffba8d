/** What the edge bounds, at the edge as it runs. */
import type * as http from "node:http";
import * as path from "node:path";
import { LOOPBACK, bed, call, configure, held, restart, until, useBed, WRONG_LOGIN } from "./edgeBed";

useBed();

describe("calls of one function at the same time", () => {
  const answerHeld = () => held.splice(0).forEach((response) => response.end("late"));
  afterEach(answerHeld);

  test("are bounded, and those of another function go on", async () => {
    configure("public", { maxConcurrent: 5 });
    await restart();
    bed.replicas = {
      flooded: [`${LOOPBACK}.2`],
      other: [`${LOOPBACK}.2`],
      small: [`${LOOPBACK}.3`],
      free: [`${LOOPBACK}.3`],
    };
    const most = (calls: string) => ({ "com.oslo-faas.max-concurrent": calls });
    bed.annotations = { small: most("2"), free: most("0") };
    await bed.edge.tell();
    const hold = (name: string, count: number) =>
      Array.from({ length: count }, () => call(`/function/${name}/held`));
    const flood = hold("flooded", 5);
    await until("five calls", () => held.length === 5);
    const refused = await Promise.all(hold("flooded", 40));
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([429]));
    expect(refused[0]).toMatchObject({
      headers: { "retry-after": "1" },
      text: "This function has too many calls under way. Try again later.\n",
    });
    for (let i = 0; i < 20; i++) expect((await call("/function/other")).status).toBe(200);
    expect((await call("/async-function/flooded", { method: "POST" })).status).toBe(200);

    const two = hold("small", 2);
    await until("two calls", () => held.length === 7);
    expect((await call("/function/small")).status).toBe(429);
    const many = hold("free", 12);
    await until("twelve calls", () => held.length === 19);

    answerHeld();
    const answers = await Promise.all([...flood, ...two, ...many]);
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(["late"]));
    for (const name of ["flooded", "small"]) expect((await call(`/function/${name}`)).status).toBe(200);
    // What was refused never counted as a call.
    expect(await bed.edge.invocations()).toEqual(
      new Map([
        ["flooded", { started: 6, ended: 6 }],
        ["other", { started: 20, ended: 20 }],
        ["small", { started: 3, ended: 3 }],
        ["free", { started: 12, ended: 12 }],
      ]),
    );
  });

  test("of 2,000 connections are bounded by default, and another function answers meanwhile", async () => {
    configure("public", { upstreamTimeout: "120s" });
    await restart();
    bed.replicas = { flooded: [`${LOOPBACK}.2`], other: [`${LOOPBACK}.3`] };
    await bed.edge.tell();
    const counts: Record<number, number> = {};
    const flood = Array.from({ length: 2000 }, async () => {
      const { status } = await call("/function/flooded/held");
      counts[status] = (counts[status] ?? 0) + 1;
    });
    await until("every call", () => held.length === 1500 && counts[429] === 500);
    for (let i = 0; i < 20; i++) expect((await call("/function/other")).status).toBe(200);
    expect((await call("/function/flooded")).status).toBe(429);
    answerHeld();
    await Promise.all(flood);
    expect(counts).toEqual({ 200: 1500, 429: 500 });
    expect((await call("/function/flooded")).status).toBe(200);
  });

  test("are bounded as well where the gateway makes them", async () => {
    configure("public", { maxConcurrent: 1 });
    await restart();
    const statuses: number[] = [];
    bed.replicas = { sleeper: [`${LOOPBACK}.2`] };
    bed.annotations = { sleeper: { "com.oslo-faas.max-concurrent": "1" } };
    await bed.edge.tell();
    const first = call("/function/sleeper/held");
    await until("the call", () => held.length === 1);
    bed.zero = new Set(["sleeper"]);
    await bed.edge.tell();
    statuses.push((await call("/function/sleeper")).status);
    answerHeld();
    await first;
    const again = await call("/function/sleeper");
    expect([...statuses, again.status, again.seen!.who]).toEqual([429, 200, "gateway"]);
  });
});

describe("a login", () => {
  const manage = (address: string, headers: http.OutgoingHttpHeaders = {}) =>
    call("//system/functions?a=%2e", {
      socketPath: path.join(bed.dir, "door/management.sock"),
      headers: { "X-Real-IP": address, ...headers },
    });
  const wrong = { Authorization: WRONG_LOGIN };
  const right = { Authorization: "Basic right" };
  const statusesOf = async (count: number, ...args: Parameters<typeof manage>) => {
    const statuses: number[] = [];
    for (let i = 0; i < count; i++) statuses.push((await manage(...args)).status);
    return statuses;
  };

  beforeEach(async () => {
    configure("public", { failedLogins: 3 });
    await restart();
  });

  test("that fails too often is refused before it is looked at, from that address alone", async () => {
    expect(await statusesOf(5, "198.51.100.7", wrong)).toEqual([401, 401, 401, 429, 429]);
    const refused = await manage("198.51.100.7", right);
    expect(refused).toMatchObject({
      status: 429,
      headers: { "retry-after": "60" },
      text: "Too many wrong passwords. Try again in a minute.\n",
    });
    expect(refused.seen).toBeUndefined();
    const elsewhere = await manage("198.51.100.8", right);
    expect(elsewhere).toMatchObject({
      status: 200,
      seen: { who: "gateway", url: "//system/functions?a=%2e" },
    });
  });

  test("is counted by the /64 of IPv6", async () => {
    expect(await statusesOf(3, "2001:db8:1:2::1", wrong)).toEqual([401, 401, 401]);
    expect(await statusesOf(1, "2001:db8:1:2:ffff::9", right)).toEqual([429]);
    expect(await statusesOf(1, "2001:db8:1:3::1", right)).toEqual([200]);
  });

  test("that is right, or that nobody tries, is never counted", async () => {
    expect(new Set(await statusesOf(40, "198.51.100.9", right))).toEqual(new Set([200]));
    expect(new Set(await statusesOf(40, "198.51.100.9"))).toEqual(new Set([200]));
    expect(await statusesOf(1, "198.51.100.9", right)).toEqual([200]);
  });

  test("is not limited where the environment says so", async () => {
    configure("public", { failedLogins: 0 });
    await restart();
    expect(new Set(await statusesOf(20, "198.51.100.7", wrong))).toEqual(new Set([401]));
  });
});
