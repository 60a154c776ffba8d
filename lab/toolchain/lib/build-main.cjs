"use strict";
/** The process that builds; lock.cjs starts it with the lock held. Everything it says goes to stderr. */
const { buildLocked, running } = require("./build.cjs");
const { ToolchainError } = require("./say.cjs");

function stop(signal) {
  for (const child of running) child.kill("SIGTERM");
  process.exit(signal === "SIGINT" ? 130 : 143);
}
process.on("SIGINT", () => stop("SIGINT"));
process.on("SIGTERM", () => stop("SIGTERM"));

buildLocked(process.env).catch((error) => {
  process.stderr.write(`\n${error instanceof ToolchainError ? error.message : error.stack}\n`);
  process.exitCode = 1;
});
