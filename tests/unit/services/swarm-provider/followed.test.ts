/** Logs that are followed: what nobody reads any more is not asked of the engine any more either. */
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Provider } from "./support";

let provider: Provider;
/** The engine's end of the log, on which nothing comes unless a test writes it. */
let log: PassThrough;

afterEach(() => provider.stop());

async function start(env: Record<string, string> = {}): Promise<void> {
  provider = await Provider.start({ docker_timeout: "10s", ...env });
  provider.engine.addService("quiet");
  log = new PassThrough();
  provider.engine.intercept = ({ path }) =>
    path.endsWith("/logs") ? { status: 200, stream: log } : undefined;
}

function follow(): Promise<IncomingMessage> {
  return new Promise((done, fail) => {
    const request = get(
      `${provider.url}/system/logs?name=quiet&follow=1`,
      { auth: "admin:pw", agent: false },
      done,
    );
    request.on("error", fail);
  });
}

function frame(text: string): Buffer {
  const line = Buffer.from(`2026-01-01T00:00:00.000000000Z com.docker.swarm.task.id=t1 ${text}\n`);
  const head = Buffer.alloc(8, 0);
  head.writeUInt32BE(line.length, 4);
  return Buffer.concat([head, line]);
}

test("the engine is asked no longer when the follower of a silent function goes", async () => {
  await start();
  const response = await follow();
  const closed = once(log, "close");
  response.on("error", () => undefined).destroy();
  await closed;
});

test("a follower is sent away after as long as a call may take, though nothing was said", async () => {
  await start({ write_timeout: "300ms" });
  const response = await follow();
  const closed = once(log, "close");
  response.resume();
  await Promise.all([once(response, "end"), closed]);
});

test("a follower gets each line as it comes", async () => {
  await start();
  const response = await follow();
  log.write(frame("one"));
  const [first] = (await once(response.setEncoding("utf8"), "data")) as [string];
  expect(JSON.parse(first)).toMatchObject({ name: "quiet", instance: "t1", text: "one" });
  response.on("error", () => undefined).destroy();
});

test("a follower does not hold up the end of the provider", async () => {
  await start();
  const response = await follow();
  response.on("error", () => undefined).resume();
  const ended = await Promise.race([provider.app.close().then(() => true), sleep(4000, false)]);
  response.destroy();
  expect(ended).toBe(true);
});

test("many followers keep nobody else waiting, and more than 64 are sent away", async () => {
  await start();
  provider.engine.intercept = ({ path }) =>
    path.endsWith("/logs") ? { status: 200, stream: new PassThrough() } : undefined;
  const followers = await Promise.all(Array.from({ length: 64 }, follow));
  expect(followers.map(({ statusCode }) => statusCode)).toEqual(Array<number>(64).fill(200));
  expect((await provider.call("GET", "/healthz")).status).toBe(200);
  expect((await provider.call("GET", "/system/functions")).status).toBe(200);
  const refused = await provider.call("GET", "/system/logs?name=quiet&follow=1");
  expect(refused).toMatchObject({ status: 429, text: expect.stringContaining("64 logs are being read") });
  // A name that is not there takes nobody's place, and one that goes makes room.
  for (const each of followers) each.on("error", () => undefined);
  followers.pop()!.destroy();
  for (let i = 0; i < 70; i++) {
    const { status } = await provider.call("GET", "/system/logs?name=nobody&follow=1");
    if (status === 404) continue;
    expect(status).toBe(429);
    await sleep(20);
  }
  const last = await follow();
  expect(last.statusCode).toBe(200);
  for (const each of [last.on("error", () => undefined), ...followers]) each.destroy();
});
