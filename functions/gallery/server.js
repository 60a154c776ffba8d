"use strict";
/** The function as a program: listens, checks itself, and ends as Swarm asks it to. */
const http = require("node:http");
const { createHandler, settingsFrom } = require("./gallery");

const DRAIN_MS = 8000;

function start(env = process.env) {
  const server = http.createServer(
    { headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 75_000 },
    createHandler(settingsFrom(env)),
  );
  const stop = () => {
    server.close(() => process.exit(0));
    setInterval(() => server.closeIdleConnections(), 50).unref();
    setTimeout(() => process.exit(1), DRAIN_MS).unref();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  server.listen(Number(env.port || 8080));
  return server;
}

/** The image has no shell and no curl: the program checks itself. */
function healthcheck(port) {
  const asked = http.get({ host: "127.0.0.1", port, path: "/_/health", timeout: 2000 }, (response) => {
    process.exit(response.statusCode === 200 ? 0 : 1);
  });
  asked.on("timeout", () => process.exit(1));
  asked.on("error", () => process.exit(1));
}

if (require.main === module) {
  if (process.argv[2] === "--healthcheck") healthcheck(Number(process.env.port || 8080));
  else start();
}
