"use strict";
/** A script that is imported is its text, as it is in a bundle. */
module.exports = { process: (text) => ({ code: `module.exports = ${JSON.stringify(text)};` }) };
