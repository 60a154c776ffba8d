/** The connection to NATS Streaming: kept for ever, anew when it is lost. */
import { connect, type Stan } from "node-nats-streaming";
import { CHANNEL, DELAYED_CHANNEL } from "../../../shared/queueChannel";
import type { Config } from "./config";
import { sleep } from "./http";
import type { Log, Message } from "./worker";

const RECONNECT_MS = 2000;
/** Calls that wait for another attempt, at one worker; more of them stay with NATS until some are done. */
const MAX_DELAYED = 1000;

export interface Handlers {
  call: (message: Message) => void;
  delayed: (message: Message) => void;
}

export class Nats {
  private stan?: Stan;
  private ended = false;
  private subscribed = false;

  constructor(
    private readonly config: Config,
    private readonly handlers: Handlers,
    private readonly log: Log,
    private readonly clientId: string,
  ) {}

  /** Whether messages have been able to come, if only once: a lost connection comes back by itself. */
  get wasReady(): boolean {
    return this.subscribed;
  }

  /** Resolves when `end` was called. */
  async run(): Promise<void> {
    while (!this.ended) {
      try {
        await this.session();
      } catch (error) {
        this.log("warn", "no connection to the queue", { reason: (error as Error).message ?? String(error) });
      }
      if (!this.ended) await sleep(RECONNECT_MS);
    }
  }

  /** Resolves when NATS has the message on disk. */
  publish(channel: string, data: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.stan) return reject(new Error("no connection to the queue"));
      this.stan.publish(channel, data, (error) => (error ? reject(asError(error)) : resolve()));
    });
  }

  /**
   * What was not acknowledged goes to another worker at once. The subscription is not closed before: then nothing could be acknowledged
   * any more.
   */
  async close(): Promise<void> {
    this.ended = true;
    this.stan?.close();
    // The acknowledgements are behind the request to close; it is answered when they have arrived.
    await sleep(300);
  }

  /** One connection, from its beginning to its loss. */
  private session(): Promise<void> {
    const stan = connect(this.config.nats.cluster, this.clientId, {
      url: this.config.nats.url,
      waitOnFirstConnect: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 1000,
      stanPingInterval: 5000,
      stanMaxPingOut: 6,
    });
    return new Promise((resolve, reject) => {
      const over = (error?: unknown) => {
        if (this.stan === stan) this.stan = undefined;
        if (error) reject(asError(error));
        else resolve();
      };
      stan.on("connect", () => {
        this.stan = stan;
        const { maxInflight, ackWaitMs, retry } = this.config;
        this.subscribe(stan, CHANNEL, maxInflight, ackWaitMs, this.handlers.call);
        this.subscribe(stan, DELAYED_CHANNEL, MAX_DELAYED, retry.maxDelayMs + 60_000, this.handlers.delayed);
      });
      stan.on("connection_lost", over);
      // What was acknowledged on the way out of the old connection is lost, and would block its places until ack_wait is over. A new
      // session makes NATS deliver at once what it believes to be under way.
      stan.on("reconnect", () => stan.close());
      stan.on("error", (error) => {
        over(error);
        stan.close();
      });
      stan.on("close", () => over());
    });
  }

  /** Group and durable name are upstream's: another worker on the same queue goes on where the one before it was. */
  private subscribe(
    stan: Stan,
    channel: string,
    maxInFlight: number,
    ackWaitMs: number,
    handle: (message: Message) => void,
  ): void {
    const options = stan
      .subscriptionOptions()
      .setDurableName(channel)
      .setDeliverAllAvailable()
      .setManualAckMode(true)
      .setAckWait(ackWaitMs)
      .setMaxInFlight(maxInFlight);
    const subscription = stan.subscribe(channel, this.config.nats.group, options);
    subscription.on("message", (message: StanMessage) => handle(asMessage(channel, message)));
    subscription.on("ready", () => {
      if (channel === CHANNEL) this.subscribed = true;
      this.log("info", "subscribed", { channel, maxInFlight });
    });
    const failed = (error: unknown) => {
      this.log("warn", "the subscription failed", { channel, reason: asError(error).message });
      stan.close();
    };
    subscription.on("error", failed);
    subscription.on("timeout", failed);
  }
}

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));

interface StanMessage {
  getSequence(): number;
  getTimestampRaw(): number;
  getRawData(): Buffer;
  ack(): void;
}

function asMessage(channel: string, message: StanMessage): Message {
  const nanoseconds = message.getTimestampRaw();
  return {
    // A queue that was emptied by hand counts from 1 again.
    id: `${channel} ${message.getSequence()} ${nanoseconds}`,
    data: Buffer.from(message.getRawData()),
    storedMs: nanoseconds / 1e6,
    ack: () => message.ack(),
  };
}
