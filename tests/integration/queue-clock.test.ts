/** Two clocks with a real NATS: what they keep there, and what the worker calls in the end. The gateway is one HTTP server. */
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { Registry } from "prom-client";
import { Acceptor } from "../../services/queue/src/accept";
import { Clock } from "../../services/queue/src/clock";
import { ClockRecords } from "../../services/queue/src/clockRecords";
import { type Config, readConfig } from "../../services/queue/src/config";
import { DeadCalls } from "../../services/queue/src/dead";
import { JetStream } from "../../services/queue/src/jetstream";
import { Lanes } from "../../services/queue/src/lanes";
import { Worker } from "../../services/queue/src/worker";
import type { TriggersByFunction } from "../../shared/triggers";
import { buildGoProgram } from "./goProgram";
import { configureNats, killNats, startNats, until } from "./natsBed";
import { freePort } from "./sshd";

jest.setTimeout(120_000);

const quiet = () => undefined;
const closers: (() => unknown)[] = [];
const made: http.IncomingMessage[] = [];
let dir: string;
let config: Config;
let nats: ChildProcess;

const start = () => (nats = startNats(dir));

beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-clock-"));
  closers.push(() => fs.rmSync(dir, { recursive: true }));
  buildGoProgram("nats", dir);
  const gateway = http.createServer((request, response) => {
    made.push(request);
    request.resume().on("end", () => response.end());
  });
  await new Promise<void>((done) => gateway.listen(0, "127.0.0.1", done));
  closers.push(() => (gateway.close(), gateway.closeAllConnections()));
  const ports = { nats: await freePort(), monitor: await freePort() };
  config = readConfig(configureNats(dir, { ...ports, gateway: (gateway.address() as net.AddressInfo).port }));
  start();
  closers.push(() => killNats(nats));
}, 900_000);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

const scheduled = () => made.map(({ url, headers }) => `${url} ${String(headers["x-scheduled-time"])}`);

test("a schedule calls once for a time, through a kill of NATS, and once for all times that were missed", async () => {
  const functions: TriggersByFunction = {
    nightly: { annotations: { topic: "cron-function", schedule: "0 4 * * *" }, createdMs: 0 },
  };
  const known = { triggers: async () => functions, settings: async () => ({}) };
  let offset = Date.parse("2027-05-05T01:59:56Z") - Date.now();
  const clocks: { clock: Clock; queue: JetStream; ran: Promise<void> }[] = [];
  const begin = async (name: string) => {
    const queue = await JetStream.open(config, name, quiet);
    closers.push(() => queue.connection.close());
    const options = { timeZone: "Europe/Oslo", registry: new Registry(), log: quiet };
    const now = () => Date.now() + offset;
    const clock = new Clock(new ClockRecords(queue), new Acceptor(queue), known, { ...options, now });
    clocks.push({ clock, queue, ran: clock.run() });
    return queue;
  };
  const queue = await begin("queue-intake-one");
  await begin("queue-intake-two");
  const dead = new DeadCalls(queue);
  const worker = new Worker(config, quiet, dead, known);
  const lanes = new Lanes(queue, worker, config, known, quiet);
  void lanes.run();
  closers.push(() => lanes.end());
  const done = async () => Object.keys(await dead.waiting()).length === 0;

  // In real time, but for the date.
  await until("the call at four", () => made.length > 0);
  await until("an empty queue", done);
  expect(scheduled()).toEqual(["/function/nightly 2027-05-05T02:00:00.000Z"]);
  expect(made[0]!.headers).toMatchObject({
    "x-topic": "cron-function",
    "x-call-id": "nightly-2027-05-05T02:00:00.000Z",
  });
  const records = new ClockRecords(queue);
  const last = async () => (await records.read("nightly")).record?.lastMs;
  await until("the record", async () => (await last()) === Date.parse("2027-05-05T02:00:00Z"));
  // Who has read an older one cannot replace it.
  const { record, revision } = await records.read("nightly");
  expect(await records.write("nightly", record!, revision - 1)).toBe(false);
  expect(await records.names()).toEqual(["nightly"]);

  await killNats(nats);
  // Three days later.
  offset += 3 * 24 * 3_600_000;
  start();
  await until("the call that was missed", () => made.length > 1);
  await until("its record", async () => (await last().catch(() => 0)) === Date.parse("2027-05-08T02:00:00Z"));
  await until("an empty queue", async () => done().catch(() => false));
  expect(scheduled().slice(1)).toEqual(["/function/nightly 2027-05-08T02:00:00.000Z"]);

  delete functions.nightly;
  await until("no record", async () => (await records.names()).length === 0);
  for (const { clock, ran } of clocks) {
    clock.end();
    await ran;
  }
});
