/** Takes a call into the queue, whichever way it came. */
import { createHash, randomUUID } from "node:crypto";
import { WAKE_SUBJECT } from "../../../shared/queueState";
import type { QueuedCall } from "./call";
import type { JetStream } from "./jetstream";

/** Workers look by themselves every two seconds. */
const WAKE_MS = 5000;

export class Acceptor {
  private readonly woken = new Map<string, number>();

  constructor(private readonly queue: Pick<JetStream, "accept" | "connection">) {}

  /**
   * Resolves when the call is on disk; false: it was accepted before.
   * @param id default: its X-Call-Id with what is called, since a function may pass its own id on to several calls
   * @throws NotAccepted
   */
  async accept(call: QueuedCall, id = idOf(call)): Promise<boolean> {
    const isNew = await this.queue.accept(call, id);
    const now = Date.now();
    if (now - (this.woken.get(call.function) ?? 0) > WAKE_MS) {
      this.woken.set(call.function, now);
      this.queue.connection.publish(WAKE_SUBJECT, call.function);
    }
    return isNew;
  }
}

function idOf({ callId, target, body }: QueuedCall): string {
  if (!callId) return randomUUID();
  return createHash("sha256").update(`${callId}\n${target}\n`).update(body).digest("base64");
}
