/** The connection to NATS, and the stream that holds calls: kept for ever, anew when it is lost. */
import * as fs from "node:fs";
import {
  DiscardPolicy,
  jetstream,
  jetstreamManager,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { nanos, type NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import {
  CALL_SUBJECT,
  CALLS,
  CLOCK,
  CLOCK_SUBJECT,
  DEAD,
  DEAD_SUBJECT,
  DONE,
  DONE_SUBJECT,
} from "../../../shared/queueState";
import { type QueuedCall, toMessage } from "./call";
import type { Config } from "./config";
import { sleep } from "./http";
import type { Log } from "./log";

/** So long a call's id is remembered. */
export const SAME_ID_MS = 10 * 60_000;
/** Calls whose acknowledgement a killed NATS or worker did not take are delivered again within a minute. */
const KNOWN_DONE = 50_000;
const PUBLISH_MS = 10_000;
const PAUSE_MS = 1000;
/** Error codes of NATS: a stream, or the whole store, is full. */
const FULL = [10047, 10077];
/** The stream does not exist. */
const NO_STREAM = 10059;

/** What JetStream did not take. */
export class NotAccepted extends Error {
  constructor(
    message: string,
    /** The queue is full; otherwise it is away. */
    readonly isFull: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export class JetStream {
  private isConnected = true;

  private constructor(
    readonly connection: NatsConnection,
    readonly client: JetStreamClient,
    readonly manager: JetStreamManager,
  ) {}

  /** Resolves when the stream is there; tries for ever. */
  static async open(config: Config, name: string, log: Log): Promise<JetStream> {
    const { url, user, passwordFile } = config.nats;
    const connection = (await connect({
      servers: url,
      name,
      ...(passwordFile ? { user, pass: fs.readFileSync(passwordFile, "utf8").trim() } : {}),
      // Anybody on the network may read the inboxes that clients have by default.
      inboxPrefix: "_QUEUE",
      waitOnFirstConnect: true,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: PAUSE_MS,
      // A stack for each request, to tell of where one failed, costs more than the request.
      noAsyncTraces: true,
      pingInterval: 5000,
      maxPingOut: 3,
    })) as NatsConnection;
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const opened = new JetStream(connection, jetstream(connection), manager);
    void opened.watch(config, log);
    await opened.ensureStreams(config, log);
    return opened;
  }

  /**
   * Resolves when the call is on disk; false: a call of this id was accepted before.
   * @param id calls of the same id are one
   * @throws NotAccepted
   */
  async accept(call: QueuedCall, id: string): Promise<boolean> {
    if (!this.isConnected) throw new NotAccepted("the queue is away", false);
    const { subject, headers, data } = toMessage(call);
    try {
      const options = { msgID: id, headers, timeout: PUBLISH_MS, expect: { streamName: CALLS } };
      return !(await this.client.publish(subject, data, options)).duplicate;
    } catch (error) {
      const isFull = error instanceof JetStreamApiError && FULL.includes(error.code);
      throw new NotAccepted((error as Error).message, isFull, { cause: error });
    }
  }

  /**
   * Counts a call that leaves the queue, before it is acknowledged.
   * @param id counts once, however often the call is delivered
   */
  async countDone(id: string): Promise<void> {
    await this.client.publish(DONE_SUBJECT, undefined, { msgID: id, timeout: PUBLISH_MS });
  }

  async close(): Promise<void> {
    // Sends what is still to be sent, acknowledgements above all.
    await this.connection.drain().catch(() => undefined);
  }

  /** A NATS that comes back with an empty volume has no stream. */
  private async watch(config: Config, log: Log): Promise<void> {
    for await (const { type } of this.connection.status()) {
      if (type === "disconnect") {
        this.isConnected = false;
        log("warn", "no connection to the queue");
      }
      if (type !== "reconnect") continue;
      this.isConnected = true;
      log("info", "connected to the queue again");
      void this.ensureStreams(config, log);
    }
  }

  private async ensureStreams(config: Config, log: Log): Promise<void> {
    while (!this.connection.isClosed()) {
      try {
        for (const stream of [callStream(config.maxBytes), deadStream(config.dead), CLOCK_STREAM])
          await ensureStream(this.manager, stream);
        await ensureCount(this.manager);
        return;
      } catch (error) {
        log("warn", "the queue's stream cannot be made yet", { reason: (error as Error).message });
        await sleep(PAUSE_MS);
      }
    }
  }
}

type Wanted = Partial<StreamConfig> & { name: string };

export const callStream = (maxBytes: number): Wanted => ({
  name: CALLS,
  subjects: [`${CALL_SUBJECT}.*`],
  storage: StorageType.File,
  // A call is gone from disk when it is done.
  retention: RetentionPolicy.Workqueue,
  // A full queue refuses.
  discard: DiscardPolicy.New,
  max_bytes: maxBytes,
  duplicate_window: nanos(SAME_ID_MS),
});

/** Beyond its bounds the oldest go: a function that fails all the time must not fill the disk. */
export const deadStream = ({ maxBytes, maxAgeMs }: Config["dead"]): Wanted => ({
  name: DEAD,
  subjects: [`${DEAD_SUBJECT}.*`],
  storage: StorageType.File,
  discard: DiscardPolicy.Old,
  max_bytes: maxBytes,
  max_age: nanos(maxAgeMs),
  // One whose acknowledgement was lost is kept once.
  duplicate_window: nanos(SAME_ID_MS),
});

/** Its messages say nothing but that they came: the last one's number is the count. Those kept are the ids that are known. */
const doneStream = (countedAlready: number): Wanted => ({
  name: DONE,
  subjects: [DONE_SUBJECT],
  storage: StorageType.File,
  discard: DiscardPolicy.Old,
  max_msgs: KNOWN_DONE,
  duplicate_window: nanos(SAME_ID_MS),
  first_seq: countedAlready + 1,
});

/** One message for each function: the last. */
const CLOCK_STREAM: Wanted = {
  name: CLOCK,
  subjects: [`${CLOCK_SUBJECT}.*`],
  storage: StorageType.File,
  max_msgs_per_subject: 1,
};

/** What an environment may change later. */
const BOUNDS = ["max_bytes", "max_age"] as const;

/** To add a stream that is there is refused where its bound does not fit a second time. */
async function ensureStream(manager: JetStreamManager, wanted: Wanted): Promise<void> {
  try {
    const { config } = await manager.streams.info(wanted.name);
    if (BOUNDS.some((bound) => wanted[bound] !== undefined && config[bound] !== wanted[bound]))
      await manager.streams.update(wanted.name, wanted);
  } catch (error) {
    if (!(error instanceof JetStreamApiError && error.code === NO_STREAM)) throw error;
    await manager.streams.add(wanted);
  }
}

/** Where it is new beside calls of an earlier version, what left the queue until now counts as done. */
async function ensureCount(manager: JetStreamManager): Promise<void> {
  const { last_seq: accepted, messages } = (await manager.streams.info(CALLS)).state;
  await ensureStream(manager, doneStream(accepted - messages));
}
