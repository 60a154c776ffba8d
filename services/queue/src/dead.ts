/** Calls that failed in their last attempt: kept, told of, made again, or dropped. */
import { DeliverPolicy, type JsMsg, type StoredMsg } from "@nats-io/jetstream";
import type { MsgHdrs } from "@nats-io/nats-core";
import { CALL_SUBJECT, CALLS, DEAD, DEAD_SUBJECT } from "../../../shared/queueState";
import type { DeadCall, DeadCallDetails, Selection } from "../../../shared/deadCalls";
import { Acceptor } from "./accept";
import { fromMessage, type Headers, type QueuedCall, toMessage } from "./call";
import type { JetStream } from "./jetstream";

export interface Failure {
  /** Of the last answer; 502 also where none came. */
  status: number;
  reason: string;
  /** Attempts made. */
  attempts: number;
  /** ms since 1970. */
  diedMs: number;
  /** The beginning of the last answer. */
  answer: string;
}

const FAILURE_HEADER = "Oslo-Faas-Failure";
const ANSWER_BYTES = 1024;
const BATCH = 1000;
const FETCH_MS = 5000;
const PUBLISH_MS = 10_000;

export const beginningOf = (answer: Buffer): string => answer.toString("utf8", 0, ANSWER_BYTES);

/** Marks the call that tells of another's failure. */
const REPORT_HEADER = "X-Failed-Function";

/** A call of `to` whose body tells, in JSON, of a call that failed for good. */
function report({ body: _, ...call }: QueuedCall, failure: Failure, to: string): QueuedCall {
  const { function: name, callId, target, acceptedMs } = call;
  const { diedMs, ...why } = failure;
  const iso = (ms: number) => new Date(ms).toISOString();
  const told = { function: name, callId, target, ...why, accepted: iso(acceptedMs), died: iso(diedMs) };
  return {
    function: to,
    target: `/function/${to}`,
    headers: {
      "Content-Type": ["application/json"],
      "X-Call-Id": [callId],
      [REPORT_HEADER]: [name],
    },
    body: Buffer.from(JSON.stringify(told)),
    callId,
    attempt: 1,
    acceptedMs: diedMs,
  };
}

export class DeadCalls {
  private readonly acceptor: Acceptor;

  constructor(private readonly queue: Pick<JetStream, "accept" | "client" | "connection" | "manager">) {
    this.acceptor = new Acceptor(queue);
  }

  /**
   * Resolves when it is on disk.
   * @param id the same for the same call, however often this is asked
   * @param onFailure a function that is told, by a call of its own
   */
  async keep(call: QueuedCall, failure: Failure, id: string, onFailure?: string): Promise<void> {
    const { headers, data } = toMessage(call);
    // A header holds no line break; JSON writes it as an escape.
    headers.set(FAILURE_HEADER, JSON.stringify(failure));
    const options = { msgID: id, headers, timeout: PUBLISH_MS, expect: { streamName: DEAD } };
    await this.queue.client.publish(`${DEAD_SUBJECT}.${call.function}`, data, options);
    // Of a report that fails nobody is told: functions that report to each other would go on for ever.
    if (onFailure !== undefined && !(REPORT_HEADER in call.headers))
      await this.acceptor.accept(report(call, failure, onFailure), `report ${id}`);
  }

  /** The newest `limit` of them, the oldest first, and how many there are in all. */
  async list(selection: Selection, limit: number): Promise<{ count: number; calls: DeadCall[] }> {
    const calls: DeadCall[] = [];
    let count = 0;
    for await (const message of this.each(selection)) {
      count++;
      calls.push(about(message));
      if (calls.length > limit) calls.shift();
    }
    return { count, calls };
  }

  /** Undefined if no call has this id. */
  async show(id: number): Promise<DeadCallDetails | undefined> {
    const message = await this.stored(id);
    if (!message) return undefined;
    const { headers, body, ...call } = callIn(message);
    const { callbackUrl, target } = call;
    return {
      ...about(message),
      target,
      headers: withoutLogins(headers),
      callbackUrl,
      body: body.toString("base64"),
    };
  }

