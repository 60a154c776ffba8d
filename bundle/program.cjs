"use strict";
/**
 * What `main` in package.json names: it loads index.ts as one bundle and hands its exports on, which Pulumi makes the stack's outputs.
 * @pulumi/* stay outside of the bundle: the program has to share them, and with them the connection to the engine, with the
 * `cmd/run` that Pulumi started.
 */
const path = require("node:path");
const { loadBundle, BundleError } = require("./load.cjs");

function load() {
  try {
    return loadBundle(path.join(__dirname, "..", "index.ts"), { name: "program", external: ["@pulumi/*"] });
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    // The one kind of error that Pulumi prints without a stack.
    const { RunError } = require("@pulumi/pulumi");
    throw new RunError(`index.ts cannot be loaded:\n${error.message}`);
  }
}

const program = load();
// Pulumi calls a module that is a function, and takes the values of any other. What TypeScript calls a default export is that function.
module.exports = typeof program.default === "function" ? program.default : program;
