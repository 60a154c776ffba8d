/**
 * The life of asynchronous calls as a model: a queue that delivers again what is not acknowledged, functions that fail, and workers that are
 * killed or told to end. Whatever meets what, a call that was accepted is done or kept.
 */
import fc from "fast-check";
import { BlockList } from "node:net";
import type { Msg } from "@nats-io/nats-core";
import { type QueuedCall, toMessage } from "../../../../services/queue/src/call";
import { readConfig } from "../../../../services/queue/src/config";
import type { Failure } from "../../../../services/queue/src/dead";
import { Delivery } from "../../../../services/queue/src/delivery";
import type { Answer } from "../../../../services/queue/src/http";
import { asMessage } from "../../../../services/queue/src/lanes";
import { type Message, Worker } from "../../../../services/queue/src/worker";

const mockAsked: { callId: string; answer: (how: number | "broken") => void }[] = [];
jest.mock("../../../../services/queue/src/http", () => {
  const actual = jest.requireActual<typeof import("../../../../services/queue/src/http")>(
    "../../../../services/queue/src/http",
  );
  return {
    ...actual,
    // What waits for its queue waits for no clock here.
    sleep: () => new Promise((done) => setImmediate(done)),
    post: (_to: unknown, { headers }: { headers: Record<string, string[]> }) =>
      new Promise<Answer>((done, fail) =>
        mockAsked.push({
          callId: headers["X-Call-Id"]![0]!,
          answer: (how) =>
            how === "broken"
              ? fail(new actual.Broken("the connection broke", true))
              : done({ status: how, headers: {}, body: Buffer.alloc(0), took: true }),
        }),
      ),
  };
});

const ATTEMPTS = 3;
const RETRIED = [429, 503];
/** What is given to a worker that always answers, until nothing is left; more than any call needs. */
const ROUNDS = 50;

type Step =
  | { do: "accept" | "kill" | "end" | "count fails" | "keep fails" }
  | { do: "deliver" | "deliver to one that ends" | "deliver again"; which: number }
  | { do: "answer"; which: number; how: number | "broken" };

const which = fc.nat(5);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant("accept" as const) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("deliver" as const), which }) },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("answer" as const),
        which,
        how: fc.constantFrom(200, 400, 429, 500, 503, "broken" as const),
      }),
    },
    fc.record({ do: fc.constantFrom("deliver again" as const, "deliver to one that ends" as const), which }),
    fc.record({
      do: fc.constantFrom("kill" as const, "end" as const, "count fails" as const, "keep fails" as const),
    }),
  ),
  { minLength: 20, maxLength: 60 },
);

/** A connection of one worker: what it says when it is cut off reaches nobody. */
interface Connection {
  isCut: boolean;
}

interface Entry {
  call: QueuedCall;
  deliveries: number;
  isOut: boolean;
}

type Mistake = (message: Message) => Message;

/** Messages as JetStream keeps them, numbered from 1. */
class Queue {
  readonly entries = new Map<number, Entry>();
  readonly counted = new Set<string>();
  stored = 0;
  countFails = false;

  async accept(call: QueuedCall): Promise<boolean> {
    this.entries.set(++this.stored, { call, deliveries: 0, isOut: false });
    return true;
  }

  async countDone(id: string): Promise<void> {
    if (this.countFails) {
      this.countFails = false;
      throw new Error("the queue is away");
    }
    this.counted.add(id);
  }

  numbers(isOut: boolean): number[] {
    return [...this.entries].filter(([, entry]) => entry.isOut === isOut).map(([number]) => number);
  }

  deliver(number: number, connection: Connection): Message {
    const entry = this.entries.get(number)!;
    entry.deliveries++;
    entry.isOut = true;
    const { subject, headers, data } = toMessage(entry.call);
    const respond = (word: string) => {
      if (connection.isCut) return false;
      if (word === "+ACK") this.entries.delete(number);
      else if (word.startsWith("-NAK")) entry.isOut = false;
      return true;
    };
    const reply = `$JS.ACK.CALLS.fn-f.${entry.deliveries}.${number}.1.1795485600123456789.0`;
    return asMessage(new Delivery({ reply, subject, headers, data, respond } as unknown as Msg), {
      accept: async (call) => {
        if (connection.isCut) throw new Error("the connection is closed");
        return this.accept(call);
      },
      countDone: async (id) => {
        if (connection.isCut) throw new Error("the connection is closed");
        return this.countDone(id);
      },
    });
  }
}

class World {
  private readonly queue = new Queue();
  private readonly accepted = new Set<string>();
  private readonly succeeded = new Set<string>();
  private readonly dead = new Map<string, { callId: string; failure: Failure }>();
  private keepFails = false;
  private connection: Connection = { isCut: false };
  private worker: Worker;
  private ending?: { worker: Worker; connection: Connection };

  constructor(
    private readonly mistake: Mistake,
    private readonly keepsNothing: boolean,
  ) {
    this.worker = this.newWorker(this.connection);
  }

  private newWorker(connection: Connection): Worker {
    const config = readConfig({
      faas_gateway_address: "127.0.0.1",
      faas_gateway_port: "8080",
      retry_attempts: String(ATTEMPTS),
      retry_codes: RETRIED.join(","),
    });
    const keep = async (call: QueuedCall, failure: Failure, id: string): Promise<void> => {
      // A process that was killed does not try again.
      if (connection.isCut) return new Promise<void>(() => undefined);
      if (this.keepFails) {
        this.keepFails = false;
        throw new Error("the queue is away");
      }
      if (!this.keepsNothing) this.dead.set(id, { callId: call.callId, failure });
    };
    return new Worker(config, () => undefined, { keep }, { settings: async () => ({}) }, new BlockList());
  }

