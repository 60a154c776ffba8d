"use strict";
/** The plugin's process. The TypeScript under src/ is bundled once per change. */
const path = require("node:path");
const { loadBundle, BundleError } = require("../../bundle/load.cjs");
try {
  loadBundle(path.join(__dirname, "src", "main.ts"), { name: "plugin" });
} catch (error) {
  if (!(error instanceof BundleError)) throw error;
  process.stderr.write(`The provider "host" cannot be loaded:\n${error.message}\n`);
  process.exitCode = 1;
}
