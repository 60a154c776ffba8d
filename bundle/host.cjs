"use strict";
module.exports = require("./entries.cjs").load("host");
