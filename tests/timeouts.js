"use strict";
/** How long one test may take, by the folder it lies in. (Jest takes `testTimeout` only for all projects together.) */
const path = require("node:path");

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const LIMITS = { unit: 20 * SECOND, integration: 5 * MINUTE, e2e: 30 * MINUTE };

const [folder] = path.relative(__dirname, expect.getState().testPath).split(path.sep);
jest.setTimeout(LIMITS[folder]);
