#!/usr/bin/env node
"use strict";
/** The command `oslo-faas`. In a clone it is `npm run oslo-faas --`, which brings an engine where there is none on PATH. */
const fs = require("node:fs");
const path = require("node:path");

const inClone = path.join(__dirname, "..", "dev", "bootstrap.mjs");
if (fs.existsSync(inClone)) {
  process.argv.splice(2, 0, "oslo-faas");
  void import(inClone);
} else {
  const { load } = require("./entries.cjs");
  void load("cli")
    .main(process.argv.slice(2))
    .then((code) => {
      process.exitCode = code;
    });
}
