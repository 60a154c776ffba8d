"use strict";
/**
 * `npm run build`: what the npm package holds beside its own files, in dist/.
 *
 * NAME.cjs for each entry; plugins/NAME, a folder that Pulumi.yaml names; services/NAME, the build context of an image; types, the declarations.
 */
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { bundle, replace, ROOT } = require("./bundle.cjs");
const { ENTRIES } = require("./entries.cjs");
const { buildPlugin, PLUGINS } = require("./plugins.cjs");

const inDist = (...parts) => path.join(ROOT, "dist", ...parts);

function entries() {
  for (const name of PLUGINS) buildPlugin(name, inDist("plugins", name));
  for (const [name, { entry, ...options }] of Object.entries(ENTRIES)) {
    if (name.startsWith("plugin-")) continue;
    const file = inDist(`${name}.cjs`);
    replace(file, bundle(entry, file, options).code);
  }
}

function services() {
  for (const name of fs.readdirSync(path.join(ROOT, "services"))) {
    const source = path.join(ROOT, "services", name);
    if (!fs.existsSync(path.join(source, "Dockerfile"))) continue;
    const args = [path.join(ROOT, "services", "build.mjs"), name, inDist("services", name, "dist")];
    execFileSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
    fs.copyFileSync(path.join(source, "Dockerfile"), inDist("services", name, "Dockerfile"));
  }
}

function types() {
  const tsc = path.join(ROOT, "node_modules", "typescript", "bin", "tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: ROOT, stdio: "inherit" });
}

fs.rmSync(inDist(), { recursive: true, force: true });
entries();
services();
types();
