/** A message of a consumer, as NATS gave it, and what may be answered. The client makes one only in questions of its own. */
import { type Msg, nanos } from "@nats-io/nats-core";

export class Delivery {
  /** 1 for the first. */
  readonly count: number;
  /** The message's number in its stream, and when it was stored: the same for every delivery, and no other message's. */
  readonly id: string;
  private answered = false;

  constructor(private readonly message: Msg) {
    // "$JS.ACK.STREAM.CONSUMER.COUNT.NUMBER.…", or with a domain and an account before the stream.
    const tokens = (message.reply ?? "").split(".");
    const [count, number, , stored] = tokens.slice(tokens.length === 9 ? 4 : 6);
    if (tokens[1] !== "ACK" || tokens.length < 9) throw new Error("a message is not one of a consumer");
    this.count = Number(count);
    this.id = `${number} ${stored}`;
  }

  get subject(): string {
    return this.message.subject;
  }

  get headers() {
    return this.message.headers;
  }

  get data(): Uint8Array {
    return this.message.data;
  }

  ack(): void {
    this.answer("+ACK");
  }

  /** Comes again after so long. */
  nak(delayMs = 0): void {
    this.answer(delayMs > 0 ? `-NAK ${JSON.stringify({ delay: nanos(delayMs) })}` : "-NAK");
  }

  /** Is not given to another worker yet. */
  working(): void {
    if (!this.answered) this.message.respond("+WPI");
  }

  private answer(word: string): void {
    if (this.answered) return;
    this.answered = true;
    this.message.respond(word);
  }
}
