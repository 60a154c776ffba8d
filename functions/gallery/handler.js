"use strict";
/** For `lang: node`: templates/node puts this behind HTTP, with health, limits and an end without a lost call. */
const { createHandler, settingsFrom } = require("./gallery");

module.exports = createHandler(settingsFrom(process.env));
