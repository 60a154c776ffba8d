"use strict";
/**
 * A picture in, and several sizes of it to be had afterwards: each is made by the function resize-image, through the gateway, and kept
 * in this function's own temporary folder. It is an example of one function that uses another; what is to last belongs into a store of
 * its own.
 */
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");

/** For one size. What all of them take together is in images.yml, as exec_timeout. */
const RESIZE_MS = 60_000;

/** From the environment, with what is usual. */
function settingsFrom(env) {
  const widths = (env.widths || "160,640,1280").split(",").map(Number);
  if (widths.some((width) => !Number.isInteger(width) || width < 1 || width > 8192))
    throw new Error(`widths is "${env.widths}"; it has to be a list of pixels from 1 to 8192`);
  return {
    widths,
    /** Where functions are called; on the functions' network the gateway has this name. */
    gateway: env.gateway_url || "http://gateway:8080",
    folder: env.folder || "/tmp/gallery",
    bytes: Number(env.max_bytes || 10 * 1024 * 1024),
    /** Pictures kept; the oldest go. */
    pictures: Number(env.max_pictures || 100),
  };
}

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** A request and its response; resolves when it is answered. */
function createHandler(settings) {
  fs.mkdirSync(settings.folder, { recursive: true });
  return async (request, response) => {
    try {
      await answer(request, response, settings);
    } catch (error) {
      if (!(error instanceof Refusal))
        console.error(JSON.stringify({ level: "error", message: error.message }));
      json(response, error.status || 502, { error: error.message });
    }
  };
}

async function answer(request, response, settings) {
  const { pathname } = new URL(request.url, "http://function");
  if (request.method === "POST") return json(response, 201, await store(request, settings));
  if (request.method !== "GET") throw new Refusal(405, "POST a picture, or GET one of its sizes");
  const match = /^\/([A-Za-z0-9-]{1,64})(?:\/(\d{1,4}\.webp))?$/.exec(pathname);
  if (!match) throw new Refusal(404, "there is /ID and /ID/WIDTH.webp");
  const [, id, file] = match;
  const folder = path.join(settings.folder, id);
  if (!fs.existsSync(folder)) throw new Refusal(404, `there is no picture ${id}`);
  if (!file) return json(response, 200, { id, variants: variants(folder, id) });
  if (!fs.existsSync(path.join(folder, file))) throw new Refusal(404, `${id} has no ${file}`);
  const data = fs.readFileSync(path.join(folder, file));
  response.writeHead(200, { "Content-Type": "image/webp", "Content-Length": data.length });
  response.end(data);
}

/** One after the other: resize-image works on few at a time, and others want it as well. A size that is there is not made again. */
async function store(request, settings) {
  const picture = await read(request, settings.bytes);
  // The same for every attempt of an asynchronous call: trying again makes nothing twice.
  const id = String(request.headers["x-call-id"] || "")
    .replace(/[^A-Za-z0-9-]/g, "")
    .slice(0, 64);
  if (!id) throw new Refusal(400, "the call has no X-Call-Id; call it through the gateway");
  const folder = path.join(settings.folder, id);
  fs.mkdirSync(folder, { recursive: true });
  for (const width of settings.widths) {
    const file = path.join(folder, `${width}.webp`);
    if (fs.existsSync(file)) continue;
    const made = await resize(picture, width, request.headers["content-type"], settings);
    fs.writeFileSync(`${file}.part`, made);
    fs.renameSync(`${file}.part`, file);
  }
  forgetOld(settings);
  return { id, variants: variants(folder, id) };
}

function resize(picture, width, type, { gateway }) {
  const url = `${gateway}/function/resize-image?width=${width}&format=webp`;
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": type || "application/octet-stream", "Content-Length": picture.length };
    const asked = http.request(url, { method: "POST", headers, timeout: RESIZE_MS }, (response) => {
      read(response, Infinity).then((body) => {
        if (response.statusCode === 200) return resolve(body);
        // A mistake of the caller stays one; what may pass is answered so that the queue tries again.
        const status = response.statusCode >= 500 || response.statusCode === 429 ? 503 : response.statusCode;
        reject(
          new Refusal(
            status,
            `resize-image answered ${response.statusCode}: ${body.toString().slice(0, 300)}`,
          ),
        );
      }, reject);
    });
    asked.on("timeout", () => asked.destroy(new Error("resize-image did not answer within 60 s")));
    asked.on("error", (error) => reject(new Refusal(503, `resize-image cannot be called: ${error.message}`)));
    asked.end(picture);
  });
}

async function read(stream, limit) {
  const chunks = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > limit) throw new Refusal(413, `the picture is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function variants(folder, id) {
  return fs
    .readdirSync(folder)
    .filter((name) => name.endsWith(".webp"))
    .map((name) => ({ width: parseInt(name, 10), bytes: fs.statSync(path.join(folder, name)).size }))
    .sort((a, b) => a.width - b.width)
    .map((variant) => ({ ...variant, path: `/function/gallery/${id}/${variant.width}.webp` }));
}

function forgetOld({ folder, pictures }) {
  const age = (name) => fs.statSync(path.join(folder, name)).mtimeMs;
  const names = fs.readdirSync(folder).sort((a, b) => age(b) - age(a));
  for (const name of names.slice(pictures))
    fs.rmSync(path.join(folder, name), { recursive: true, force: true });
}

function json(response, status, value) {
  if (response.headersSent) return response.destroy();
  response.writeHead(status, { "Content-Type": "application/json; charset=utf-8" });
  response.end(`${JSON.stringify(value)}\n`);
}

module.exports = { createHandler, settingsFrom };
