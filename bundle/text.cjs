"use strict";
/** Loaded before a TypeScript program that runs through tsx: a script imported by name is its text, as esbuild has it in a bundle. */
const fs = require("node:fs");

require.extensions[".sh"] = (module, file) => {
  module.exports = { __esModule: true, default: fs.readFileSync(file, "utf8") };
};
