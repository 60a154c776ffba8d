"use strict";
/** The function as a program: listens, checks itself, and ends as Swarm asks it to. */
const http = require("node:http");
const { createHandler, limitsFrom } = require("./handler");

/** A kept connection that is closed as a call is on its way loses it: for so long each answer first says that it is the last one. */
const LINGER_MS = 1000;

function start(env = process.env) {
  const server = http.createServer(
    // A body that does not arrive in a minute gives its slot back.
    { headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 75_000 },
    createHandler(limitsFrom(env)),
  );
  // Calls in flight have as long as they take: what bounds them is max_seconds, the wait for their bodies, and Swarm's stop grace period.
  const stop = () => {
    server.prependListener("request", (_request, response) => response.setHeader("Connection", "close"));
    setTimeout(() => {
      server.close(() => process.exit(0));
      // A connection that was busy at the stop goes idle later, and would be kept for the client's next call.
      setInterval(() => server.closeIdleConnections(), 50).unref();
    }, LINGER_MS);
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  server.listen(Number(env.port || 8080), () => {
    console.log(
      JSON.stringify({ level: "info", message: "resize-image listens", port: server.address().port }),
    );
  });
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
