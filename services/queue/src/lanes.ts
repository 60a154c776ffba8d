/** Gives a worker the calls that wait, of each function for itself: a slow one does not hold up another. */
import { AckPolicy, type Consumer, type JsMsg } from "@nats-io/jetstream";
import { type MsgHdrs, nanos } from "@nats-io/nats-core";
import { CALL_SUBJECT, CALLS, WAKE_SUBJECT } from "../../../shared/queueState";
import { fromMessage } from "./call";
import type { KnownFunctions } from "./functions";
import { sleep } from "./http";
import type { JetStream } from "./jetstream";
import type { Log } from "./log";
import type { Message, Worker } from "./worker";

/** A worker says so often that it still works on a call. What a worker that died had under way goes to another after three of these. */
const WORKING_MS = 10_000;
const LOOK_MS = 2000;
/** Longest wait of one question for calls. */
const FETCH_MS = 30_000;
const PAUSE_MS = 1000;
/** A function's consumer that nobody asks for so long goes, and with it how often its waiting calls were tried. */
const FORGET_MS = 7 * 24 * 3600_000;
/** So often in vain, a lane ends; the next call begins another. */
const EMPTY_FETCHES = 20;

export class Lanes {
  private readonly lanes = new Map<string, { busy: number; free(): void }>();
  private ended = false;
  private looked = false;

  constructor(
    private readonly queue: JetStream,
    private readonly worker: Pick<Worker, "take">,
    private readonly options: { maxInflight: number },
    private readonly functions: Pick<KnownFunctions, "settings">,
    private readonly log: Log,
  ) {}

  /** Whether calls have been able to come, if only once. */
  get wasReady(): boolean {
    return this.looked;
  }

  /** Resolves when `end` was called. */
  async run(): Promise<void> {
    const woken = this.queue.connection.subscribe(WAKE_SUBJECT, {
      callback: (error, message) => void (error ?? this.begin(message.string())),
    });
    while (!this.ended) {
      try {
        for (const name of await this.waiting()) this.begin(name);
        this.looked = true;
      } catch (error) {
        this.log("warn", "the queue cannot be asked", { reason: (error as Error).message });
      }
      await sleep(LOOK_MS);
    }
    woken.unsubscribe();
  }

  end(): void {
    this.ended = true;
  }

  /** Functions with calls that are not done. */
  private async waiting(): Promise<string[]> {
    const { state } = await this.queue.manager.streams.info(CALLS, { subjects_filter: `${CALL_SUBJECT}.*` });
    return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(CALL_SUBJECT.length + 1));
  }

  private begin(name: string): void {
    if (this.ended || this.lanes.has(name)) return;
    const lane = { busy: 0, free: () => undefined as void };
    this.lanes.set(name, lane);
    void this.serve(name, lane)
      .catch((error) =>
        this.log("warn", "calls cannot be taken", { function: name, reason: (error as Error).message }),
      )
      .finally(() => this.lanes.delete(name));
  }

  private async serve(name: string, lane: { busy: number; free(): void }): Promise<void> {
    const consumer = await this.consumer(name);
    for (let empty = 0; !this.ended && empty < EMPTY_FETCHES;) {
      const { concurrency = this.options.maxInflight } = await this.functions.settings(name);
      const room = concurrency - lane.busy;
      if (room < 1) {
        await new Promise<void>((done) => (lane.free = done));
        continue;
      }
      const batch = await consumer.fetch({ max_messages: room, expires: FETCH_MS });
      empty++;
      for await (const message of batch) {
        empty = 0;
        lane.busy++;
        void this.take(message).finally(() => {
          lane.busy--;
          lane.free();
        });
      }
      // A question that NATS cannot answer ends at once.
      if (empty > 0) await sleep(this.queue.connection.isClosed() ? PAUSE_MS : 0);
    }
    while (lane.busy > 0) await new Promise<void>((done) => (lane.free = done));
  }

  private async consumer(name: string): Promise<Consumer> {
    const durable_name = `fn-${name}`;
    await this.queue.manager.consumers.add(CALLS, {
      durable_name,
      filter_subject: `${CALL_SUBJECT}.${name}`,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(3 * WORKING_MS),
      // What waits for another attempt takes the place of none that could be made.
      max_ack_pending: -1,
      max_deliver: -1,
      inactive_threshold: nanos(FORGET_MS),
    });
    return this.queue.client.consumers.get(CALLS, durable_name);
  }

  private async take(message: JsMsg): Promise<void> {
    const alive = setInterval(() => message.working(), WORKING_MS);
    try {
      await this.worker.take(asMessage(message, this.queue));
    } finally {
      clearInterval(alive);
    }
  }
}

function asMessage(message: JsMsg, queue: Pick<JetStream, "countDone">): Message {
  const { seq, subject, data } = message;
  const headers = message.headers as MsgHdrs | undefined;
  const { deliveryCount } = message.info as { deliveryCount: number };
  // A queue that was emptied by hand counts from 1 again.
  const id = `${seq} ${message.timestampNanos}`;
  return {
    id,
    call: () => {
      const call = fromMessage({ subject, headers, data });
      return { ...call, attempt: call.attempt + deliveryCount - 1 };
    },
    async ack() {
      await queue.countDone(id);
      message.ack();
    },
    putBack: (delayMs) => message.nak(delayMs > 0 ? delayMs : undefined),
  };
}
