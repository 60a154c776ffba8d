"use strict";
/**
 * Loads TypeScript as one CommonJS file, without a type check and without a loader at every start.
 *
 * esbuild writes the file when a source changed; a start then costs a few `stat` calls and one `require`. It holds no absolute path, so
 * the same function makes what `npm run build` ships (build.cjs). In the npm package there are no sources: there dist/NAME.cjs is loaded.
 */
const crypto = require("node:crypto");
const fs = require("node:fs");
const module_ = require("node:module");
const path = require("node:path");

const ROOT = path.dirname(__dirname);
const CACHE = path.join(ROOT, ".cache", "bundles");
/** Starts the line at the end of a bundle that says what it was made of. Within the file, so that both are replaced at once. */
const MARK = "\n//# inputs=";

// Node 22.1 and later; on Node 20 a start compiles what it calls.
module_.enableCompileCache?.(path.join(ROOT, ".cache", "node"));

/** A program shares the SDK, and with it the connection to the engine, with the `cmd/run` that Pulumi started. */
const SHARED_SDK = ["@pulumi/*"];
const COMMON = { target: "node20", keepNames: true, sourcesContent: false, logLevel: "silent" };

/** A program that cannot be bundled. The message is esbuild's own, with file, line and a caret; a stack would add nothing. */
class BundleError extends Error {
  constructor(message) {
    super(message);
    this.name = "BundleError";
    this.stack = message;
  }
}

/** [path, mtimeMs, size]; -1 where there is no such file, so that its appearance counts as a change. */
function stamp(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return [file, stat?.mtimeMs ?? -1, stat?.size ?? 0];
}

function isFresh(file, key) {
  try {
    const content = fs.readFileSync(file);
    const made = JSON.parse(content.subarray(content.lastIndexOf(MARK) + MARK.length).toString());
    return made.key === key && made.inputs.every((input) => String(stamp(input[0])) === String(input));
  } catch {
    return false; // Absent, or of a version that wrote it otherwise.
  }
}

/** Another process sees the old file or the new one, and never half of one. */
function replace(file, content) {
  const temporary = `${file}.${crypto.randomBytes(4).toString("hex")}.tmp`;
  fs.writeFileSync(temporary, content);
  fs.renameSync(temporary, file);
}

/** The files that went in, as absolute paths; those of node_modules are left to npm's record of what is installed. */
function inputsOf(metafile) {
  const inputs = Object.keys(metafile.inputs).map((input) => path.resolve(ROOT, input));
  const around = ["node_modules/.package-lock.json", "tsconfig.json"].map((name) => path.join(ROOT, name));
  return [...inputs.filter((input) => !input.includes("/node_modules/")), ...around, __filename];
}

/** Makes a file anew when one of its inputs changed. @param {() => { code: string, inputs: string[] }} make */
function cached(file, key, make) {
  if (isFresh(file, key)) return file;
  const started = Date.now();
  const { code, inputs } = explained(make);
  // A source saved while esbuild reads makes the file stale, and not wrongly fresh.
  const stamps = inputs.map(stamp).map((input) => (input[1] > started ? [input[0], -2, 0] : input));
  fs.mkdirSync(path.dirname(file), { recursive: true });
  replace(file, code + MARK + JSON.stringify({ key, inputs: stamps }));
  return file;
}

function explained(work) {
  try {
    return work();
  } catch (error) {
    const lines = error.errors && require("esbuild").formatMessagesSync(error.errors, { kind: "error" });
    throw new BundleError(lines?.join("\n").trim() || error.message);
  }
}

/**
 * Writes one bundle and its source map.
 *
 * @param {string} entry path of the TypeScript file
 * @param {string} file where the bundle goes, e.g. ".cache/bundles/cli.cjs"; its folder is made
 * @param {object} [options] more options of esbuild, e.g. `{ packages: "external" }`
 * @returns {string[]} the files that it was made of
 * @throws {BundleError} with esbuild's message
 */
function bundle(entry, file, options = {}) {
  const result = require("esbuild").buildSync({
    entryPoints: [path.resolve(ROOT, entry)],
    outfile: file,
    absWorkingDir: ROOT,
    bundle: true,
    platform: "node",
    format: "cjs",
    sourcemap: "linked",
    legalComments: "none",
    loader: { ".sh": "text" },
    metafile: true,
    write: false,
    ...COMMON,
    ...options,
    // Node resolves no folder in an `import()` of what stays outside, and `require` does.
    supported: { "dynamic-import": false },
    // Native modules are optional everywhere.
    external: ["esbuild", "*.node", "cpu-features", ...(options.external ?? [])],
  });
  const [map, code] = [".map", ".cjs"].map((end) => result.outputFiles.find((out) => out.path.endsWith(end)));
  fs.mkdirSync(path.dirname(file), { recursive: true });
  replace(map.path, map.contents);
  return { code: code.text, inputs: inputsOf(result.metafile) };
}

/**
 * Bundles a TypeScript entry when something in it changed since the last time, and loads it.
 *
 * @param {string} entry path of the entry in the package, e.g. "cli/main.ts"
 * @param {{ name: string, external?: string[] }} options
 *   name: what the bundle is called; two entries need two names. external: packages that are loaded from node_modules when it runs;
 *   for a program SHARED_SDK, for a plugin none, since it has to run alone.
 * @returns {any} what the entry exports
 * @throws {BundleError} when the entry cannot be bundled; what the entry itself throws passes through
 */
function loadBundle(entry, { name, ...options }) {
  const source = path.resolve(ROOT, entry);
  if (!fs.existsSync(source)) return require(path.join(ROOT, "dist", `${name}.cjs`));
  const file = path.join(CACHE, `${name}.cjs`);
  return require(cached(file, JSON.stringify([source, options]), () => bundle(source, file, options)));
}

/** Runs a TypeScript file of a team's own as the module that it is, with its own `__dirname` and node_modules. */
function loadFile(module, file) {
  const name = crypto.createHash("sha256").update(file).digest("hex").slice(0, 16);
  const options = { ...COMMON, loader: "ts", format: "cjs", sourcemap: "inline", sourcefile: file };
  const transpile = () => ({
    code: require("esbuild").transformSync(fs.readFileSync(file, "utf8"), options).code,
    inputs: [file, __filename],
  });
  module._compile(fs.readFileSync(cached(path.join(CACHE, `${name}.cjs`), file, transpile), "utf8"), file);
}

module.exports = { bundle, loadBundle, loadFile, replace, SHARED_SDK, BundleError, ROOT };
