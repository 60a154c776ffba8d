"use strict";
/**
 * Runs function/handler.js behind HTTP: health and readiness, limits of time and of calls at once, and an end without a lost call.
 *
 * The handler is `module.exports = async (request, response, { signal }) => …` with Node's own request and response. What it returns is
 * the answer: a text, bytes, a stream or anything iterable in chunks, or else JSON. One that returns nothing answers by `response` itself.
 */
const http = require("node:http");
const { Readable } = require("node:stream");
const { pipeline } = require("node:stream/promises");

/** Idle connections are the caller's to close: Go's clients keep theirs for 90 s. */
const KEEP_ALIVE_MS = 120_000;

const UNITS = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** The longest that a timer of Node waits: 24.8 days. */
const LONGEST_MS = 2 ** 31 - 1;

/** A duration as Go writes it ("90s", "1m30s", ".5s"), or whole seconds, in milliseconds. 0 is no limit. */
function duration(env, name, fallback) {
  const text = env[name] || fallback;
  const parts = [...text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)];
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text)
    throw new Error(`${name} is "${text}"; it has to be a duration such as 90s`);
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit], 0);
}

function settings(env) {
  const inflight = env.max_inflight || "0";
  if (!/^\d+$/.test(inflight))
    throw new Error(`max_inflight is "${inflight}"; it has to be a whole number, 0 for no limit`);
  return {
    port: Number(env.port || 8080),
    /** Until a request has arrived whole. */
    readMs: duration(env, "read_timeout", "60s"),
    /** Until the answer has left whole, however it goes; also what calls under way are given at the end. */
    writeMs: duration(env, "write_timeout", "65s"),
    /** Until the handler and its answer have come to their end: 504, or a cut where the answer has begun. */
    execMs: duration(env, "exec_timeout", "60s"),
    /** Calls at once; more are answered 429. */
    inflight: Number(inflight),
  };
}

/** A kept connection that is closed as a call is on its way loses it: for so long each answer first says that it is the last one. */
const LINGER_MS = 1000;

function start(handler, { port, readMs, writeMs, execMs, inflight }) {
  let busy = 0;
  let stopping = false;
  const isFree = () => !stopping && (inflight === 0 || busy < inflight);
  const server = http.createServer(
    {
      requestTimeout: Math.ceil(readMs),
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: Math.ceil(Math.min(readMs || 1000, 1000)),
    },
    (request, response) => {
      if (stopping) response.setHeader("Connection", "close");
      if (request.url === "/_/health")
        return say(response, stopping ? 503 : 200, stopping ? "stopping" : "OK");
      if (request.url === "/_/ready") return say(response, isFree() ? 200 : 503, isFree() ? "OK" : "busy");
      if (inflight > 0 && busy >= inflight)
        return say(response, 429, "too many calls at once", { "Retry-After": "1" });
      busy++;
      response.once("close", () => busy--);
      call(handler, request, response, execMs, writeMs);
    },
  );
  const stop = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => {
      server.close(() => process.exit(0));
      // A connection that was busy at the stop goes idle later, and would be kept for the caller's next request.
      setInterval(() => server.closeIdleConnections(), 50).unref();
    }, LINGER_MS);
    limit(writeMs && LINGER_MS + writeMs, () => {
      console.error("calls were still under way at the end");
      process.exit(1);
    })?.unref();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  const limits = Object.entries({ read: readMs, write: writeMs, exec: execMs });
  const told = limits.map(([name, milliseconds]) => `${name}_timeout ${milliseconds / 1000}s`).join(", ");
  server.listen(port, () => console.log(`listening on port ${server.address().port}, ${told}`));
}

/** Calls `act` after that time; 0 is never. */
function limit(milliseconds, act) {
  return milliseconds > 0 ? setTimeout(act, Math.min(milliseconds, LONGEST_MS)) : undefined;
}

async function call(handler, request, response, execMs, writeMs) {
  const controller = new AbortController();
  const late = limit(execMs, () => {
    controller.abort(new Error("exec_timeout"));
    if (response.headersSent) response.destroy();
    else say(response, 504, "the function took too long", { Connection: "close" });
  });
  const slow = limit(writeMs, () => response.destroy());
  response.once("close", () => {
    clearTimeout(late);
    clearTimeout(slow);
    controller.abort(new Error("the call is over"));
  });
  try {
    const result = await handler(request, response, { signal: controller.signal });
    if (result !== undefined && !response.headersSent) await answer(response, result);
  } catch (error) {
    // A caller that has gone, or a limit that was met, is no failure of the function.
    if (response.destroyed || response.writableEnded) return;
    console.error(error);
    if (response.headersSent) response.destroy();
    else say(response, 500, "the function failed");
  }
}

async function answer(response, result) {
  const type = (text) => response.hasHeader("Content-Type") || response.setHeader("Content-Type", text);
  if (typeof result === "string") {
    type("text/plain; charset=utf-8");
    return response.end(result);
  }
  if (result instanceof Uint8Array) {
    type("application/octet-stream");
    return response.end(result);
  }
  const streams =
    result instanceof Readable || result?.[Symbol.asyncIterator] || typeof result?.next === "function";
  if (streams) return pipeline(result instanceof Readable ? result : Readable.from(result), response);
  type("application/json; charset=utf-8");
  return response.end(`${JSON.stringify(result)}\n`);
}

function say(response, status, text, headers = {}) {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", ...headers });
  response.end(`${text}\n`);
}

/** The image has no curl: the program asks itself. */
function healthcheck(port) {
  const asked = http.get({ host: "127.0.0.1", port, path: "/_/health", timeout: 2000 }, ({ statusCode }) =>
    process.exit(statusCode === 200 ? 0 : 1),
  );
  asked.on("timeout", () => process.exit(1));
  asked.on("error", () => process.exit(1));
}

if (process.argv[2] === "--healthcheck") healthcheck(Number(process.env.port || 8080));
else start(require(process.env.handler || "./function/handler.js"), settings(process.env));