  /** Makes them again, as new calls. @returns how many @throws NotAccepted while the queue takes none: the rest stays */
  retry(selection: Selection): Promise<number> {
    return this.forEach(selection, (message) =>
      this.acceptor.accept({ ...callIn(message), attempt: 1 }, `again ${message.seq} ${+message.time}`),
    );
  }

  /** @returns how many */
  drop(selection: Selection): Promise<number> {
    return this.forEach(selection, () => undefined);
  }

  /** Calls that are not done, by function. */
  async waiting(): Promise<Record<string, number>> {
    const filter = { subjects_filter: `${CALL_SUBJECT}.*` };
    const { state } = await this.queue.manager.streams.info(CALLS, filter);
    const entries = Object.entries(state.subjects ?? {});
    return Object.fromEntries(entries.map(([key, count]) => [key.slice(CALL_SUBJECT.length + 1), count]));
  }

  /** Removes each once `act` is done with it. */
  private async forEach(selection: Selection, act: (message: StoredMsg) => unknown): Promise<number> {
    const ids: number[] = [];
    for await (const { seq } of this.each(selection)) ids.push(seq);
    let count = 0;
    for (const id of ids) {
      const message = await this.stored(id);
      // Somebody else was faster, or it was the oldest.
      if (!message) continue;
      await act(message);
      await this.queue.manager.streams.deleteMessage(DEAD, id, false);
      count++;
    }
    return count;
  }

  private async *each({ ids, function: name, sinceMs }: Selection): AsyncGenerator<Kept> {
    if (ids) {
      for (const id of ids) {
        const message = await this.stored(id);
        if (message) yield message;
      }
      return;
    }
    const begin =
      sinceMs === undefined
        ? { deliver_policy: DeliverPolicy.All }
        : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(sinceMs).toISOString() };
    const consumer = await this.queue.client.consumers.get(DEAD, {
      filter_subjects: `${DEAD_SUBJECT}.${name ?? "*"}`,
      headers_only: true,
      ...begin,
    });
    let left = (await consumer.info()).num_pending;
    while (left > 0) {
      const batch = await consumer.fetch({ max_messages: Math.min(left, BATCH), expires: FETCH_MS });
      let came = 0;
      for await (const message of batch) {
        came++;
        yield kept(message);
      }
      // The rest was removed meanwhile.
      if (came === 0) return;
      left -= came;
    }
  }

  private async stored(id: number): Promise<StoredMsg | undefined> {
    return (await this.queue.manager.streams.getMessage(DEAD, { seq: id })) ?? undefined;
  }
}

type Kept = Pick<StoredMsg, "seq" | "subject" | "data" | "time"> & { header: MsgHdrs };

/** Its data is left out; a header says how much there is. */
const kept = ({ seq, subject, data, headers, time }: JsMsg): Kept => ({
  seq,
  subject,
  data,
  header: headers as MsgHdrs,
  time,
});

/** Who looks at a call need not be able to make others in its caller's name. */
const withoutLogins = (headers: Headers): Headers =>
  Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [
      name,
      /^(proxy-)?authorization$|^cookie$/i.test(name) ? values.map(() => "(hidden)") : values,
    ]),
  );

const callIn = ({ subject, header, data }: Kept): QueuedCall =>
  fromMessage({
    subject: `${CALL_SUBJECT}.${subject.slice(DEAD_SUBJECT.length + 1)}`,
    headers: header,
    data,
  });

function about(message: Kept): DeadCall {
  const { function: name, callId, acceptedMs, body } = callIn(message);
  const failure = JSON.parse(message.header.get(FAILURE_HEADER)) as Failure;
  const bytes = Number(message.header.get("Nats-Msg-Size") || body.length);
  return { id: message.seq, function: name, callId, acceptedMs, bytes, ...failure };
}
