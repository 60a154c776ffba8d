/**
 * Moves what waits in NATS Streaming, which earlier versions kept calls in, into JetStream. A message is acknowledged there when it is
 * on disk here.
 */
import { connect, type Stan } from "node-nats-streaming";
import { CHANNEL, DELAYED_CHANNEL } from "../../../shared/queueChannel";
import type { Acceptor } from "./accept";
import type { QueuedCall } from "./call";
import type { Config } from "./config";
import { sleep } from "./http";
import { decode } from "./request";
import type { Log } from "./log";

const RECONNECT_MS = 2000;
/** On their way at once. */
const WIDTH = 64;
const ACK_WAIT_MS = 60_000;

export class Mover {
  /** Calls that were moved since the start. */
  moved = 0;
  private stan?: Stan;
  private ended = false;

  constructor(
    private readonly old: NonNullable<Config["old"]>,
    private readonly acceptor: Pick<Acceptor, "accept">,
    private readonly log: Log,
    private readonly clientId: string,
  ) {}

  /** Resolves when `end` was called. */
  async run(): Promise<void> {
    let told = false;
    while (!this.ended) {
      try {
        await this.session();
      } catch (error) {
        const reason = (error as Error).message ?? String(error);
        if (!told) this.log("warn", "no connection to NATS Streaming", { reason });
        told = true;
      }
      if (!this.ended) await sleep(RECONNECT_MS);
    }
  }

  end(): void {
    this.ended = true;
    this.stan?.close();
  }

  /** One connection, from its beginning to its loss. */
  private session(): Promise<void> {
    const stan = connect(this.old.cluster, this.clientId, {
      url: this.old.url,
      waitOnFirstConnect: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 1000,
      stanPingInterval: 5000,
      stanMaxPingOut: 6,
    });
    return new Promise((resolve, reject) => {
      const over = (error?: unknown) => {
        if (this.stan === stan) this.stan = undefined;
        if (error) reject(error instanceof Error ? error : new Error(JSON.stringify(error)));
        else resolve();
      };
      stan.on("connect", () => {
        this.stan = stan;
        for (const channel of [CHANNEL, DELAYED_CHANNEL]) this.subscribe(stan, channel);
      });
      stan.on("connection_lost", over);
      // What was acknowledged on the way out of the old connection is lost; a new session gets at once what is believed to be under way.
      stan.on("reconnect", () => stan.close());
      stan.on("error", (error) => {
        over(error);
        stan.close();
      });
      stan.on("close", () => over());
    });
  }

  /** Group and durable name are those of the earlier worker: what it has not done comes here. */
  private subscribe(stan: Stan, channel: string): void {
    const options = stan
      .subscriptionOptions()
      .setDurableName(channel)
      .setDeliverAllAvailable()
      .setManualAckMode(true)
      .setAckWait(ACK_WAIT_MS)
      .setMaxInFlight(WIDTH);
    const subscription = stan.subscribe(channel, this.old.group, options);
    subscription.on("message", (message: StanMessage) => void this.move(channel, message));
    const failed = () => stan.close();
    subscription.on("error", failed);
    subscription.on("timeout", failed);
  }

  private async move(channel: string, message: StanMessage): Promise<void> {
    const nanoseconds = message.getTimestampRaw();
    let call: QueuedCall;
    try {
      call = callOf(channel, Buffer.from(message.getRawData()), nanoseconds / 1e6);
    } catch (error) {
      this.log("error", "dropped a message that is not a call", { reason: (error as Error).message });
      return message.ack();
    }
    try {
      // Comes again when its acknowledgement is lost.
      await this.acceptor.accept(call, `moved ${channel} ${message.getSequence()} ${nanoseconds}`);
      this.moved++;
      message.ack();
    } catch (error) {
      this.log("warn", "a call cannot be moved yet", { reason: (error as Error).message });
    }
  }
}

interface StanMessage {
  getSequence(): number;
  getTimestampRaw(): number;
  getRawData(): Buffer;
  ack(): void;
}

/** What waited there for another attempt has it here at once. @throws an Error for what is not a call */
export function callOf(channel: string, data: Buffer, storedMs: number): QueuedCall {
  if (channel !== DELAYED_CHANNEL) return decode(data, storedMs);
  const held = JSON.parse(data.toString("utf8")) as { acceptedMs: number; data: string };
  return decode(Buffer.from(held.data), held.acceptedMs);
}
