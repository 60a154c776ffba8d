/** The clock with a time that the test sets; what it keeps and what it calls are maps. */
import { Registry } from "prom-client";
import type { QueuedCall } from "../../../../services/queue/src/call";
import { Clock } from "../../../../services/queue/src/clock";
import type { ClockRecord } from "../../../../services/queue/src/clockRecords";
import type { TriggersByFunction } from "../../../../shared/triggers";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SAME_ID_MS = 10 * MINUTE;

let now: number;
let functions: TriggersByFunction;
let isProviderAway: boolean;
let isQueueFull: boolean;
/** As the stream keeps them: a number that grows, and the record. */
let stored: Map<string, { revision: number; text: string }>;
/** Calls that the queue took, and when it last saw an id. */
let calls: QueuedCall[];
let ids: Map<string, number>;
let log: string[];
let revision: number;

beforeEach(() => {
  now = Date.parse("2027-05-05T01:59:00Z");
  functions = {};
  isProviderAway = isQueueFull = false;
  stored = new Map();
  calls = [];
  ids = new Map();
  log = [];
  revision = 0;
});

const records = {
  names: async () => [...stored.keys()],
  read: async (name: string) => {
    const found = stored.get(name);
    return found
      ? { record: JSON.parse(found.text) as ClockRecord, revision: found.revision }
      : { revision: 0 };
  },
  write: async (name: string, record: ClockRecord, expected: number) => {
    if ((stored.get(name)?.revision ?? 0) !== expected) return false;
    stored.set(name, { revision: ++revision, text: JSON.stringify(record) });
    return true;
  },
  remove: async (name: string) => void stored.delete(name),
};
const acceptor = {
  accept: async (call: QueuedCall, id?: string) => {
    if (isQueueFull) throw new Error("the queue is full");
    const isNew = now - (ids.get(id!) ?? -Infinity) > SAME_ID_MS;
    ids.set(id!, now);
    if (isNew) calls.push(call);
    return isNew;
  },
};
const provider = {
  triggers: async () => {
    if (isProviderAway) throw new Error("the provider does not answer");
    return structuredClone(functions);
  },
};

function start(timeZone = "Europe/Oslo") {
  const registry = new Registry();
  const options = {
    timeZone,
    registry,
    now: () => now,
    log: (_level: string, message: string) => void log.push(message),
  };
  return Object.assign(new Clock(records, acceptor, provider, options), { registry });
}

const timed = (schedule: string, createdMs = 0) => ({
  annotations: { topic: "cron-function", schedule },
  createdMs,
});

/** Looks each second, as `run` does. */
async function pass(ms: number, ...clocks: Clock[]): Promise<void> {
  for (const end = now + ms; now < end; now += 1000) for (const clock of clocks) await clock.look();
}

const called = () =>
  calls.map((call) => `${call.function} ${new Date(scheduled(call)).toISOString().slice(5, 16)}`);
const scheduled = ({ headers }: QueuedCall) => Date.parse(headers["X-Scheduled-Time"]![0]!);

test("a function is called at its time, once, and says for which", async () => {
  functions = { nightly: timed("0 4 * * *"), other: { annotations: { topic: "orders" }, createdMs: 0 } };
  await pass(5 * MINUTE, start());
  expect(calls).toEqual([
    {
      function: "nightly",
      target: "/function/nightly",
      headers: {
        "X-Call-Id": ["nightly-2027-05-05T02:00:00.000Z"],
        "X-Start-Time": [`${Date.parse("2027-05-05T02:00:00Z")}000000`],
        "X-Topic": ["cron-function"],
        "X-Scheduled-Time": ["2027-05-05T02:00:00.000Z"],
      },
      body: Buffer.alloc(0),
      callId: "nightly-2027-05-05T02:00:00.000Z",
      attempt: 1,
      acceptedMs: Date.parse("2027-05-05T02:00:00Z"),
    },
  ]);
});

test("several clocks that start and end at any time call once for each time", async () => {
  functions = { often: timed("*/2 * * * *") };
  const [one, two] = [start(), start()];
  await pass(3 * MINUTE, one, two);
  await pass(3 * MINUTE, start(), two);
  await pass(2 * MINUTE, start());
  expect(called()).toEqual(["02:00", "02:02", "02:04", "02:06"].map((time) => `often 05-05T${time}`));
});

test("a call whose record was not written is not made again", async () => {
  functions = { nightly: timed("0 4 * * *") };
  const clock = start();
  await pass(30_000, clock);
  now = Date.parse("2027-05-05T02:00:00Z");
  const write = jest.spyOn(records, "write").mockRejectedValue(new Error("no answer"));
  await pass(10_000, clock);
  write.mockRestore();
  await pass(MINUTE, start());
  expect(called()).toEqual(["nightly 05-05T02:00"]);
  await pass(12 * HOUR, start());
  expect(calls).toHaveLength(1);
});

test("of the times while everything was down, the last is made up for, once", async () => {
  functions = { often: timed("*/10 * * * *"), daily: timed("0 4 * * *"), yearly: timed("@yearly") };
  await pass(5 * MINUTE, start());
  calls = [];
  now = Date.parse("2027-05-09T07:15:30Z");
  await pass(MINUTE, start(), start());
  expect(called().sort()).toEqual(["daily 05-09T02:00", "often 05-09T07:10"]);
  expect(log).toContain("called for a time that was missed");
  await pass(5 * MINUTE, start());
  expect(calls.length).toBe(3);
});

