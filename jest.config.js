"use strict";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

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
  },
  moduleFileExtensions: ["ts", "js", "cjs", "mjs", "json", "node"],
  modulePathIgnorePatterns: ["<rootDir>/.cache/"],
  testPathIgnorePatterns: ["/node_modules/", "<rootDir>/.cache/"],
};

const project = (name, testTimeout, more = {}) => ({
  ...common,
  displayName: name,
  testMatch: [`<rootDir>/tests/${name}/**/*.test.ts`],
  setupFiles: [],
  testTimeout,
  ...more,
});

/** sshd, an engine and what else these start, installed where they are missing. */
const programs = { globalSetup: "<rootDir>/tests/setup/packages.ts" };

/** @type {import("jest").Config} */
module.exports = {
  // Integration and end-to-end tests share an sshd, an engine and ports: `npm test` gives them one worker (toolchain/bootstrap.mjs).
  projects: [
    project("unit", 20 * SECOND),
    project("integration", 5 * MINUTE, programs),
    project("e2e", 30 * MINUTE, programs),
  ],
};
