"use strict";

/** swc strips the types; whether they are right is what `npm run check` says. */
const common = {
  rootDir: __dirname,
  testEnvironment: "node",
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      {
        jsc: { parser: { syntax: "typescript" }, target: "es2022" },
        module: { type: "commonjs" },
        sourceMaps: "inline",
      },
    ],
    "\\.sh$": "<rootDir>/tests/setup/text.cjs",
  },
  // As package.json's `exports`, but from the sources, so that a test can mock what they import.
  moduleNameMapper: {
    "^oslo-faas$": "<rootDir>/components",
    "^oslo-faas/(host|openfaas)$": "<rootDir>/providers/$1/sdk",
  },
  moduleFileExtensions: ["ts", "js", "cjs", "mjs", "json", "node"],
  modulePathIgnorePatterns: ["<rootDir>/.cache/"],
  testPathIgnorePatterns: ["/node_modules/", "<rootDir>/.cache/"],
};

const project = (name, more = {}) => ({
  ...common,
  displayName: name,
  testMatch: [`<rootDir>/tests/${name}/**/*.test.ts`],
  setupFilesAfterEnv: ["<rootDir>/tests/timeouts.js"],
  ...more,
});

/** sshd, an engine and what else these start, installed where they are missing. */
const programs = { globalSetup: "<rootDir>/tests/setup/packages.ts" };

/** @type {import("jest").Config} */
module.exports = {
  testSequencer: "<rootDir>/tests/setup/sequencer.cjs",
  ...(process.env.OSLO_FAAS_TOTALS ? { reporters: ["default", "<rootDir>/tests/setup/totals.cjs"] } : {}),
  projects: [project("unit"), project("integration", programs), project("e2e", programs)],
};
