/** The calls of one function at one worker: as many at the same time as it may have, and the next ones at hand where calls are quick. */
import type { NatsConnection } from "@nats-io/nats-core";
import type { Delivery } from "./delivery";
import { Pulls } from "./pulls";

/** A worker says so often that it has a call. What a worker that died had goes to another after three of these. */
export const WORKING_MS = 10_000;
/** So often in vain, a lane ends; the next call begins another. */
const EMPTY_QUESTIONS = 20;
/** Calls wait here for about so long at the most: another worker might have a place for them. */
const AT_HAND_MS = 100;
/** And not more of them than this, of bodies not larger in all than this. */
const MOST_AT_HAND = 32;
const BYTES_AT_HAND = 1024 * 1024;

interface Work {
  /** Calls at the same time. It may change. */
  concurrency(): Promise<number>;
  /** Resolves when the call's place is free. */
  take(message: Delivery): Promise<void>;
  /** Of a call that was not begun. */
  handBack(message: Delivery): Promise<void>;
}

export class Lane {
  private readonly underWay = new Set<Delivery>();
  private readonly atHand: Delivery[] = [];
  private pulls?: Pulls;
  private ended = false;
  private wake = () => undefined as void;
  /** How long a call takes, and how large it is, of late. */
  private usual = { ms: Infinity, bytes: 0 };

  constructor(private readonly work: Work) {}

  /** Resolves at its end, or when no call has come for long. */
  async serve(connection: NatsConnection, consumer: { stream: string; consumer: string }): Promise<void> {
    const pulls = (this.pulls = new Pulls(
      connection,
      consumer,
      (message) => this.came(message),
      () => this.wake(),
    ));
    const alive = setInterval(() => {
      for (const message of [...this.underWay, ...this.atHand]) message.working();
    }, WORKING_MS);
    try {
      while (!this.ended && (pulls.empty < EMPTY_QUESTIONS || this.underWay.size > 0)) {
        const woken = new Promise<void>((done) => (this.wake = done));
        const concurrency = await this.work.concurrency();
        if (this.ended) break;
        while (this.underWay.size < concurrency && this.atHand.length > 0) this.begin(this.atHand.shift()!);
        const room = concurrency + this.ahead(concurrency) - this.underWay.size - this.atHand.length;
        const wanted = room - pulls.asked;
        // Asked for some at a time where some are at hand.
        if (wanted > 0 && (this.atHand.length === 0 || wanted >= concurrency)) pulls.ask(wanted);
        await woken;
      }
      while (this.underWay.size > 0) await new Promise<void>((done) => (this.wake = done));
    } finally {
      clearInterval(alive);
      pulls.close();
    }
  }

  reconnected(): void {
    this.pulls?.forget();
  }

  /** Resolves when what was not begun is handed back. */
  async end(): Promise<void> {
    this.ended = true;
    this.pulls?.close();
    this.wake();
    await Promise.all(this.atHand.splice(0).map((message) => this.work.handBack(message)));
  }

  private came(message: Delivery): void {
    this.usual.bytes = message.data.length;
    this.atHand.push(message);
    this.wake();
  }

  private begin(message: Delivery): void {
    this.underWay.add(message);
    const begun = performance.now();
    void this.work.take(message).finally(() => {
      this.underWay.delete(message);
      const took = performance.now() - begun;
      this.usual.ms = this.usual.ms === Infinity ? took : 0.8 * this.usual.ms + 0.2 * took;
      this.wake();
    });
  }

  /** Calls to have at hand. */
  private ahead(concurrency: number): number {
    const { ms, bytes } = this.usual;
    return Math.floor(
      Math.min((concurrency * AT_HAND_MS) / ms, MOST_AT_HAND, BYTES_AT_HAND / Math.max(bytes, 1)),
    );
  }
}
