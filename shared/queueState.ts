/** The queue in JetStream: the names that all parts use, and what NATS's monitoring says of it (GET /jsz, GET /connz). */

/** Holds every call that is accepted and not done; one subject a function. */
export const CALLS = "CALLS";
export const CALL_SUBJECT = "calls";
/** Told with a function's name when its first call in a while is accepted. */
export const WAKE_SUBJECT = "wake";
/** Holds the calls whose last attempt failed. */
export const DEAD = "DEAD";
export const DEAD_SUBJECT = "dead";
/** Counts the calls that left CALLS as they should, done or dead: one message for each, stored before the call is acknowledged. */
export const DONE = "DONE";
export const DONE_SUBJECT = "done";
/** Holds the last time that the clock called each function for. */
export const CLOCK = "CLOCK";
export const CLOCK_SUBJECT = "clock";
/** A worker's connection has a name that begins like this. */
export const WORKER_NAME = "queue-worker-";

export const MONITOR_PATHS = {
  jsz: "/jsz?streams=true&consumers=true&config=true",
  connz: "/connz?limit=1024",
} as const;

/** What counts of the queue. */
export interface QueueState {
  /** Calls accepted and not done, those that were given to a worker included. */
  depth: number;
  /** Given to a worker and not done; those that wait for another attempt are among them. */
  underWay: number;
  /** Workers connected. */
  workers: number;
  /** Size of the calls that are not done, on disk. */
  bytes: number;
  /** The bound of `bytes`. Beyond it calls are refused. */
  maxBytes: number;
  /** When the oldest call that is not done was accepted, ms since 1970. */
  oldestMs?: number;
  /** Calls that failed in their last attempt, and are kept. */
  dead: number;
  /** Since the beginning; undefined where NATS does not count them yet. */
  counts?: QueueCounts;
}

/**
 * Read from the numbers that NATS gives the messages of its streams. They survive a restart of every part, and removing a message, or losing
 * it, does not change them.
 */
export interface QueueCounts {
  /** Accepted: HTTP calls, reports, and dead calls that were made again. */
  accepted: number;
  /** Done, the answers 4xx among them. */
  done: number;
  /** Failed for good: kept, or since made again, dropped or too old. */
  died: number;
  /** Accepted, but neither done nor dead nor in the queue. Below 0: counted twice. A call that is just being acknowledged counts for a moment as -1. */
  missing: number;
}

interface Stream {
  name?: string;
  config?: { max_bytes?: number };
  state?: { messages?: number; bytes?: number; first_ts?: string; last_seq?: number };
  consumer_detail?: { num_ack_pending?: number }[] | null;
}

/** @throws an Error if the answers are not those of a NATS server with JetStream */
export function queueState(answers: { jsz: unknown; connz: unknown }): QueueState {
  const { account_details: accounts, config } = (answers.jsz ?? {}) as {
    account_details?: { stream_detail?: Stream[] | null }[] | null;
    config?: unknown;
  };
  const { connections } = (answers.connz ?? {}) as { connections?: { name?: string }[] | null };
  if (config === undefined || !Array.isArray(connections))
    throw new Error("the answer of NATS does not describe JetStream");
  const streams = (accounts ?? []).flatMap(({ stream_detail: some }) => some ?? []);
  const named = (wanted: string) => streams.find(({ name }) => name === wanted) ?? {};
  const counts = countsOf(named(CALLS), named(DEAD), named(DONE));
  return {
    ...stateOf(named(CALLS)),
    ...(counts ? { counts } : {}),
    dead: named(DEAD).state?.messages ?? 0,
    workers: connections.filter(({ name }) => name?.startsWith(WORKER_NAME)).length,
  };
}

function stateOf({ state = {}, config = {}, consumer_detail: consumers }: Stream) {
  const { messages = 0, bytes = 0, first_ts: first = "" } = state;
  const pending = (consumers ?? []).map((one) => one.num_ack_pending ?? 0);
  return {
    depth: messages,
    underWay: pending.reduce((sum, one) => sum + one, 0),
    bytes,
    maxBytes: config.max_bytes ?? 0,
    ...(messages > 0 ? { oldestMs: Date.parse(first) } : {}),
  };
}

function countsOf(calls: Stream, dead: Stream, done: Stream): QueueCounts | undefined {
  const [accepted, died, left] = [calls, dead, done].map(({ state }) => state?.last_seq);
  if (accepted === undefined || left === undefined) return undefined;
  return {
    accepted,
    done: Math.max(0, left - (died ?? 0)),
    died: died ?? 0,
    missing: accepted - left - (calls.state?.messages ?? 0),
  };
}
