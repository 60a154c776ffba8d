"use strict";
/** The plugin's process. The TypeScript under src/ is bundled once per change. */
const { loadBundle, BundleError } = require("../../bundle/bundle.cjs");
try {
  loadBundle("providers/openfaas/src/main.ts", { name: "plugin-openfaas" });
} catch (error) {
  if (!(error instanceof BundleError)) throw error;
  process.stderr.write(`The provider "openfaas" cannot be loaded:\n${error.message}\n`);
  process.exitCode = 1;
}
