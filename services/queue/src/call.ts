/** A call as JetStream holds it: its body as the message's data, everything else in one header, its function in the subject. */
import { headers as newHeaders, type MsgHdrs } from "@nats-io/nats-core";
import { CALL_SUBJECT } from "../../../shared/queueState";

export type Headers = Record<string, string[]>;

export interface QueuedCall {
  function: string;
  /** Path and query to call the gateway with, byte by byte. */
  target: string;
  headers: Headers;
  body: Buffer;
  callId: string;
  callbackUrl?: string;
  /** 1 for the first. */
  attempt: number;
  /** When it was accepted, ms since 1970. */
  acceptedMs: number;
}

const HEADER = "Oslo-Faas-Call";

/** What a message consists of. */
export interface Stored {
  subject: string;
  headers: MsgHdrs;
  data: Uint8Array;
}

export function toMessage({ function: name, body, ...rest }: QueuedCall): Stored {
  const headers = newHeaders();
  headers.set(HEADER, JSON.stringify(rest));
  return { subject: `${CALL_SUBJECT}.${name}`, headers, data: body };
}

/** @throws an Error for a message that is not a call */
export function fromMessage({ subject, headers, data }: Omit<Stored, "headers"> & { headers?: MsgHdrs }) {
  const text = headers?.get(HEADER);
  if (!text) throw new Error(`a message of ${subject} has no header ${HEADER}`);
  const rest = JSON.parse(text) as Omit<QueuedCall, "function" | "body">;
  const call: QueuedCall = {
    ...rest,
    function: subject.slice(CALL_SUBJECT.length + 1),
    body: Buffer.from(data),
  };
  return call;
}
