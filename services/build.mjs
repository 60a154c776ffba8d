#!/usr/bin/env node
/**
 * Bundles a service into one file: `node services/build.mjs NAME [OUT_DIR]` writes it, and the probes of its image's health check, to
 * OUT_DIR (default: services/NAME/dist) and says where. The same sources give the same bytes.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const PROGRAMS = { queue: "queue.cjs", "swarm-provider": "provider.cjs" };

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name, out] = process.argv.slice(2);
if (!Object.hasOwn(PROGRAMS, name ?? "")) {
  process.stderr.write(`usage: node services/build.mjs ${Object.keys(PROGRAMS).join("|")} [OUT_DIR]\n`);
  process.exit(2);
}
const outDir = resolve(out ?? join(root, "services", name, "dist"));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** dockerode can talk over ssh and to BuildKit; the provider does neither, and their parts are native or large. */
const unused = {
  name: "unused",
  setup(bundler) {
    bundler.onResolve({ filter: /^(ssh2|@grpc\/grpc-js|@grpc\/proto-loader)$/ }, ({ path }) => ({
      path,
      namespace: "unused",
    }));
    bundler.onLoad({ filter: /.*/, namespace: "unused" }, () => ({ contents: "module.exports = {};" }));
  },
};

const result = await build({
  entryPoints: [join(root, "services", name, "src", "main.ts")],
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  minifySyntax: true,
  legalComments: "none",
  // Paths in the bundle's comments do not depend on where the clone lies.
  absWorkingDir: root,
  define: { PROVIDER_RELEASE: JSON.stringify(version) },
  plugins: [unused],
  write: false,
  logLevel: "warning",
});

const program = result.outputFiles[0].text;
const sha = process.env.PROVIDER_SHA || createHash("sha256").update(program).digest("hex").slice(0, 12);
mkdirSync(outDir, { recursive: true });
const file = join(outDir, PROGRAMS[name]);
// Whole or not at all, also for one who builds at the same time.
writeFileSync(`${file}.${process.pid}`, program.replaceAll("@PROVIDER_SHA@", sha));
renameSync(`${file}.${process.pid}`, file);
// The health check of the images, for each TARGETARCH: starting Node for it would be most of what an idle platform does.
const probes = JSON.parse(readFileSync(join(root, "shared", "probeBinaries.json"), "utf8"));
for (const [arch, target] of Object.entries({ x64: "amd64", arm64: "arm64" }))
  writeFileSync(join(outDir, `probe-${target}`), Buffer.from(probes[arch], "base64"), { mode: 0o755 });
process.stdout.write(`${file}\n`);
