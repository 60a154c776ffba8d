"use strict";
const { text } = require("node:stream/consumers");

/** What is returned is the answer: a text, bytes, a stream, or an object as JSON. */
module.exports = async (request) => {
  const body = await text(request);
  return { message: "Hello from Node", method: request.method, url: request.url, body };
};
