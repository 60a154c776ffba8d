/** Gives a worker the calls that wait, of each function for itself: a slow one does not hold up another. */
import { AckPolicy } from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";
import { CALL_SUBJECT, CALLS, WAKE_SUBJECT } from "../../../shared/queueState";
import { fromMessage } from "./call";
import type { Delivery } from "./delivery";
import type { KnownFunctions } from "./functions";
import { sleep } from "./http";
import type { JetStream } from "./jetstream";
import { Lane, WORKING_MS } from "./lane";
import type { Log } from "./log";
import type { Message, Worker } from "./worker";

const LOOK_MS = 2000;
/** A function's consumer that nobody asks for so long goes, and with it how often its waiting calls were tried. */
const FORGET_MS = 7 * 24 * 3600_000;

export class Lanes {
  private readonly lanes = new Map<string, Lane>();
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
    void this.followConnection();
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

  /** Resolves when calls that were not begun are handed back. */
  async end(): Promise<void> {
    this.ended = true;
    await Promise.all([...this.lanes.values()].map((lane) => lane.end()));
  }

  private async followConnection(): Promise<void> {
    for await (const { type } of this.queue.connection.status())
      if (type === "reconnect") for (const lane of this.lanes.values()) lane.reconnected();
  }

  /** Functions with calls that are not done. */
  private async waiting(): Promise<string[]> {
    const { state } = await this.queue.manager.streams.info(CALLS, { subjects_filter: `${CALL_SUBJECT}.*` });
    return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(CALL_SUBJECT.length + 1));
  }

  private begin(name: string): void {
    if (this.ended || this.lanes.has(name)) return;
    const lane = new Lane({
      concurrency: async () => (await this.functions.settings(name)).concurrency ?? this.options.maxInflight,
      take: (message) => this.worker.take(asMessage(message, this.queue)),
      handBack: (message) => asMessage(message, this.queue).handBack(),
    });
    this.lanes.set(name, lane);
    void this.consumer(name)
      .then((consumer) => lane.serve(this.queue.connection, { stream: CALLS, consumer }))
      .catch((error) =>
        this.log("warn", "calls cannot be taken", { function: name, reason: (error as Error).message }),
      )
      .finally(() => this.lanes.delete(name));
  }

  private async consumer(name: string): Promise<string> {
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
    return durable_name;
  }
}

export function asMessage(message: Delivery, queue: Pick<JetStream, "accept" | "countDone">): Message {
  const { id, count, subject, headers, data } = message;
  const call = () => {
    const found = fromMessage({ subject, headers, data });
    return { ...found, attempt: found.attempt + count - 1 };
  };
  const ack = async () => {
    await queue.countDone(id);
    message.ack();
  };
  return {
    id,
    call,
    ack,
    putBack: (delayMs) => message.nak(delayMs),
    async handBack() {
      // Every delivery counts as an attempt. What was not begun goes back as a new message.
      try {
        await queue.accept(call(), `handed back ${id}`);
        await ack();
      } catch {
        message.nak();
      }
    },
  };
}
