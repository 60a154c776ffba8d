"use strict";
const fs = require("node:fs");

/** Appends a line of totals to the file that OSLO_FAAS_TOTALS names: `npm test` is several runs of jest, and CI counts them all. */
module.exports = class Totals {
  onRunComplete(_contexts, results) {
    // A file that cannot even be loaded counts as one failure: jest lists no test of it.
    const broken = results.testResults.filter(
      (file) => file.testExecError && file.testResults.length === 0,
    ).length;
    const line = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + broken,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    fs.appendFileSync(process.env.OSLO_FAAS_TOTALS, JSON.stringify(line) + "\n");
  }
};
