"use strict";
/** For `lang: node`: templates/node puts this behind HTTP, with health, limits and an end without a lost call. */
const { createHandler, limitsFrom } = require("./answer");

module.exports = createHandler(limitsFrom(process.env));