  async run(given: Step[]): Promise<void> {
    for (const step of given) {
      this.make(step);
      await this.quiet();
      this.check();
    }
    await this.drain();
    this.checkEnd();
  }

  private make(step: Step): void {
    if ("how" in step) this.answer(step.which, step.how);
    else if ("which" in step) this.deliver(step.do, step.which);
    else if (step.do === "accept") this.accept();
    else if (step.do === "count fails") this.queue.countFails = true;
    else if (step.do === "keep fails") this.keepFails = true;
    else this.replaceWorker(step.do);
  }

  private deliver(how: (Step & { which: number })["do"], index: number): void {
    const pick = (list: number[]): number | undefined => list[index % list.length];
    if (how === "deliver again") {
      const number = pick(this.queue.numbers(true));
      if (number !== undefined) this.queue.entries.get(number)!.isOut = false;
      return;
    }
    const to = how === "deliver" ? { worker: this.worker, connection: this.connection } : this.ending;
    const number = pick(this.queue.numbers(false));
    if (number !== undefined && to)
      void to.worker.take(this.mistake(this.queue.deliver(number, to.connection)));
  }

  private accept(): void {
    const callId = `call-${this.accepted.size + 1}`;
    this.accepted.add(callId);
    const headers = { "X-Call-Id": [callId] };
    const target = "/function/f";
    void this.queue.accept({
      function: "f",
      target,
      headers,
      body: Buffer.alloc(0),
      callId,
      attempt: 1,
      acceptedMs: 0,
    });
  }

  private answer(index: number, how: number | "broken"): void {
    const [asked] = mockAsked.splice(index % Math.max(mockAsked.length, 1), 1);
    if (!asked) return;
    if (how !== "broken" && how < 500 && how !== 429) this.succeeded.add(asked.callId);
    asked.answer(how);
  }

  /** Another takes over. One that ends may still say what becomes of its calls; one that was killed says nothing. */
  private replaceWorker(how: "kill" | "end"): void {
    if (how === "end") {
      void this.worker.end(0);
      this.ending = { worker: this.worker, connection: this.connection };
    } else {
      this.connection.isCut = true;
      for (const number of this.queue.numbers(true)) this.queue.entries.get(number)!.isOut = false;
    }
    this.connection = { isCut: false };
    this.worker = this.newWorker(this.connection);
  }

  /** Until nothing happens by itself any more. */
  private async quiet(): Promise<void> {
    for (let i = 0; i < 12; i++) await new Promise((done) => setImmediate(done));
  }

  private async drain(): Promise<void> {
    for (let round = 0; this.queue.entries.size > 0 && round < ROUNDS; round++) {
      while (mockAsked.length > 0) this.answer(0, 503);
      await this.quiet();
      for (const number of [...this.queue.entries.keys()]) {
        this.queue.entries.get(number)!.isOut = false;
        void this.worker.take(this.mistake(this.queue.deliver(number, this.connection)));
      }
      await this.quiet();
    }
  }

  private check(): void {
    const held = new Set([...this.queue.entries.values()].map(({ call }) => call.callId));
    const kept = new Set([...this.dead.values()].map(({ callId }) => callId));
    for (const callId of this.accepted)
      if (!held.has(callId) && !kept.has(callId) && !this.succeeded.has(callId))
        throw new Error(`broken promise: ${callId} is neither done nor kept`);
    for (const { callId, failure } of this.dead.values())
      if (RETRIED.includes(failure.status) && failure.attempts < ATTEMPTS)
        throw new Error(`broken promise: ${callId} was given up after ${failure.attempts} attempts`);
  }

  private checkEnd(): void {
    this.check();
    const { entries, stored, counted } = this.queue;
    if (entries.size > 0) throw new Error(`broken promise: ${entries.size} calls never end`);
    if (counted.size !== stored)
      throw new Error(`broken promise: ${stored} messages were stored, and ${counted.size} counted`);
  }
}

/** Others, and more of them, on request: SEED=7 RUNS=5000. */
const SEED = Number(process.env.SEED ?? 1);
const RUNS = Number(process.env.RUNS ?? 100);
jest.setTimeout(Math.max(RUNS, 100) * 2000);

async function failureOf(mistake?: Mistake, keepsNothing = false): Promise<string> {
  const endOnFailure = mistake !== undefined || keepsNothing;
  const property = fc.asyncProperty(steps, async (given) => {
    mockAsked.length = 0;
    await new World(mistake ?? ((message) => message), keepsNothing).run(given);
  });
  const details = await fc.check(property, { seed: SEED, numRuns: RUNS, endOnFailure });
  return details.failed ? `${String(details.errorInstance)}\n${fc.defaultReportMessage(details)}` : "";
}

test("a call that was accepted is done or kept, and counted once", async () => {
  expect(await failureOf()).toBe("");
});

/** Each is one that a reader might take for a simplification. */
const mistakes: Record<string, Mistake> = {
  "a call is acknowledged when it comes": (message) => {
    void message.ack();
    return message;
  },
  "a call that is put back is acknowledged": (message) => ({
    ...message,
    putBack: () => void message.ack(),
  }),
  "a delivery is not an attempt": (message) => ({
    ...message,
    call: () => ({ ...message.call(), attempt: 1 }),
  }),
  "what an ending worker was given is acknowledged": (message) => ({
    ...message,
    handBack: () => message.ack(),
  }),
};

test.each(Object.entries(mistakes))("the model notices it: %s", async (_what, mistake) => {
  expect(await failureOf(mistake)).toContain("broken promise");
});

test("the model notices it: a call that failed for good is not kept", async () => {
  expect(await failureOf(undefined, true)).toContain("broken promise");
});
