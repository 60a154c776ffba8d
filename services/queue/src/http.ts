/** One POST, bounded. */
import * as http from "node:http";
import * as https from "node:https";
import type { LookupFunction } from "node:net";

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** Without `keepBody`, its beginning. */
  body: Buffer;
  /** With `askFirst`: false where the server answered without having read the request's body. */
  took: boolean;
}

/** The request never got to a server: whatever it was to do, it did not. */
export class Unreachable extends Error {}

/** No answer, or not all of it. */
export class Broken extends Error {
  /** @param took with `askFirst`: whether the server had begun to read the request's body */
  constructor(
    message: string,
    readonly took: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An answer of more than this is not carried to a callback. */
const MAX_ANSWER = 64 * 1024 * 1024;
/** A server that does not want a body of this size takes it off the connection all the same, and its answer is not lost. */
const AT_ONCE = 128 * 1024;
/** Then the body is sent unasked: a gateway whose function answered without it waits for it. It still says when it begins to read. */
const ASK_MS = 1000;
/** Of an answer that is carried nowhere. */
const BEGINNING = 1024;

export interface PostOptions {
  headers: Record<string, string[]>;
  body: Buffer;
  timeoutMs: number;
  /** False: the answer's body is read to its end, and all but its beginning thrown away. */
  keepBody: boolean;
  /** Have the server say when it begins to read the body ("Expect: 100-continue"), so that it is known whether it did. Default: false. */
  askFirst?: boolean;
  /** Which address a name has. Default: the system's answer. */
  lookup?: LookupFunction;
  /** Keeps connections for the next request; with `askFirst`. Default: a connection for this one alone. */
  agent?: http.Agent;
}

/** A URL, or an address with a path that is sent as it is: a URL's parser resolves "..", "%2e%2e" and "\\" in it. */
export type Target = string | { host: string; port: number; path: string };

/** The other side closed a kept connection just then. The request did not begin. */
class Stale extends Error {}

/** @throws Unreachable where no connection came about; Broken where the answer did not come, or not whole */
export function post(target: Target, { agent, ...options }: PostOptions): Promise<Answer> {
  if (!agent) return postOnce(target, options);
  return postOnce(target, { ...options, agent }).catch((error) => {
    if (error instanceof Stale) return postOnce(target, options);
    throw error;
  });
}

function postOnce(target: Target, options: PostOptions): Promise<Answer> {
  const { headers, body, timeoutMs, keepBody, askFirst = false, lookup, agent = false } = options;
  return new Promise((resolve, reject) => {
    let connected = false;
    let took = !askFirst;
    const client = typeof target === "string" && target.startsWith("https:") ? https : http;
    const all = {
      method: "POST",
      agent,
      ...(lookup ? { lookup } : {}),
      headers: { ...headers, ...framing(body, askFirst), ...(agent ? {} : { Connection: "close" }) },
    };
    const request =
      typeof target === "string" ? client.request(target, all) : client.request({ ...all, ...target });
    const timer = setTimeout(
      () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    const fail = (error: Error) => {
      clearTimeout(timer);
      const options = { cause: error };
      if (request.reusedSocket && !took && "code" in error) reject(new Stale(error.message, options));
      else
        reject(
          connected ? new Broken(error.message, took, options) : new Unreachable(error.message, options),
        );
    };
    request.on("socket", (socket) => {
      if (socket.connecting) socket.once("connect", () => (connected = true));
      else connected = true;
    });
    request.on("error", fail);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        if (!keepBody && size > BEGINNING) return;
        size += chunk.length;
        if (size > MAX_ANSWER) request.destroy(new Error(`the answer is larger than ${MAX_ANSWER} bytes`));
        else chunks.push(chunk);
      });
      response.on("error", fail);
      response.on("end", () => {
        clearTimeout(timer);
        // A body that was never asked for may not have been sent.
        if (!agent || !took || !request.writableFinished) request.destroy();
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, headers, body: Buffer.concat(chunks), took });
      });
    });
    request.on("continue", () => (took = true));
    if (!askFirst || body.length <= AT_ONCE) return void request.end(body);
    request.flushHeaders();
    const send = () => void (request.writableEnded || request.destroyed || request.end(body));
    request.on("continue", send);
    setTimeout(send, ASK_MS).unref();
  });
}

/** An empty body is never asked for; one in chunks is, even without a chunk. */
const framing = (body: Buffer, askFirst: boolean): Record<string, string> => ({
  ...(askFirst ? { Expect: "100-continue" } : {}),
  ...(askFirst && body.length === 0
    ? { "Transfer-Encoding": "chunked" }
    : { "Content-Length": String(body.length) }),
});

export const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const over = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal?.addEventListener("abort", over);
  });
