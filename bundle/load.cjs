"use strict";
/**
 * Loads a TypeScript entry point without a type check and without a loader at every start.
 *
 * A program of hundreds of small files, transpiled one by one, is what makes `pulumi preview` slow. Here the entry and what it
 * imports become one CommonJS file, written once per change by esbuild; a start then costs a few `stat` calls and one `require`.
 * Type checking is a check (`npm run check`), not a cost of every run.
 *
 * The bundles lie under .cache/bundles of the clone: `NAME-HASH.cjs`, its map, V8's code cache, and `NAME.json`, which says which
 * files went in. This file needs Node and, for a build only, esbuild.
 */
const crypto = require("node:crypto");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const vm = require("node:vm");

const ROOT = path.dirname(__dirname);
const BUNDLES = path.join(ROOT, ".cache", "bundles");
/** A build takes well under a second; this bounds one on a machine that is very busy. */
const BUILD_TIMEOUT_MS = 120_000;
/** A bundle this young may still be in use by a process that is just starting. */
const PRUNE_AFTER_MS = 60_000;

/** A program that cannot be bundled. The message is esbuild's own, with file, line and a caret; there is no stack worth reading. */
class BundleError extends Error {
  constructor(message) {
    super(message);
    this.name = "BundleError";
    this.code = "OSLO_FAAS_BUNDLE";
    this.stack = message;
  }
}

/** [path, mtimeMs, size], or mtime -1 for a file that is not there (so that its appearance counts as a change). */
function stamp(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat ? [file, stat.mtimeMs, stat.size] : [file, -1, 0];
}

function isFresh(manifest, options) {
  if (manifest.options !== options) return false;
  return manifest.inputs.every(([file, mtimeMs, size]) => {
    const now = stamp(file);
    return now[1] === mtimeMs && now[2] === size;
  });
}

function readManifest(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return undefined; // Absent, or half a file of a run that was killed: both mean "build".
  }
}

/** Writes beside and renames, so that another process sees the old file or the new one and never half of one. */
function writeAtomically(file, content) {
  const temporary = `${file}.${process.pid}.${crypto.randomBytes(4).toString("hex")}.tmp`;
  fs.writeFileSync(temporary, content);
  fs.renameSync(temporary, file);
}

