/** What the clock keeps of each function: one message of a stream, replaced only by one who has read it. */
import { JetStreamApiError } from "@nats-io/jetstream";
import { CLOCK, CLOCK_SUBJECT } from "../../../shared/queueState";
import type { JetStream } from "./jetstream";

export interface ClockRecord {
  schedule: string;
  timeZone: string;
  /** When the clock first saw this schedule: times before it are not missed. */
  sinceMs: number;
  /** The time that the function was last called for. Default: not called yet. */
  lastMs?: number;
}

const PUBLISH_MS = 10_000;
/** The stream's last message of this subject is another. */
const CHANGED = [10071, 10164];

export class ClockRecords {
  constructor(private readonly queue: Pick<JetStream, "client" | "manager">) {}

  /** Functions that have one. */
  async names(): Promise<string[]> {
    const { state } = await this.queue.manager.streams.info(CLOCK, { subjects_filter: `${CLOCK_SUBJECT}.*` });
    return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(CLOCK_SUBJECT.length + 1));
  }

  /** With what `write` needs to replace it. */
  async read(name: string): Promise<{ record?: ClockRecord; revision: number }> {
    const found = await this.queue.manager.streams.getMessage(CLOCK, {
      last_by_subj: `${CLOCK_SUBJECT}.${name}`,
    });
    return found ? { record: found.json<ClockRecord>(), revision: found.seq } : { revision: 0 };
  }

  /** False: another was faster. */
  async write(name: string, record: ClockRecord, revision: number): Promise<boolean> {
    try {
      await this.queue.client.publish(`${CLOCK_SUBJECT}.${name}`, JSON.stringify(record), {
        timeout: PUBLISH_MS,
        expect: { streamName: CLOCK, lastSubjectSequence: revision },
      });
      return true;
    } catch (error) {
      if (error instanceof JetStreamApiError && CHANGED.includes(error.code)) return false;
      throw error;
    }
  }

  async remove(name: string): Promise<void> {
    await this.queue.manager.streams.purge(CLOCK, { filter: `${CLOCK_SUBJECT}.${name}` });
  }
}
