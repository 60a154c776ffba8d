"use strict";
module.exports = require("./entries.cjs").load("index");
