"use strict";
// What Pulumi starts for `--policy-pack policy`: index.ts as one bundle, made once per change, as the program is.
const { loadBundle, SHARED_SDK } = require("../bundle/bundle.cjs");
module.exports = loadBundle("policy/index.ts", { name: "policy", external: SHARED_SDK });
