"use strict";
// A plugin that is started for a preview ends with it, also when nobody could end it any more. (Go's plugins ask after their engine.)
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(0);
}, 2000).unref();
