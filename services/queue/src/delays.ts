/**
 * Calls that wait for another attempt. They lie in a channel of their own, on disk like the others: a call that waits here takes the
 * place of none that could be made.
 */
import { DeliveredMessages } from "./deliveredMessages";
import type { Log, Message } from "./worker";

interface Held {
  /** Milliseconds since 1970 from which on it may be tried. */
  due: number;
  acceptedMs: number;
  /** The call itself, as it goes back into the queue. */
  data: string;
}

export const wrap = (data: Buffer, delayMs: number, acceptedMs: number, now = Date.now()): Buffer =>
  Buffer.from(JSON.stringify({ due: now + delayMs, acceptedMs, data: data.toString() } satisfies Held));

export class Delays {
  private readonly held = new Map<string, { acceptedMs: number; latest: Message; timer: NodeJS.Timeout }>();
  private readonly delivered = new DeliveredMessages();

  constructor(
    private readonly publish: (data: Buffer) => Promise<void>,
    private readonly log: Log,
  ) {}

  /** When each of those that wait here was accepted. */
  *accepted(): Iterable<number> {
    for (const { acceptedMs } of this.held.values()) yield acceptedMs;
  }

  take(message: Message): void {
    if (this.delivered.has(message.id)) return message.ack();
    const known = this.held.get(message.id);
    if (known) return void (known.latest = message);
    let held: Held;
    try {
      held = JSON.parse(message.data.toString("utf8")) as Held;
    } catch {
      return message.ack();
    }
    const release = async () => {
      try {
        await this.publish(Buffer.from(held.data));
        this.delivered.add(message.id);
        this.held.get(message.id)?.latest.ack();
      } catch (error) {
        // Not acknowledged: it comes again.
        this.log("warn", "could not be put back yet", { reason: (error as Error).message });
      } finally {
        this.held.delete(message.id);
      }
    };
    const timer = setTimeout(() => void release(), Math.max(0, held.due - Date.now()));
    this.held.set(message.id, { acceptedMs: held.acceptedMs, latest: message, timer });
  }

  /** Forgets what waits: it is on disk, and the next worker gets it. */
  end(): void {
    for (const { timer } of this.held.values()) clearTimeout(timer);
    this.held.clear();
  }
}
