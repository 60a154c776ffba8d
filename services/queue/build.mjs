#!/usr/bin/env node
/**
 * Bundles worker and exporter into one file: `node services/queue/build.mjs OUT_DIR` writes OUT_DIR/queue.cjs
 * (default: dist/ beside this file). The same sources give the same bytes.
 */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const outDir = resolve(process.argv[2] ?? join(here, "dist"));

const result = await build({
  entryPoints: [join(here, "src", "main.ts")],
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  minifySyntax: true,
  legalComments: "none",
  // Paths in the bundle's comments do not depend on where the clone lies.
  absWorkingDir: join(here, "..", ".."),
  write: false,
  logLevel: "warning",
});

mkdirSync(outDir, { recursive: true });
const file = join(outDir, "queue.cjs");
// Whole or not at all, also for one who builds at the same time.
writeFileSync(`${file}.${process.pid}`, result.outputFiles[0].text);
renameSync(`${file}.${process.pid}`, file);
process.stdout.write(`${file}\n`);
