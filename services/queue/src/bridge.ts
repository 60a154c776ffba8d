/**
 * Speaks as much of NATS Streaming's protocol as the stock gateway's publisher needs, so that a call that came through the gateway
 * goes into JetStream as well. The gateway answers 202 when its message is acknowledged here, which is after JetStream's own.
 */
import type { Msg } from "@nats-io/nats-core";
import type { Acceptor } from "./accept";
import type { JetStream } from "./jetstream";
import { decodeStrings, encodeStrings } from "./protobuf";
import { decode } from "./request";
import type { Log } from "./log";

/** Fields of NATS Streaming's messages (protocol.proto of stan.go). */
const CONNECT_RESPONSE = {
  pubPrefix: 1,
  subRequests: 2,
  unsubRequests: 3,
  closeRequests: 4,
  subCloseRequests: 6,
};
const PUB_MSG = { guid: 2, data: 5 };
const PUB_ACK = { guid: 1, error: 2 };
const PUBLISHED = "_STAN.pub";
const CLOSED = "_STAN.close";

export class Bridge {
  constructor(
    private readonly queue: Pick<JetStream, "connection">,
    private readonly acceptor: Pick<Acceptor, "accept">,
    private readonly cluster: string,
    private readonly log: Log,
  ) {}

  start(): void {
    this.listen(`_STAN.discover.${this.cluster}`, (message) => {
      const { pubPrefix, subRequests, unsubRequests, closeRequests, subCloseRequests } = CONNECT_RESPONSE;
      // Without a ping interval the gateway does not ask whether this connection lives, and keeps it.
      message.respond(
        encodeStrings({
          [pubPrefix]: PUBLISHED,
          [subRequests]: "_STAN.sub",
          [unsubRequests]: "_STAN.unsub",
          [closeRequests]: CLOSED,
          [subCloseRequests]: "_STAN.subclose",
        }),
      );
    });
    this.listen(`${PUBLISHED}.>`, (message) => void this.take(message));
    this.listen(CLOSED, (message) => message.respond());
  }

  private listen(subject: string, handle: (message: Msg) => void): void {
    // One of several intakes answers.
    this.queue.connection.subscribe(subject, {
      queue: "intake",
      callback: (error, message) => {
        if (!error) handle(message);
      },
    });
  }

  private async take(message: Msg): Promise<void> {
    let guid: Buffer<ArrayBufferLike> = Buffer.alloc(0);
    try {
      const fields = decodeStrings(message.data);
      guid = fields.get(PUB_MSG.guid) ?? guid;
      const call = decode(fields.get(PUB_MSG.data) ?? Buffer.alloc(0), Date.now());
      await this.acceptor.accept(call);
      message.respond(encodeStrings({ [PUB_ACK.guid]: guid }));
    } catch (error) {
      const reason = (error as Error).message;
      this.log("warn", "a call of the gateway is not accepted", { reason });
      message.respond(encodeStrings({ [PUB_ACK.guid]: guid, [PUB_ACK.error]: `the queue: ${reason}` }));
    }
  }
}
