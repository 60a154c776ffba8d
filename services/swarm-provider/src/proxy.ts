/** Calls to functions: both bodies are streamed, nothing is kept. */
import {
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { pipeline } from "node:stream";
import { type Addresses, type Replica, takeLeastBusy } from "./addresses";
import { ApiError } from "./errors";
import { joinUpgrade, SilenceError } from "./upgrade";

export interface ProxyOptions {
  /** Suffix of the functions' names in Docker's DNS, and the one namespace. */
  network: string;
  port: number;
  /** Longest silence of a function. */
  silenceMs: number;
  /** How long a connection may take to come up. */
  connectMs?: number;
  /** How long to look for a replica that takes a connection, while one starts or ends. */
  searchMs?: number;
}

const HOP_BY_HOP = [
  "connection",
  "proxy-connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  // Answered by this server already.
  "expect",
];

export interface Target {
  name: string;
  /** Path and query for the function, as they were sent. */
  path: string;
}

/** "/function/NAME/rest?query" in its parts; NAME may end in ".NAMESPACE". */
export function parseTarget(url: string, network: string): Target | undefined {
  const match = /^\/function\/([^/?#]+)([^?#]*)(\?[^#]*)?/.exec(url);
  if (!match) return undefined;
  const full = match[1]!;
  const name = full.endsWith(`.${network}`) ? full.slice(0, -network.length - 1) : full;
  return { name, path: `${match[2] || "/"}${match[3] ?? ""}` };
}

/** End-to-end headers of a message: without those that belong to one connection, named by it or by the standard. */
export function endToEnd(message: IncomingMessage): Record<string, string | string[]> {
  const drop = new Set(HOP_BY_HOP);
  for (const name of (message.headers.connection ?? "").split(",")) drop.add(name.trim().toLowerCase());
  const kept: Record<string, string | string[]> = {};
  for (const [name, values] of Object.entries(message.headersDistinct)) {
    if (drop.has(name) || !values) continue;
    kept[name] = values.length === 1 ? values[0]! : values;
  }
  return kept;
}

export class FunctionProxy {
  constructor(
    private readonly addresses: Addresses,
    private readonly options: ProxyOptions,
  ) {}

  /**
   * Forwards one request and its answer. Resolves when the answer has been sent or the client has gone.
   * @throws ApiError 502, 503 or 504 as long as nothing was sent to the client
   */
  async forward(target: Target, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const host = this.hostOf(target);
    await this.search(target, async (replica) => {
      const isGone = incoming.destroyed && !incoming.complete;
      return isGone || (await this.exchange(replica, host, target, incoming, outgoing));
    });
  }

  /**
   * Joins a connection that is to become something else, such as a WebSocket, with the function's.
   * @returns the status of the function's answer, once the connection has ended
   * @throws ApiError 502 or 503 as long as nothing was sent to the client
   */
  async upgrade(target: Target, incoming: IncomingMessage, client: Socket, head: Buffer): Promise<number> {
    const { port, silenceMs, connectMs = 3000 } = this.options;
    let status: number | undefined;
    const headers = requestHeaders(incoming, `${this.hostOf(target)}:${port}`);
    headers.connection = "upgrade";
    headers.upgrade = incoming.headers.upgrade;
    await this.search(target, async ({ address: host }) => {
      if (client.destroyed) return true;
      const replica = { host, port, path: target.path, headers, connectMs, silenceMs };
      status = await joinUpgrade(replica, incoming, client, head).catch((error: Error) => {
        throw failure(target.name, error);
      });
      return status !== undefined;
    });
    return status ?? 0;
  }

  private hostOf({ name }: Target): string {
    return `${name}.${this.options.network}`;
  }

  /** Tries replicas, the least busy one first, until one takes the connection. @throws ApiError 502, 503 */
  private async search(target: Target, attempt: (replica: Replica) => Promise<boolean>): Promise<void> {
    const until = Date.now() + (this.options.searchMs ?? 3000);
    for (let pause = 50; ; pause = Math.min(pause * 2, 500)) {
      const replicas = await this.addresses.replicas(this.hostOf(target));
      const left = [...replicas];
      for (let replica = takeLeastBusy(left); replica; replica = takeLeastBusy(left)) {
        replica.active++;
        try {
          if (await attempt(replica)) return;
        } finally {
          replica.active--;
        }
      }
      // Nothing of the request has left yet: a replica may be about to listen.
      if (Date.now() + pause > until) throw unreachable(target.name, replicas.length);
      await sleep(pause);
    }
  }

  /** False when no connection came up. From the connection on, whatever happens is the answer. */
  private exchange(
    replica: Replica,
    host: string,
    target: Target,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<boolean> {
    const { port, silenceMs, connectMs = 3000 } = this.options;
    const hasBody =
      incoming.headers["transfer-encoding"] !== undefined || Number(incoming.headers["content-length"]) > 0;
    const upstream = request({
      host: replica.address,
      port,
      method: incoming.method,
      path: target.path,
      headers: requestHeaders(incoming, `${host}:${port}`),
      agent: replica.agent,
    });
    return new Promise<boolean>((resolve, reject) => {
      let connected = false;
      const connecting = setTimeout(() => upstream.destroy(new Error("no connection")), connectMs);
      const begin = () => {
        connected = true;
        clearTimeout(connecting);
        upstream.setTimeout(silenceMs, () => upstream.destroy(new SilenceError()));
        if (hasBody) sendBody(incoming, upstream);
        else upstream.end();
      };
      const gone = () => {
        if (!outgoing.writableFinished) upstream.destroy(new Error("the client has gone"));
      };
      outgoing.once("close", gone);
      upstream.once("socket", (socket) => (socket.connecting ? socket.once("connect", begin) : begin()));
      upstream.once("response", (response) => {
        if (!sendHead(response, outgoing, responseHeaders(response, incoming)))
          return void upstream.destroy(new Error("an answer that cannot be passed on"));
        // Errors from here on cut the connection, which is what tells the client that the answer is not whole.
        sendAnswer(response, outgoing, () => resolve(true));
      });
      upstream.on("error", (error) => {
        clearTimeout(connecting);
        outgoing.off("close", gone);
        const again = !connected || (upstream.reusedSocket && !hasBody && isIdempotent(incoming));
        const isOver = outgoing.headersSent || outgoing.destroyed;
        if (!isOver && again) return resolve(false);
        // What still comes of the request's body is read and dropped, so that the client gets to read the answer.
        incoming.unpipe(upstream);
        incoming.resume();
        if (isOver) resolve(true);
        else reject(failure(target.name, error));
      });
    });
  }
}

/** False when it is one that may not be sent: the parser takes a status of 000, or control characters in its words. */
function sendHead(
  response: IncomingMessage,
  outgoing: ServerResponse,
  headers: OutgoingHttpHeaders,
): boolean {
  try {
    outgoing.writeHead(response.statusCode ?? 502, response.statusMessage, headers);
  } catch {
    // It stays with the answer, whichever that will be.
    outgoing.statusMessage = "";
    return false;
  }
  outgoing.flushHeaders();
  return true;
}

/** The body, then what comes after it: trailers are known when the last of it was read. */
function sendBody(incoming: IncomingMessage, upstream: ClientRequest): void {
  incoming.pipe(upstream, { end: false });
  incoming.once("end", () => {
    if (incoming.rawTrailers.length > 0) upstream.addTrailers(trailersOf(incoming));
    upstream.end();
  });
}

function sendAnswer(response: IncomingMessage, outgoing: ServerResponse, done: () => void): void {
  // Only a message in chunks has room for trailers, and only an announced one may bring some.
  if (!response.headers.trailer) return void pipeline(response, outgoing, done);
  response.pipe(outgoing, { end: false });
  response.once("end", () => {
    outgoing.addTrailers(trailersOf(response));
    outgoing.end();
  });
  response.once("close", () => !response.complete && outgoing.destroy());
  outgoing.once("close", () => {
    response.destroy();
    done();
  });
}

/** In the order they came, the same one several times as well. */
function trailersOf({ rawTrailers }: IncomingMessage): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < rawTrailers.length; i += 2) pairs.push([rawTrailers[i]!, rawTrailers[i + 1]!]);
  return pairs;
}

/** A connection that was kept may have been closed just now; what changes nothing can be sent again. */
function isIdempotent(incoming: IncomingMessage): boolean {
  return ["GET", "HEAD", "OPTIONS"].includes(incoming.method ?? "");
}

function requestHeaders(incoming: IncomingMessage, host: string): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ...endToEnd(incoming), host };
  headers["x-forwarded-host"] ??= incoming.headers.host;
  headers["x-forwarded-for"] ??= incoming.socket.remoteAddress;
  for (const name of ["x-forwarded-host", "x-forwarded-for"])
    if (headers[name] === undefined) delete headers[name];
  if (incoming.headers["transfer-encoding"] !== undefined) headers["transfer-encoding"] = "chunked";
  announceTrailers(incoming, headers);
  return headers;
}

/** Trailers are announced on each connection anew; with them the body has to be in chunks. */
function announceTrailers({ headers }: IncomingMessage, to: OutgoingHttpHeaders): void {
  if (headers.trailer === undefined || headers["transfer-encoding"] === undefined) return;
  to.trailer = headers.trailer;
  to["transfer-encoding"] = "chunked";
}

/** An answer without a type gets the request's, as OpenFaaS's other providers do it. */
function responseHeaders(response: IncomingMessage, incoming: IncomingMessage): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = endToEnd(response);
  announceTrailers(response, headers);
  const hasNoBody = response.statusCode === 204 || response.statusCode === 304;
  if (!hasNoBody) headers["content-type"] ??= incoming.headers["content-type"] ?? "text/plain";
  return headers;
}

function unreachable(name: string, replicas: number): ApiError {
  return replicas === 0
    ? new ApiError(503, `No endpoints available for: ${name}.`)
    : new ApiError(502, `Can't reach service for: ${name}.`);
}

function failure(name: string, error: Error): ApiError {
  return error instanceof SilenceError
    ? new ApiError(504, `Function ${name} did not answer in time.`)
    : new ApiError(502, `Can't reach service for: ${name}.`);
}
