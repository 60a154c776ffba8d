"use strict";
/** What the package is made of. A clone bundles an entry when it is used; `npm run build` writes them all to dist/. */
const { loadBundle, SHARED_SDK } = require("./bundle.cjs");

const ENTRIES = {
  index: { entry: "components/index.ts", external: SHARED_SDK },
  host: { entry: "providers/host/sdk/index.ts", external: SHARED_SDK },
  openfaas: { entry: "providers/openfaas/sdk/index.ts", external: SHARED_SDK },
  // prettier formats what `env generate` writes, which is refused outside of a clone.
  cli: { entry: "cli/main.ts", external: [...SHARED_SDK, "prettier"] },
  policy: { entry: "policy/index.ts", external: SHARED_SDK },
  // A plugin runs alone, wherever it was installed.
  "plugin-host": { entry: "providers/host/src/main.ts" },
  "plugin-openfaas": { entry: "providers/openfaas/src/main.ts" },
};

/** @param {keyof typeof ENTRIES} name @returns what the entry exports */
function load(name) {
  const { entry, ...options } = ENTRIES[name];
  return loadBundle(entry, { name, ...options });
}

module.exports = { ENTRIES, load };