/** Plugins of esbuild run only in its asynchronous interface, and `require` is synchronous: hence a child process. */
function buildInChild(job) {
  const { spawnSync } = require("node:child_process");
  const child = spawnSync(process.execPath, [__filename, JSON.stringify(job)], {
    encoding: "utf8",
    timeout: BUILD_TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  if (child.error && child.error.code === "ETIMEDOUT") {
    throw new BundleError(
      `esbuild did not finish bundling ${job.entry} within ${BUILD_TIMEOUT_MS / 1000} s.`,
    );
  }
  if (child.error) throw new BundleError(`Cannot start Node to bundle ${job.entry}: ${child.error.message}`);
  if (child.status !== 0)
    throw new BundleError(child.stderr.trim() || `bundling ${job.entry} ended with ${child.status}`);
}

function modulePaths(directory) {
  // In the published types of Node this is private, but `require` itself is built on it and it has not changed since Node 0.12.
  return Module._nodeModulePaths(directory);
}

/**
 * Runs the bundle as a module of its own, through V8's code cache: parsing and compiling a large bundle is most of its start.
 * The cache is rejected by V8 itself when it is of another version or of another text; it is written again then, when the process ends:
 * what it called while it ran is compiled by then, and the next run takes that from the cache too.
 */
function run(file) {
  const source = fs.readFileSync(file, "latin1"); // A bundle is ASCII, see build(), and this takes a quarter of the time.
  const cacheFile = `${file}.v8`;
  let cachedData;
  try {
    cachedData = fs.readFileSync(cacheFile);
  } catch {
    cachedData = undefined;
  }
  const script = new vm.Script(Module.wrap(source), {
    filename: file,
    cachedData,
    importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const module = new Module(file, require.main);
  module.filename = file;
  module.paths = modulePaths(path.dirname(file));
  script
    .runInThisContext()
    .call(module.exports, module.exports, Module.createRequire(file), module, file, path.dirname(file));
  module.loaded = true;
  if (!cachedData || script.cachedDataRejected) {
    atEnd(() => {
      try {
        writeAtomically(cacheFile, script.createCachedData());
      } catch {
        // A read-only or full disk costs the cache, not the run.
      }
    });
  }
  return module.exports;
}

/** Does something once before the process ends, also by the signal with which the engine ends a plugin. */
function atEnd(work) {
  let done = false;
  const once = () => {
    if (!done) work();
    done = true;
  };
  process.once("exit", once);
  for (const signal of ["SIGINT", "SIGTERM"]) {
    // First of all, so that one that answers it once is still counted: as it would have ended without us, unless somebody else answers it.
    process.prependOnceListener(signal, () => {
      const answered = process.listenerCount(signal) > 0;
      once();
      if (!answered) process.kill(process.pid, signal);
    });
  }
}

const loaded = new Map();

/**
 * Bundles a TypeScript entry when something in it changed since the last time, and loads it.
 *
 * @param {string} entry path of the entry point, e.g. `path.join(__dirname, "src/main.ts")`
 * @param {{ name?: string, external?: string[] }} [options]
 *   name: what the bundle is called under .cache/bundles; default: the entry's file name. Two entries need two names.
 *   external: packages that stay outside and are `require`d from the clone's node_modules, e.g. `["@pulumi/*"]`; default: none.
 *   Native modules (`*.node`) are always outside.
 * @returns {any} what the entry exports. A second call in the same process returns the same object.
 * @throws {BundleError} with esbuild's message when the entry cannot be bundled; what the entry itself throws passes through.
 */
function loadBundle(entry, options = {}) {
  const name = options.name ?? path.basename(entry).replace(/\.[^.]*$/, "");
  if (!/^[\w-]+$/.test(name))
    throw new BundleError(`A bundle's name has letters, digits, _ and - only, not "${name}".`);
  const job = { entry: path.resolve(entry), name, external: options.external ?? [] };
  // The paths in a bundle are absolute, so a clone that was moved needs a new one: `entry` is part of the key.
  const key = JSON.stringify(job);
  if (loaded.has(key)) return loaded.get(key);
  const manifestFile = path.join(BUNDLES, `${name}.json`);
  for (let attempt = 1; ; attempt++) {
    let manifest = readManifest(manifestFile);
    if (!manifest || !isFresh(manifest, key)) {
      buildInChild(job);
      manifest = readManifest(manifestFile);
    }
    const file = manifest && path.join(BUNDLES, manifest.file);
    // Another clone's process, or a person, may remove a bundle between the two reads; a second build settles it.
    if (!file || !fs.existsSync(file)) {
      fs.rmSync(manifestFile, { force: true });
      if (attempt < 3) continue;
      throw new BundleError(
        `The bundle of ${entry} disappears as soon as it is written; is something else cleaning ${BUNDLES}?`,
      );
    }
    const exports = run(file);
    loaded.set(key, exports);
    return exports;
  }
}

// ---- from here on: the child process that builds ----

/** `__dirname` in a bundle would be the bundle's own folder; components read their scripts from beside their source. */
function keepDirname() {
  return {
    name: "keep-dirname",
    setup(build) {
      build.onLoad({ filter: /\.[cm]?tsx?$/ }, async ({ path: file }) => {
        if (file.includes(`${path.sep}node_modules${path.sep}`)) return undefined;
        const text = await fs.promises.readFile(file, "utf8");
        if (!/\b__(dirname|filename)\b/.test(text)) return undefined;
        // On the first line, with no line break, so that line numbers stay what they are.
        const head = `var __filename = ${JSON.stringify(file)}, __dirname = ${JSON.stringify(path.dirname(file))};`;
        return {
          contents: head + text,
          loader: file.endsWith("x") ? "tsx" : "ts",
          resolveDir: path.dirname(file),
        };
      });
    },
  };
}

/** Optional native parts (ssh2's, cpu-features'): outside the bundle, by their absolute path; absent ones fail at run time, in their own try. */
function keepNative() {
  return {
    name: "keep-native",
    setup(build) {
      build.onResolve({ filter: /\.node$/ }, ({ path: request, resolveDir }) => {
        const file = path.resolve(resolveDir, request);
        return { path: fs.existsSync(file) ? file : request, external: true };
      });
    },
  };
}

/** A source map without its sources' text keeps the file small; the files are there to be read. */
async function build(job) {
  const esbuild = require("esbuild");
  const result = await esbuild.build({
    entryPoints: [job.entry],
    outfile: path.join(BUNDLES, `${job.name}.cjs`),
    absWorkingDir: ROOT,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    sourcemap: "external",
    sourcesContent: false,
    keepNames: true,
    charset: "ascii",
    legalComments: "none", // They are the one thing that `charset` leaves as it is.
    external: [...job.external, "cpu-features"],
    plugins: [keepDirname(), keepNative()],
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const code = result.outputFiles.find((file) => file.path.endsWith(".cjs")).text;
  const map = result.outputFiles.find((file) => file.path.endsWith(".map")).text;
  const hash = crypto.createHash("sha256").update(code).digest("hex").slice(0, 16);
  const file = `${job.name}-${hash}.cjs`;
  const own = Object.keys(result.metafile.inputs)
    .map((input) => path.resolve(ROOT, input))
    .filter((input) => !input.includes(`${path.sep}node_modules${path.sep}`));
  // What lies in node_modules is told by the lock file; how sources are read, by tsconfig.json and by this file.
  const around = ["package-lock.json", "node_modules/.package-lock.json", "tsconfig.json"].map((rest) =>
    path.join(ROOT, rest),
  );
  return { code, map, file, inputs: [...own, ...around, __filename] };
}

function prune(name, keep) {
  const old = new RegExp(`^${name}-[0-9a-f]{16}\\.cjs(\\.map|\\.v8)?$|^${name}[-.].*\\.tmp$`);
  for (const entry of fs.readdirSync(BUNDLES)) {
    if (!old.test(entry) || entry.startsWith(keep)) continue;
    const file = path.join(BUNDLES, entry);
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat && Date.now() - stat.mtimeMs > PRUNE_AFTER_MS) fs.rmSync(file, { force: true });
  }
}

async function buildAndWrite(job) {
  fs.mkdirSync(BUNDLES, { recursive: true });
  // Taken before the build: a file saved while it runs makes the bundle stale, and not wrongly fresh.
  const before = Date.now();
  const { code, map, file, inputs } = await build(job);
  const stamps = inputs
    .map(stamp)
    .map(([name, mtimeMs, size]) => (mtimeMs > before ? [name, -2, 0] : [name, mtimeMs, size]));
  writeAtomically(path.join(BUNDLES, `${file}.map`), map);
  writeAtomically(path.join(BUNDLES, file), `${code}//# sourceMappingURL=${file}.map\n`);
  writeAtomically(
    path.join(BUNDLES, `${job.name}.json`),
    JSON.stringify({ file, options: JSON.stringify(job), inputs: stamps }),
  );
  prune(job.name, file);
}

async function explain(error) {
  if (!Array.isArray(error.errors) || error.errors.length === 0) return String(error.message ?? error);
  const lines = await require("esbuild").formatMessages(error.errors, {
    kind: "error",
    color: false,
    terminalWidth: 120,
  });
  return lines.join("\n").trim();
}

if (require.main === module) {
  buildAndWrite(JSON.parse(process.argv[2])).catch(async (error) => {
    process.stderr.write(`${await explain(error)}\n`);
    process.exitCode = 1;
  });
}

module.exports = { loadBundle, BundleError };