test("a new function is not called for times before it was there", async () => {
  const clock = start();
  await pass(MINUTE, clock);
  now = Date.parse("2027-05-05T02:00:30Z");
  functions = { nightly: timed("0 4 * * *", now), often: timed("*/5 * * * *") };
  await pass(MINUTE, clock);
  expect(called()).toEqual([]);
  // Deployed again under the same name while no clock ran: its record is the old one's.
  await pass(10 * MINUTE, clock);
  expect(called()).toEqual(["often 05-05T02:05", "often 05-05T02:10"]);
  now += 24 * HOUR;
  functions = { nightly: timed("0 4 * * *", now), often: timed("*/5 * * * *", now) };
  await pass(MINUTE, start());
  expect(calls).toHaveLength(2);
});

test("a function that is deployed right before its time is called at it", async () => {
  const clock = start();
  now = Date.parse("2027-05-05T01:59:56Z");
  await clock.look();
  functions = { nightly: timed("0 4 * * *", now + 2000) };
  await pass(10_000, clock);
  expect(called()).toEqual(["nightly 05-05T02:00"]);
});

test("a schedule that is changed or removed counts within seconds, and one that comes back has missed nothing", async () => {
  functions = { often: timed("*/2 * * * *") };
  const clock = start();
  await pass(2 * MINUTE, clock);
  functions = { often: timed("*/3 * * * *") };
  await pass(3 * MINUTE, clock);
  expect(called()).toEqual(["often 05-05T02:00", "often 05-05T02:03"]);
  functions = { often: { annotations: {}, createdMs: 0 } };
  await pass(HOUR, clock);
  expect(stored.size).toBe(0);
  functions = { often: timed("*/3 * * * *") };
  await pass(30_000, clock);
  expect(calls).toHaveLength(2);
});

test("a schedule that went while no clock ran leaves no record", async () => {
  functions = { often: timed("*/2 * * * *") };
  await pass(MINUTE, start());
  functions = {};
  now += HOUR;
  await pass(10_000, start());
  expect(stored.size).toBe(0);
});

test("while the queue takes no call its time waits, and only the last one", async () => {
  functions = { often: timed("*/5 * * * *") };
  const clock = start();
  await pass(30_000, clock);
  isQueueFull = true;
  await pass(20 * MINUTE, clock);
  expect(log).toContain("a call by the clock is not accepted yet");
  isQueueFull = false;
  await pass(10_000, clock);
  expect(called()).toEqual(["often 05-05T02:15"]);
});

test("while the provider is away, what is known is called", async () => {
  functions = { often: timed("*/5 * * * *") };
  const clock = start();
  await pass(30_000, clock);
  isProviderAway = true;
  await pass(3 * MINUTE, clock);
  expect(called()).toEqual(["often 05-05T02:00"]);
  expect(stored.size).toBe(1);
});

test("a clock that was set wrong holds nothing up", async () => {
  functions = { often: timed("*/5 * * * *") };
  const clock = start();
  const right = now;
  now += 365 * 24 * HOUR;
  await pass(5 * MINUTE, clock);
  calls = [];
  now = right;
  await pass(3 * MINUTE, clock);
  expect(called()).toEqual(["often 05-05T02:00"]);
});

test.each([
  ["2027-03-28T00:00:00Z", ["03-28T01:00", "03-29T00:30"]],
  ["2027-10-31T00:00:00Z", ["10-31T00:30", "11-01T01:30"]],
])("through the change of clocks after %s, half past two comes once a day", async (from, expected) => {
  functions = { nightly: timed("30 2 * * *") };
  now = Date.parse(from);
  // A restart every 20 minutes makes up for what the clock before it has not called for.
  for (let i = 0; i < 26 * 3; i++) {
    await pass(5000, start());
    now += 20 * MINUTE - 5000;
  }
  expect(called()).toEqual(expected.map((time) => `nightly ${time}`));
});

test("the next and the last time are metrics", async () => {
  functions = { nightly: timed("0 4 * * *") };
  const clock = start();
  await pass(2 * MINUTE, clock);
  const text = await clock.registry.metrics();
  const at = (time: string) => Date.parse(time) / 1000;
  expect(text).toContain(
    `oslo_faas_schedule_last_timestamp_seconds{function_name="nightly"} ${at("2027-05-05T02:00Z")}`,
  );
  expect(text).toContain(
    `oslo_faas_schedule_next_timestamp_seconds{function_name="nightly"} ${at("2027-05-06T02:00Z")}`,
  );
  functions = {};
  await pass(10_000, clock);
  expect(await clock.registry.metrics()).not.toContain("nightly");
});

test("another time zone is another schedule", async () => {
  functions = { nightly: timed("0 4 * * *") };
  await pass(2 * MINUTE, start());
  now = Date.parse("2027-05-05T04:30:00Z");
  await pass(MINUTE, start("UTC"));
  expect(called()).toEqual(["nightly 05-05T02:00"]);
});
