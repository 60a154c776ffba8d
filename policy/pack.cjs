"use strict";
// What Pulumi starts for `--policy-pack policy`: index.ts as one bundle, made once per change, as the program is.
const path = require("node:path");
const { loadBundle } = require("../bundle/load.cjs");
module.exports = loadBundle(path.join(__dirname, "index.ts"), { name: "policy", external: ["@pulumi/*"] });
