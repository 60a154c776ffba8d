"use strict";
/**
 * The modules that a program loads from node_modules, kept as one file with V8's code cache.
 *
 * @pulumi/pulumi and what it needs are some 250 files; finding, reading and compiling them is most of a program's start. The first run
 * notes which files were loaded and what each `require` was resolved to; the next ones compile them as one script. Each module stays what it
 * is for Node: its own file name, its own place in `require.cache`, run when it is first required. What is not in the pack is loaded as ever, and
 * is in it the next time.
 *
 * It lies in .cache/bundles as `modules.json` (what is in it), `modules-HASH.cjs` and `modules-HASH.cjs.v8`; removing them is always safe. A
 * file that was changed, another lock file or another Node make a new one, and whatever goes wrong with the pack costs the time that it saves.
 */
const crypto = require("node:crypto");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const vm = require("node:vm");

/** Separates the file that requires from what it requires; neither can hold it. */
const SEP = "\0";
/** A pack this young may still be in use by a process that is just starting. */
const PRUNE_AFTER_MS = 60_000;

const empty = () => ({ files: [], resolved: {} });

/**
 * Hooks into `require` for the rest of the process.
 *
 * @param {{ folder: string, root: string, around?: string[], renew?: boolean }} options
 *   folder: where the pack lies, e.g. `.cache/bundles`; made when it is missing.
 *   root: only files under this folder are packed, e.g. the clone's node_modules.
 *   around: files whose change makes a new pack, e.g. the lock file that npm leaves in node_modules; default: none.
 *   renew: whether what this run loads goes into the pack; default: true.
 * @returns {{ packed: number }} how many modules the pack had at the start.
 */
function usePack({ folder, root, around = [], renew = true }) {
  const place = { folder, manifest: path.join(folder, "modules.json"), inside: root + path.sep, around };
  const pack = read(place);
  const missed = new Map();
  const resolved = new Map(Object.entries(pack.resolved));
  hookResolution(place, resolved, (key, file) => (pack.resolved[key] = file));
  hookLoading(place, pack, missed);
  if (renew) process.on("exit", (code) => renewPack(place, pack, missed, code));
  return { packed: pack.files.length };
}

/** What a run leaves for the next one; nothing, when it failed. */
function renewPack(place, pack, missed, code) {
  if (code !== 0) return;
  try {
    if (missed.size > 0) write(place, pack, missed);
    else if (pack.script && !pack.cached) writeCodeCache(pack);
  } catch {
    // A full or read-only disk costs the pack, not the run.
  }
}

function hookResolution({ inside }, resolved, note) {
  const resolve = Module._resolveFilename;
  Module._resolveFilename = function (request, parent, ...rest) {
    const from = parent?.filename;
    if (!from?.startsWith(inside)) return resolve.call(this, request, parent, ...rest);
    const key = from + SEP + request;
    const known = rest[1] === undefined ? resolved.get(key) : undefined;
    if (known !== undefined) return known;
    const file = resolve.call(this, request, parent, ...rest);
    if (rest[1] === undefined && file.startsWith(inside)) note(key, file);
    return file;
  };
}

function hookLoading({ inside }, pack, missed) {
  const loadFile = Module._extensions[".js"];
  const compile = Module.prototype._compile;
  Module.prototype._compile = function (content, file, ...rest) {
    // A module made up by a program has a name and no file; nothing could tell whether it is still the same.
    if (file.startsWith(inside) && fs.existsSync(file)) missed.set(file, content);
    return compile.call(this, content, file, ...rest);
  };
  Module._extensions[".js"] = function (module, file) {
    const wrapper = pack.wrappers?.get(file);
    if (!wrapper) return loadFile(module, file);
    wrapper.call(module.exports, module.exports, requireOf(module), module, file, path.dirname(file));
  };
}

/** What Node gives a CommonJS module as `require`. */
function requireOf(module) {
  const require = (request) => module.require(request);
  require.resolve = (request, options) => Module._resolveFilename(request, module, false, options);
  require.resolve.paths = (request) => Module._resolveLookupPaths(request, module);
  require.main = process.mainModule;
  require.extensions = Module._extensions;
  require.cache = Module._cache;
  return require;
}

const stamp = (file) => {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs} ${stat.size}` : "absent";
};
const stamps = (files) => files.map(stamp).join("\n");
const surroundings = (around) => `${process.version} ${process.arch}\n${stamps([...around, __filename])}`;

/** The pack as it lies there, or an empty one when there is none that still holds. */
function read({ folder, manifest, around }) {
  try {
    const pack = JSON.parse(fs.readFileSync(manifest, "utf8"));
    if (pack.around !== surroundings(around) || pack.stamps !== stamps(pack.files)) return empty();
    pack.path = path.join(folder, pack.file);
    const source = fs.readFileSync(pack.path, "latin1"); // It is ASCII, see wrap(), and this takes a quarter of the time.
    const cachedData = readIfThere(`${pack.path}.v8`);
    const script = new vm.Script(source, {
      filename: pack.path,
      cachedData,
      importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    const functions = script.runInThisContext();
    pack.wrappers = new Map(pack.files.map((file, index) => [file, functions[index]]));
    return Object.assign(pack, { script, cached: cachedData !== undefined && !script.cachedDataRejected });
  } catch {
    return empty();
  }
}

function readIfThere(file) {
  try {
    return fs.readFileSync(file);
  } catch {
    return undefined;
  }
}

/** A new pack of what was in the old one and what this run loaded beside it. The code cache follows in the next run, which has compiled it. */
function write(place, pack, missed) {
  const sources = new Map();
  for (const file of pack.files) sources.set(file, fs.readFileSync(file, "utf8"));
  for (const [file, content] of missed) sources.set(file, content);
  const files = [...sources.keys()];
  const text = `[\n${files.map((file) => wrap(sources.get(file))).join(",\n")}\n]`;
  const hash = crypto.createHash("sha256").update(text).digest("hex").slice(0, 16);
  const file = `modules-${hash}.cjs`;
  const resolved = Object.fromEntries(
    Object.entries(pack.resolved).filter(([, target]) => sources.has(target)),
  );
  const manifest = { file, around: surroundings(place.around), files, stamps: stamps(files), resolved };
  fs.mkdirSync(place.folder, { recursive: true });
  replace(path.join(place.folder, file), text);
  replace(place.manifest, JSON.stringify(manifest));
  prune(place.folder, file);
}

/** As `Module.wrap` does it, but as an element of a list, and in ASCII: V8 keeps one byte per character then. */
function wrap(source) {
  const plain = source.replace(/^#!.*/, "").replace(/[^\0-\x7f]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return `function (exports, require, module, __filename, __dirname) {${plain}\n}`;
}

/** Made after the modules ran, so that it holds the functions that a run of this program calls. */
function writeCodeCache(pack) {
  replace(`${pack.path}.v8`, pack.script.createCachedData());
}

/** Writes beside and renames, so that another process sees the old file or the new one and never half of one. */
function replace(file, content) {
  const temporary = `${file}.${process.pid}.${crypto.randomBytes(4).toString("hex")}.tmp`;
  fs.writeFileSync(temporary, content);
  fs.renameSync(temporary, file);
}

function prune(folder, keep) {
  for (const entry of fs.readdirSync(folder)) {
    if (!/^modules-[0-9a-f]{16}\.cjs|^modules\..*\.tmp$/.test(entry) || entry.startsWith(keep)) continue;
    const file = path.join(folder, entry);
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat && Date.now() - stat.mtimeMs > PRUNE_AFTER_MS) fs.rmSync(file, { force: true });
  }
}

module.exports = { usePack };
