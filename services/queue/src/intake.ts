/**
 * Answers POST /async-function/NAME: 202 once the call is on disk, and otherwise why it is not accepted. Listens on a socket in a
 * folder of the host, where the edge, or without one Nginx, finds it.
 */
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import { Registry } from "prom-client";
import type { Acceptor } from "./accept";
import type { Headers } from "./call";
import type { KnownFunctions } from "./functions";
import { NotAccepted } from "./jetstream";
import { BoundedCounter } from "./metrics";
import { ATTEMPT_HEADER } from "./request";
import { BadTarget, parseTarget } from "./target";
import type { Log } from "./log";

/** Bodies that are held until they are on disk, all together. */
const MOST_BYTES = 192 * 1024 * 1024;
/** Below it the disk counts as full: NATS ends where it has no room left for what it already has. */
const LEAST_FREE_BYTES = 128 * 1024 * 1024;
const DISK_EVERY_MS = 1000;
/** Longer than Nginx and the edge keep an idle connection. */
const KEEP_ALIVE_MS = 150_000;
const AWAY_S = 5;
const FULL_S = 30;

interface Options {
  maxBody: number;
  log: Log;
  /** Free bytes where the queue is. Default: of the container's root, which lies on the host's disk of images and volumes. */
  freeBytes?: () => Promise<number>;
}

class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly reason: string,
    readonly headers: http.OutgoingHttpHeaders = {},
  ) {
    super(message);
  }
}

export class Intake {
  readonly registry = new Registry();
  private readonly accepted = new BoundedCounter(
    this.registry,
    "oslo_faas_queue_accepted_total",
    "Calls accepted: they were on disk before their 202.",
    ["function_name"],
  );
  private readonly refused = new BoundedCounter(
    this.registry,
    "oslo_faas_queue_refused_total",
    "Calls answered with 4xx or 503, by reason.",
    ["reason"],
  );
  private held = 0;
  private disk = { at: -Infinity, free: Infinity };

  constructor(
    private readonly acceptor: Pick<Acceptor, "accept">,
    private readonly functions: Pick<KnownFunctions, "has">,
    private readonly options: Options,
  ) {}

  server(): http.Server {
    const server = http.createServer((request, response) => void this.answer(request, response));
    server.on("checkContinue", (request, response) => void this.answer(request, response, true));
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    return server;
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse, asks = false) {
    try {
      const headers = await this.take(request, response, asks);
      response.writeHead(202, { ...headers, "Content-Length": 0 }).end();
    } catch (error) {
      if (request.destroyed && !request.complete) return;
      const refused =
        error instanceof Refused
          ? error
          : new Refused(500, "The queue's intake failed; see its log.", "internal");
      if (refused.status >= 500)
        this.options.log("warn", "not accepted", { reason: ((refused.cause ?? error) as Error).message });
      this.refused.add({ reason: refused.reason });
      const body = `${refused.message}\n`;
      response
        .writeHead(refused.status, {
          "Content-Type": "text/plain; charset=utf-8",
          "Content-Length": Buffer.byteLength(body),
          // What is left of a body is not read.
          ...(request.complete ? {} : { Connection: "close" }),
          ...refused.headers,
        })
        .end(body);
    }
  }

  /** @returns the answer's headers. @throws Refused */
  private async take(request: http.IncomingMessage, response: http.ServerResponse, asks: boolean) {
    const { name, target } = targetOf(request);
    if (request.method !== "POST")
      throw new Refused(405, "An asynchronous call is a POST.", "method", { Allow: "POST" });
    const callbackUrl = callbackOf(request);
    const size = Number(request.headers["content-length"] ?? 0);
    if (size > this.options.maxBody) throw tooLarge(this.options.maxBody);
    await this.mustHaveRoom(size);
    await this.mustExist(name);
    if (asks) response.writeContinue();
    const acceptedMs = Date.now();
    const callId = request.headers["x-call-id"]?.toString() || randomUUID();
    const own = { "X-Call-Id": callId, "X-Start-Time": `${acceptedMs}000000` };
    const body = await this.read(request);
    const call = { function: name, target, callId, attempt: 1, acceptedMs, body };
    const headers = { ...headersOf(request), ...listed(own) };
    try {
      await this.acceptor.accept({ ...call, headers, ...(callbackUrl ? { callbackUrl } : {}) });
    } catch (error) {
      throw notAccepted(error);
    } finally {
      this.held -= body.length;
    }
    this.accepted.add({ function_name: name });
    return own;
  }

