"use strict";
/** What templates.test.ts calls, in the words of this language. A call that waits does so for the file named by `release`. */
const fs = require("node:fs");
const { text } = require("node:stream/consumers");

async function released() {
  while (!fs.existsSync(process.env.release)) await new Promise((next) => setTimeout(next, 10));
}

async function* pieces() {
  yield "one\n";
  await released();
  yield "two\n";
}

module.exports = async (request, response) => {
  if (request.url === "/echo") return request;
  if (request.url === "/fail") throw new Error("no such fjord");
  if (request.url === "/stream") return pieces();
  if (request.url === "/status") {
    response.writeHead(418, { "X-Kind": "teapot" }).end("short and stout");
    return undefined;
  }
  if (request.url === "/wait") await released();
  return { body: await text(request) };
};
