/** One POST, bounded. */
import * as http from "node:http";
import * as https from "node:https";
import type { LookupFunction } from "node:net";

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** The request never got to a server: whatever it was to do, it did not. */
export class Unreachable extends Error {}

/** An answer of more than this is not carried to a callback. */
const MAX_ANSWER = 64 * 1024 * 1024;

export interface PostOptions {
  headers: Record<string, string[]>;
  body: Buffer;
  timeoutMs: number;
  /** False: the answer's body is read to its end and thrown away. */
  keepBody: boolean;
  /** Which address a name has. Default: the system's answer. */
  lookup?: LookupFunction;
}

/** @throws Unreachable where no connection came about; any other Error where the answer did not come, or not whole */
export function post(url: string, options: PostOptions): Promise<Answer> {
  const { headers, body, timeoutMs, keepBody, lookup } = options;
  return new Promise((resolve, reject) => {
    let connected = false;
    const client = url.startsWith("https:") ? https : http;
    const request = client.request(url, {
      method: "POST",
      // A kept connection that the other side is about to close would make a call fail that never began.
      agent: false,
      ...(lookup ? { lookup } : {}),
      headers: { ...headers, "Content-Length": String(body.length), Connection: "close" },
    });
    const timer = setTimeout(
      () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(connected ? error : new Unreachable(error.message, { cause: error }));
    };
    request.on("socket", (socket) => socket.once("connect", () => (connected = true)));
    request.on("error", fail);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (!keepBody) return;
        if (size > MAX_ANSWER) request.destroy(new Error(`the answer is larger than ${MAX_ANSWER} bytes`));
        else chunks.push(chunk);
      });
      response.on("error", fail);
      response.on("end", () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    request.end(body);
  });
}

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
