"use strict";
/** The two plugins as folders that run wherever they lie, and as the archives that Pulumi installs a plugin from. */
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { bundle, replace, ROOT } = require("./bundle.cjs");
const { ENTRIES } = require("./entries.cjs");
const { version } = require("../package.json");

const PLUGINS = Object.keys(ENTRIES).flatMap((name) => /^plugin-(.*)$/.exec(name)?.[1] ?? []);

/** Each holds the same files: Node runs them everywhere. Pulumi looks for its own platform in the name. */
const PLATFORMS = ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"];

/** Writes one plugin into a folder. @returns the files that it needs */
function buildPlugin(name, folder) {
  const { entry, ...options } = ENTRIES[`plugin-${name}`];
  const start = `pulumi-resource-${name}`;
  const code = `${start}.cjs`;
  replace(path.join(folder, code), bundle(entry, path.join(folder, code), options).code);
  fs.copyFileSync(path.join(ROOT, "providers", name, start), path.join(folder, start));
  fs.chmodSync(path.join(folder, start), 0o755);
  return [start, code];
}

/**
 * Writes the archives of every plugin: NAME-vVERSION-PLATFORM.tar.gz, as `pulumi plugin install` finds them in a release on GitHub or takes
 * them with --file. The same sources make the same bytes.
 *
 * @param {string} folder made anew
 */
function archives(folder) {
  fs.rmSync(folder, { recursive: true, force: true });
  for (const name of PLUGINS) {
    const files = buildPlugin(name, path.join(folder, name));
    const archive = (platform) => path.join(folder, `pulumi-resource-${name}-v${version}-${platform}.tar.gz`);
    const same = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    const tar = execFileSync("tar", [...same, "-C", path.join(folder, name), "-cf", "-", ...files], {
      maxBuffer: 2 ** 30,
    });
    const packed = require("node:zlib").gzipSync(tar, { level: 9 });
    for (const platform of PLATFORMS) fs.writeFileSync(archive(platform), packed);
    fs.rmSync(path.join(folder, name), { recursive: true });
  }
}

module.exports = { buildPlugin, PLUGINS };

if (require.main === module) archives(path.resolve(process.argv[2] ?? path.join(ROOT, "dist", "archives")));
