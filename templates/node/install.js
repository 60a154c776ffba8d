"use strict";
/**
 * Installs what the handler's package-lock.json names, and nothing that it does not. Where it needs nothing, or what it needs was laid there
 * beforehand, npm is not needed either.
 */
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");

/** The handler's folder; and what becomes a layer of the image, all of which gets one time: the same content is the same layer. */
const [folder, layer] = process.argv.slice(2);
const EPOCH = 1577836800;
const manifest = `${folder}/package.json`;
const { dependencies = {} } = fs.existsSync(manifest) ? JSON.parse(fs.readFileSync(manifest, "utf8")) : {};
if (Object.keys(dependencies).length > 0 && !fs.existsSync(`${folder}/node_modules`)) {
  if (!fs.existsSync(`${folder}/package-lock.json`)) {
    console.error(
      "The handler has dependencies and no package-lock.json: run `npm install` in its folder and commit the file.",
    );
    process.exit(1);
  }
  const args = ["ci", "--omit=dev", "--no-audit", "--no-fund"];
  const { status, error } = spawnSync("npm", args, { cwd: folder, stdio: "inherit" });
  if (error) console.error(`npm could not be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
if (layer) level(layer);

function level(file) {
  if (fs.lstatSync(file).isDirectory()) for (const name of fs.readdirSync(file)) level(`${file}/${name}`);
  fs.lutimesSync(file, EPOCH, EPOCH);
}
