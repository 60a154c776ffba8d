#!/usr/bin/env node
"use strict";
/** The command `oslo-faas`. */
const { load } = require("./entries.cjs");

void load("cli")
  .main(process.argv.slice(2))
  .then((code) => {
    process.exitCode = code;
  });