  /** Counts what it holds; the caller gives it back. */
  private async read(request: http.IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      // One that is too large is still answered.
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        size += chunk.length;
        this.held += chunk.length;
        if (size > this.options.maxBody) throw tooLarge(this.options.maxBody);
        if (this.held > MOST_BYTES) throw busy();
        chunks.push(chunk);
      }
    } catch (error) {
      this.held -= size;
      throw error;
    }
    return Buffer.concat(chunks);
  }

  private async mustHaveRoom(size: number): Promise<void> {
    if (this.held + size > MOST_BYTES) throw busy();
    const now = Date.now();
    if (now - this.disk.at > DISK_EVERY_MS) {
      this.disk.at = now;
      this.disk.free = await (this.options.freeBytes ?? freeBytes)();
    }
    if (this.disk.free < LEAST_FREE_BYTES)
      throw unavailable("The disk of the queue is full. Call again later.", "disk", FULL_S);
  }

  private async mustExist(name: string): Promise<void> {
    const has = await this.functions.has(name).catch((cause: Error) => {
      throw Object.assign(
        unavailable("Functions cannot be looked up. Call again later.", "provider", AWAY_S),
        {
          cause,
        },
      );
    });
    if (!has) throw new Refused(404, `There is no function ${name}.`, "unknown");
  }
}

const unavailable = (message: string, reason: string, seconds: number) =>
  new Refused(503, message, reason, { "Retry-After": seconds });

const busy = () => unavailable("Too many bodies are on their way. Call again later.", "busy", AWAY_S);

const tooLarge = (most: number) =>
  new Refused(413, `The body of an asynchronous call is at most ${most} bytes.`, "size");

function notAccepted(cause: unknown): Error {
  if (!(cause instanceof NotAccepted)) return cause as Error;
  const refused = cause.isFull
    ? unavailable("The queue is full. Call again later.", "full", FULL_S)
    : unavailable("The queue is away. Call again later, with the same X-Call-Id.", "away", AWAY_S);
  return Object.assign(refused, { cause });
}

function targetOf(request: http.IncomingMessage) {
  try {
    return parseTarget(request.url!);
  } catch (error) {
    if (error instanceof BadTarget) throw new Refused(error.status, error.message, "target");
    throw error;
  }
}

function callbackOf({ headers }: http.IncomingMessage): string | undefined {
  const url = headers["x-callback-url"]?.toString();
  if (!url) return undefined;
  if (!/^https?:\/\/[^\s/]/i.test(url) || !URL.canParse(url))
    throw new Refused(400, "X-Callback-Url is not an http or https URL.", "callback");
  return url;
}

/** As they came: a name that comes twice has both values. */
function headersOf({ rawHeaders }: http.IncomingMessage): Headers {
  const found: Headers = {};
  const names = new Map<string, string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [raw, value] = [rawHeaders[i]!, rawHeaders[i + 1]!];
    const key = raw.toLowerCase();
    if (OWN.has(key)) continue;
    const name = names.get(key) ?? raw;
    names.set(key, name);
    (found[name] ??= []).push(value);
  }
  return found;
}

/** Set here, and not by a caller. */
const OWN = new Set(["x-call-id", "x-start-time", ATTEMPT_HEADER.toLowerCase()]);

const listed = (headers: Record<string, string>): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));

async function freeBytes(): Promise<number> {
  const { bavail, bsize } = await fs.promises.statfs("/");
  return bavail * bsize;
}
