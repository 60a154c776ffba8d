"use strict";
/** Installs what the handler's package-lock.json names, and nothing that it does not. Where it needs nothing, npm is not needed either. */
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");

const folder = process.argv[2];
const manifest = `${folder}/package.json`;
const { dependencies = {} } = fs.existsSync(manifest) ? JSON.parse(fs.readFileSync(manifest, "utf8")) : {};
if (Object.keys(dependencies).length > 0) {
  if (!fs.existsSync(`${folder}/package-lock.json`)) {
    console.error(
      "The handler has dependencies and no package-lock.json: run `npm install` in its folder and commit the file.",
    );
    process.exit(1);
  }
  const args = ["ci", "--omit=dev", "--no-audit", "--no-fund"];
  const { status, error } = spawnSync("npm", args, { cwd: folder, stdio: "inherit" });
  if (error) console.error(`npm could not be started: ${error.message}`);
  process.exit(status ?? 1);
}
