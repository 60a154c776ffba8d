"use strict";
/**
 * Loaded before the program (`nodeargs` in Pulumi.yaml). Three things that @pulumi/pulumi does at every start, and that cost a preview more
 * than the program itself, are done here when something needs them. Whoever needs them gets them, so this makes no other difference:
 *
 * - TypeScript and npm's arborist are loaded for the serialisation of functions into the state (dynamic providers, callbacks);
 * - a debugger session is opened for the same purpose, under which everything runs slower;
 * - a stack trace is taken for each promise and resource, and mapped to its sources through all source maps of the SDK.
 */
const Module = require("node:module");

const SDK = /[\\/]@pulumi[\\/]pulumi[\\/]/;
/** Neither of the two is an ES module, which is what a compiled `import x from` asks first. */
const DEFERRED = new Set(["typescript", "@npmcli/arborist"]);

const load = Module._load;
Module._load = function (request, parent, isMain) {
  const read = () => load.call(this, request, parent, isMain);
  if (!SDK.test(parent?.filename ?? "")) return read();
  if (DEFERRED.has(request)) return deferred(read);
  if (/closure[\\/]v8Hooks$|^\.[\\/]v8Hooks$/.test(request)) return deferredSession(read);
  if (request === "source-map-support/register") {
    const exports = read();
    mapOnlyWhatIsRead();
    return exports;
  }
  return read();
};

/** Stands in for a CommonJS module until its first use, whatever the module exports. */
function deferred(read) {
  let module;
  const get = () => (module ??= read());
  return new Proxy(function () {}, {
    get: (_, key) => (key === "__esModule" && !module ? undefined : get()[key]),
    set: (_, key, value) => Reflect.set(get(), key, value),
    has: (_, key) => key in get(),
    apply: (_, self, args) => Reflect.apply(get(), self, args),
    construct: (_, args) => Reflect.construct(get(), args),
  });
}

/** `cmd/run` waits for the session at its start. Opened later, it is told of every script that was loaded before. */
function deferredSession(read) {
  const isInitializedAsync = () => Promise.resolve();
  return new Proxy(
    { __esModule: true, isInitializedAsync },
    { get: (own, key) => (key in own ? own[key] : read()[key]) },
  );
}

/** Left as V8 has it: what is kept about each promise and call, and where a resource was made. Errors of the program are mapped as ever. */
const UNREAD = new Set(["debuggablePromise", "callsites", "makeUnaryRequest"]);

function mapOnlyWhatIsRead() {
  const map = Error.prepareStackTrace;
  if (typeof map !== "function" || process.env.PULUMI_DEBUG_PROMISE_LEAKS) return;
  Error.prepareStackTrace = (error, frames) =>
    UNREAD.has(frames[0]?.getMethodName() ?? frames[0]?.getFunctionName())
      ? [error, ...frames].join("\n    at ")
      : map(error, frames);
}
