import { PassThrough, Readable } from "node:stream";
import { type LogMessage, parseLogRequest, renderLogs } from "../../../../services/swarm-provider/src/logs";

function frame(text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(body.length, 4);
  return Buffer.concat([head, body]);
}

const DETAILS = "com.docker.swarm.node.id=n1,com.docker.swarm.service.id=s1,com.docker.swarm.task.id=t1";
const line = (text: string, at = "2026-01-01T00:00:01.5Z", details = DETAILS) =>
  frame(`${at} ${details} ${text}\n`);

async function read(chunks: Buffer[], request = {}): Promise<LogMessage[]> {
  const found: LogMessage[] = [];
  for await (const text of renderLogs(
    Readable.from(chunks),
    { name: "f", follow: false, ...request },
    "ns",
  )) {
    expect(text.endsWith("\n")).toBe(true);
    found.push(JSON.parse(text) as LogMessage);
  }
  return found;
}

test("each line is a message with where it comes from", async () => {
  expect(await read([line("hello, a=b  c")])).toEqual([
    {
      name: "f",
      namespace: "ns",
      instance: "t1",
      timestamp: "2026-01-01T00:00:01.5Z",
      text: "hello, a=b  c",
    },
  ]);
});

test("lines of several replicas come in the order of their times", async () => {
  const of = (task: string) => DETAILS.replace("t1", task);
  const all = await read([
    line("one", "2026-01-01T00:00:01.100000000Z", of("a")),
    line("three", "2026-01-01T00:00:03.000000000Z", of("a")),
    line("two", "2026-01-01T00:00:01.100000001Z", of("b")),
    line("four", "2026-01-01T00:00:03.000000000Z", of("b")),
  ]);
  expect(all.map(({ text }) => text)).toEqual(["one", "two", "three", "four"]);
});

test("so do those of a log that is followed, a moment later", async () => {
  const stream = new PassThrough();
  const lines = renderLogs(stream, { name: "f", follow: true }, "ns");
  stream.write(line("second", "2026-01-01T00:00:02.000000000Z"));
  stream.write(line("first", "2026-01-01T00:00:01.000000000Z"));
  const texts = [await lines.next(), await lines.next()].map(({ value }) => JSON.parse(value).text);
  expect(texts).toEqual(["first", "second"]);
  await lines.return(undefined);
});

test("what keeps a function from starting comes first", async () => {
  const obstacle = { message: "No such image: a:1", at: "2026-01-01T00:00:00Z" };
  const lines = renderLogs(Readable.from([]), { name: "f", follow: false }, "ns", obstacle);
  expect(JSON.parse((await lines.next()).value)).toMatchObject({ text: "cannot start: No such image: a:1" });
});

test("it does not matter where the stream is cut", async () => {
  const whole = Buffer.concat([line("one"), line("tvø"), line("")]);
  for (let size = 1; size < 40; size++) {
    const chunks = [];
    for (let at = 0; at < whole.length; at += size) chunks.push(whole.subarray(at, at + size));
    expect((await read(chunks)).map(({ text }) => text)).toEqual(["one", "tvø", ""]);
  }
});

test("one replica and a time are picked out, to the fraction of a second", async () => {
  const stream = [
    line("early", "2026-01-01T00:00:01.2Z"),
    line("late"),
    line("other", undefined, "com.docker.swarm.task.id=t2"),
  ];
  expect((await read(stream, { instance: "t2" })).map(({ text }) => text)).toEqual(["other"]);
  const since = new Date("2026-01-01T00:00:01.4Z");
  expect((await read(stream, { since })).map(({ text }) => text)).toEqual(["late", "other"]);
});

test("invalid lines of a log are left out", async () =>
  expect(await read([frame("nonsense\n"), line("x")])).toHaveLength(1));

test("the engine's stream ends when its reader goes", async () => {
  const stream = new PassThrough();
  stream.write(line("one"));
  for await (const _ of renderLogs(stream, { name: "f", follow: true }, "ns")) break;
  expect(stream.destroyed).toBe(true);
});

test("a request is read as other providers read it", () => {
  const query = {
    name: "f",
    tail: "10",
    follow: "1",
    since: "2026-01-01T00:00:00Z",
    instance: "t1",
    namespace: "ns",
  };
  expect(parseLogRequest(query)).toEqual({
    name: "f",
    tail: 10,
    follow: true,
    since: new Date("2026-01-01"),
    instance: "t1",
  });
  expect(parseLogRequest({ name: ["a", "f"], tail: "-1", follow: "no" })).toEqual({
    name: "f",
    follow: false,
  });
});

test("all mistakes of a request are reported at once", () => {
  expect(() => parseLogRequest({ tail: "many", since: "yesterday" })).toThrow(/^name: .*\ntail: .*\nsince: /);
});
