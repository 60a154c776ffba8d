"use strict";
/**
 * Loaded before the program (`nodeargs` in Pulumi.yaml). Modules of node_modules come out of one file (pack.cjs), and three things that
 * @pulumi/pulumi does at every start, and that cost a preview more than the program itself, are done here when something needs them, and
 * whoever needs them gets them:
 *
 * - TypeScript and npm's arborist are loaded for the serialisation of functions into the state (dynamic providers, callbacks), the
 *   automation API for programs that start Pulumi, OpenTelemetry's exporters for `--tracing`, js-yaml for a package.yaml;
 * - a debugger session is opened for the same purpose, under which everything runs slower;
 * - a stack trace is taken for each promise and resource, and mapped to its sources through all source maps of the SDK.
 *
 * And one that costs a minute: an error that ends the program is coloured (withoutColours). In a preview that was not asked to show them
 * (talkative.cjs), the SDK's debug messages stay here: some two hundred calls to an engine that only logs them.
 */
const Module = require("node:module");
const path = require("node:path");
const { wantsDebugMessages } = require("./talkative.cjs");
const { usePack } = require("./pack.cjs");

const CLONE = path.dirname(__dirname);
usePack({
  folder: path.join(CLONE, ".cache", "bundles"),
  root: path.join(CLONE, "node_modules"),
  around: [path.join(CLONE, "node_modules", ".package-lock.json")],
  // A test, or a person's own script, loads what no program of Pulumi needs.
  renew: /[\\/]cmd[\\/]run[\\/]?(index\.js)?$/.test(process.argv[1] ?? ""),
});

const SDK = /[\\/]@pulumi[\\/]pulumi[\\/]/;
/** By the file of the SDK that requires it. */
const DEFERRED = [
  { request: /^(typescript|@npmcli\/arborist|normalize-package-data)$/, from: SDK },
  { request: /^js-yaml$/, from: /runtime[\\/]manifest\.js$/ },
  { request: /^\.\/automation$/, from: /@pulumi[\\/]pulumi[\\/]index\.js$/ },
  { request: /^@opentelemetry\/(?!api$)/, from: /cmd[\\/]run[\\/]tracing\.js$/ },
];

const WITHOUT_DEBUG_MESSAGES = !wantsDebugMessages();

const load = Module._load;
Module._load = function (request, parent, isMain) {
  const read = () => load.call(this, request, parent, isMain);
  const file = parent?.filename ?? "";
  if (!SDK.test(file)) return read();
  const found = DEFERRED.find((candidate) => candidate.request.test(request) && candidate.from.test(file));
  if (found) return deferred(read);
  if (request === "util" && /cmd[\\/]run[\\/]error\.js$/.test(file)) return withoutColours(read());
  if (/closure[\\/]v8Hooks$|^\.[\\/]v8Hooks$/.test(request)) return deferredSession(read);
  if (WITHOUT_DEBUG_MESSAGES && /[\\/]log(?:[\\/]index)?$/.test(request)) return withoutDebugMessages(read());
  if (request === "source-map-support/register") {
    const exports = read();
    mapOnlyWhatIsRead();
    return exports;
  }
  return read();
};

/** The SDK's `log`, whose `debug` calls the engine each time; `info` and the others stay. */
function withoutDebugMessages(log) {
  if (typeof log.debug === "function" && typeof log.warn === "function") log.debug = () => Promise.resolve();
  return log;
}

/** Stands in for a CommonJS module until its first use, whatever the module exports. */
function deferred(read) {
  let module;
  const get = () => (module ??= read());
  // A bound function can be called and constructed, and has no property of its own that a proxy would have to keep.
  return new Proxy(function () {}.bind(), {
    // A compiled `import * as x` copies, and so loads, all that does not say it comes from an ES module.
    get: (_, key) => {
      if (key === "__esModule" && !module) return true;
      // Taken for an ES module, it is asked for the default export; of a CommonJS one that is all of it.
      return key === "default" && !get().__esModule ? get() : get()[key];
    },
    ownKeys: () => Reflect.ownKeys(get()),
    getOwnPropertyDescriptor: (_, key) => {
      const own = Reflect.getOwnPropertyDescriptor(get(), key);
      return own && { ...own, configurable: true };
    },
    set: (_, key, value) => Reflect.set(get(), key, value),
    has: (_, key) => key in get(),
    apply: (_, self, args) => Reflect.apply(get(), self, args),
    construct: (_, args) => Reflect.construct(get(), args),
  });
}

/**
 * Seen with Node 20.20, in the run that makes the bundles: `util.inspect` with colours finds the first "node_modules" of a stack again and
 * again, until the text is as long as a text can be. The same call without colours is what `cmd/run` falls back to then.
 */
function withoutColours(util) {
  return { ...util, inspect: (value) => util.inspect(value) };
}

/** `cmd/run` waits for the session at its start. Opened later, it is told of every script that was loaded before. */
function deferredSession(read) {
  const isInitializedAsync = () => Promise.resolve();
  return new Proxy(
    { __esModule: true, isInitializedAsync },
    { get: (own, key) => (key in own ? own[key] : read()[key]) },
  );
}

/** Left as V8 has it: what is kept about each call, and where a resource was made. Errors of the program are mapped as ever. */
const UNREAD = new Set(["callsites", "makeUnaryRequest"]);

function mapOnlyWhatIsRead() {
  const map = Error.prepareStackTrace;
  if (typeof map !== "function" || process.env.PULUMI_DEBUG_PROMISE_LEAKS) return;
  Error.prepareStackTrace = (error, frames) => {
    const caller = frames[0]?.getMethodName() ?? frames[0]?.getFunctionName();
    // Kept with every promise for the report of those that never end, which prints it only where this is not in force.
    if (caller === "debuggablePromise") return String(error);
    return UNREAD.has(caller) ? [error, ...frames].join("\n    at ") : map(error, frames);
  };
}
