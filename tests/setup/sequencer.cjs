"use strict";
const path = require("node:path");
const Sequencer = require("@jest/test-sequencer").default;

/**
 * The files that take minutes, longest first: three files run at a time, and one of these begun last would be waited for alone. On a
 * fresh clone jest knows no times and goes by the files' sizes.
 */
const LONG = [
  "e2e/journey",
  "e2e/fresh-host",
  "integration/swarm-provider-updates",
  "integration/registry-auth",
  "integration/swarm-provider",
  "integration/plugin-function",
  "integration/workflows",
  "integration/package",
  "integration/preview",
  "integration/preview-state",
  "integration/plugin-engine",
  "e2e/lab-engine",
  "e2e/lab",
  "integration/plugin-transport",
  "e2e/plugin-host",
  "integration/toolchain",
  "integration/preview-policy",
  "integration/images-reproduced",
];

module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path: file }) => {
      const at = LONG.indexOf(path.relative(path.join(__dirname, ".."), file).replace(/\.test\.ts$/, ""));
      return at === -1 ? LONG.length : at;
    };
    // The base's order within the same rank: failures first, then by time or size.
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
};
