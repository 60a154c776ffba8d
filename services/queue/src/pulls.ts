/**
 * Asks NATS for the calls of one consumer. Several questions may be open: a place that is free waits for no other's call, as it would with
 * the client's `fetch`, whose next question comes after the last is answered in full.
 */
import { createInbox, type Msg, nanos, type NatsConnection, type Subscription } from "@nats-io/nats-core";
import { Delivery } from "./delivery";

/** Longest wait of one question for calls. */
const EXPIRES_MS = 30_000;
/** Without a word for so long, NATS has forgotten what it was asked. */
const SILENCE_MS = EXPIRES_MS + 5000;
/** What NATS says when a question has expired, and of how many calls that did not come. */
const EXPIRED = 408;
const NOT_CAME = "Nats-Pending-Messages";
const PAUSE_MS = 1000;

export class Pulls {
  /** Calls that were asked for and have not come. */
  asked = 0;
  /** Questions in a row that ended without a call. */
  empty = 0;
  private readonly inbox = createInbox("_QUEUE");
  private readonly subscription: Subscription;
  private readonly subject: string;
  private timer?: NodeJS.Timeout;

  /** @param ended a question ended without all that it asked for */
  constructor(
    private readonly connection: NatsConnection,
    { stream, consumer }: { stream: string; consumer: string },
    private readonly came: (message: Delivery) => void,
    private readonly ended: () => void,
  ) {
    this.subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
    this.subscription = connection.subscribe(this.inbox, {
      callback: (error, message) => void (error ?? this.answered(message)),
    });
  }

  ask(count: number): void {
    this.asked += count;
    this.forgetAfter(SILENCE_MS);
    const question = JSON.stringify({ batch: count, expires: nanos(EXPIRES_MS) });
    this.connection.publish(this.subject, question, { reply: this.inbox });
  }

  /** A NATS that was away knows of no question. */
  forget(): void {
    this.end(this.asked);
  }

  close(): void {
    clearTimeout(this.timer);
    this.subscription.unsubscribe();
  }

  private answered(message: Msg): void {
    const code = message.headers?.code ?? 0;
    if (code === 0) {
      this.empty = 0;
      this.asked--;
      return this.came(new Delivery(message));
    }
    if (code === EXPIRED) return this.end(Number(message.headers!.get(NOT_CAME)) || 0);
    // The consumer, or all of NATS, is not there: not asked again at once.
    this.forgetAfter(PAUSE_MS);
  }

  private forgetAfter(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.forget(), ms);
  }

  private end(count: number): void {
    this.asked = Math.max(0, this.asked - count);
    this.empty++;
    this.ended();
  }
}
