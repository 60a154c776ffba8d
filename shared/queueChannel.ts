/** NATS Streaming's own word on its channels: GET /streaming/channelsz?subs=1. */

/** Where the gateway puts calls. */
export const CHANNEL = "faas-request";
/** Where the worker puts calls that wait for another attempt. */
export const DELAYED_CHANNEL = "faas-request-delayed";

/** What counts of a channel. */
export interface ChannelState {
  /** Messages accepted and not acknowledged, those that were delivered included. */
  depth: number;
  /** Delivered to a worker and not acknowledged. */
  underWay: number;
  /** Subscriptions with somebody behind them. */
  workers: number;
  /** Of the log, acknowledged messages included. */
  bytes: number;
  /** Of the messages that are not done; an estimate from their number. NATS drops the oldest of them where the log is too small. */
  waitingBytes: number;
}

interface Subscription {
  queue_name?: string;
  is_offline?: boolean;
  last_sent?: number;
  pending_count?: number;
}

/**
 * Messages behind the last one that the queue group was sent, and those it was sent and has not acknowledged. The members of a
 * group share the position, so the furthest counts. Without a subscription nobody ever took a message: all of them wait.
 * @throws an Error if the answer does not describe a channel
 */
export function channelState(answer: unknown): ChannelState {
  const { last_seq, msgs, bytes, subscriptions } = (answer ?? {}) as Record<string, unknown>;
  if (typeof last_seq !== "number" || typeof msgs !== "number")
    throw new Error("the answer of NATS Streaming is not one about a channel");
  const all = (Array.isArray(subscriptions) ? subscriptions : []) as Subscription[];
  const underWay = all.reduce((sum, { pending_count }) => sum + (pending_count ?? 0), 0);
  const sent = Math.max(...all.map(({ last_sent }) => last_sent ?? 0), last_seq - msgs);
  const depth = Math.max(0, last_seq - sent) + underWay;
  const size = typeof bytes === "number" ? bytes : 0;
  return {
    depth,
    underWay,
    workers: all.filter(({ is_offline }) => !is_offline).length,
    bytes: size,
    waitingBytes: Math.round((size * Math.min(depth, msgs)) / Math.max(msgs, 1)),
  };
}

const NOTHING: ChannelState = { depth: 0, underWay: 0, workers: 0, bytes: 0, waitingBytes: 0 };

/** The queue as a whole: calls, and those that wait for another attempt. The channel exists from the first call on. */
export function channelsState(answer: unknown): ChannelState {
  const { channels } = (answer ?? {}) as { channels?: unknown };
  if (!Array.isArray(channels) && (answer as { count?: number } | null)?.count !== 0)
    throw new Error("the answer of NATS Streaming is not one about its channels");
  const named = (name: string): ChannelState => {
    const channel = ((channels ?? []) as { name?: string }[]).find((one) => one.name === name);
    return channel ? channelState(channel) : NOTHING;
  };
  const [calls, delayed] = [named(CHANNEL), named(DELAYED_CHANNEL)];
  return {
    ...calls,
    depth: calls.depth + delayed.depth,
    bytes: calls.bytes + delayed.bytes,
    // Each channel has the bound for itself.
    waitingBytes: Math.max(calls.waitingBytes, delayed.waitingBytes),
  };
}
