"use strict";
/**
 * A function that writes down which calls it got: POST with an id as the body, after ?wait= milliseconds; GET gives ids and how often
 * each came. ?fail=N answers the first N calls with 503, ?break ends the connection without an answer. In memory, hence for one replica.
 */
const http = require("node:http");

const times = new Map();
let failures = 0;

const server = http.createServer((request, response) => {
  const url = new URL(request.url, "http://function");
  if (url.pathname === "/_/health") return response.end("ok");
  if (request.method === "GET") return response.end(JSON.stringify(Object.fromEntries(times)));
  let id = "";
  request.on("data", (chunk) => (id += chunk));
  request.on("end", () => {
    // As one that crashes on its input, when it has done its work.
    if (url.searchParams.has("break")) {
      times.set(id, (times.get(id) || 0) + 1);
      return request.socket.destroy();
    }
    // The first calls fail, for as many as asked.
    if (failures < Number(url.searchParams.get("fail") || 0)) {
      failures++;
      return response.writeHead(503).end();
    }
    setTimeout(
      () => {
        times.set(id, (times.get(id) || 0) + 1);
        response.end(id);
      },
      Number(url.searchParams.get("wait") || 0),
    );
  });
});
process.on("SIGTERM", () => server.close(() => process.exit(0)));
server.keepAliveTimeout = 75_000;
server.listen(8080);
