"use strict";
/** The HTTP side: one request at a time per slot, refusals as JSON. */
const { Refusal, parseQuery } = require("./request");
const { resize, tooManyBytes } = require("./resize");

/** From the environment, with what is usual; a value that is no number is an error at the start, not at the first call. */
function limitsFrom(env) {
  return {
    bytes: number(env, "max_bytes", 10 * 1024 * 1024),
    pixels: number(env, "max_pixels", 40_000_000),
    seconds: number(env, "max_seconds", 30),
    /** Pictures worked on at a time. The others wait unread, so that memory stays bounded. */
    parallel: number(env, "max_parallel", 2),
    /** Calls that may wait; more are told to come again. */
    waiting: number(env, "max_waiting", 64),
  };
}

function number(env, name, fallback) {
  const text = env[name];
  if (text === undefined || text === "") return fallback;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`${name} is "${text}"; it has to be a whole number above 0`);
}

/** The listener for node:http. */
function createHandler(limits) {
  const slots = new Slots(limits.parallel, limits.waiting);
  return (request, response) => {
    answer(request, response, limits, slots).catch((error) => fail(request, response, error));
  };
}

async function answer(request, response, limits, slots) {
  const url = new URL(request.url, "http://function");
  if (request.method !== "POST") {
    response.setHeader("Allow", "POST");
    throw new Refusal(405, "send the picture with POST");
  }
  const options = parseQuery(url.searchParams);
  if (Number(request.headers["content-length"]) > limits.bytes) throw tooManyBytes(limits.bytes);
  await slots.take();
  try {
    if (request.destroyed) return;
    const result = await resize(request, options, limits);
    response.writeHead(200, {
      "Content-Type": result.type,
      "Content-Length": result.data.length,
      "X-Image-Width": result.width,
      "X-Image-Height": result.height,
    });
    response.end(result.data);
  } finally {
    slots.give();
  }
}

function fail(request, response, error) {
  if (error instanceof Refusal) {
    // What is left of the body is not wanted, and a connection in the middle of one cannot be used again.
    if (!request.complete) response.setHeader("Connection", "close");
    if (error.status === 429) response.setHeader("Retry-After", "1");
    return json(response, error.status, { error: error.message, reasons: error.reasons });
  }
  if (request.destroyed && !request.complete) return response.destroy();
  console.error(JSON.stringify({ level: "error", message: error.message, path: request.url.split("?")[0] }));
  json(response, 500, { error: "the picture could not be resized" });
}

function json(response, status, value) {
  if (response.headersSent) return response.destroy();
  response.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
  });
  response.end(`${JSON.stringify(value)}\n`);
}

class Slots {
  constructor(free, maxWaiting) {
    this.free = free;
    this.maxWaiting = maxWaiting;
    this.waiting = [];
  }

  take() {
    if (this.free > 0) {
      this.free -= 1;
      return Promise.resolve();
    }
    if (this.waiting.length >= this.maxWaiting) {
      return Promise.reject(new Refusal(429, "too many pictures at a time; try again in a second"));
    }
    return new Promise((done) => this.waiting.push(done));
  }

  give() {
    const next = this.waiting.shift();
    if (next) next();
    else this.free += 1;
  }
}

module.exports = { createHandler, limitsFrom };
