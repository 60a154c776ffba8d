"use strict";
/**
 * Loaded before a Pulumi program (`nodeargs` in Pulumi.yaml). It makes TypeScript loadable (bundle.cjs), and puts off what
 * @pulumi/pulumi does at every start for features that most runs never use: TypeScript, npm's arborist and a debugger session serialise
 * functions into the state, the automation API starts other Pulumi programs, OpenTelemetry's exporters serve `--tracing`. Who uses them
 * gets them. docs/upstream.md proposes the same to Pulumi; once that is there, this is deleted (docs/decisions/003).
 */
const Module = require("node:module");
const path = require("node:path");
const { loadFile, BundleError } = require("./bundle.cjs");

const SDK = /[\\/]@pulumi[\\/]pulumi[\\/]/;
/** By the file of the SDK that requires it. */
const DEFERRED = [
  { request: /^(typescript|@npmcli\/arborist|normalize-package-data)$/, from: SDK },
  { request: /^js-yaml$/, from: /runtime[\\/]manifest\.js$/ },
  { request: /^\.\/automation$/, from: /@pulumi[\\/]pulumi[\\/]index\.js$/ },
  { request: /^@opentelemetry\/(?!api$)/, from: /cmd[\\/]run[\\/]tracing\.js$/ },
];

const load = Module._load;
Module._load = function (request, parent, isMain) {
  const read = () => load.call(this, request, parent, isMain);
  const file = parent?.filename ?? "";
  if (!SDK.test(file)) return read();
  if (DEFERRED.some((entry) => entry.request.test(request) && entry.from.test(file))) return deferred(read);
  if (/closure[\\/]v8Hooks$|^\.[\\/]v8Hooks$/.test(request)) return deferredSession(read);
  if (request === "source-map-support/register") return mappingErrors(read());
  if (request === "util" && /cmd[\\/]run[\\/]error\.js$/.test(file)) return withoutColours(read());
  return read();
};

/** Stands in for a CommonJS module until its first use, whatever the module exports. */
function deferred(read) {
  let module;
  const get = () => (module ??= read());
  // A bound function can be called and constructed, and has no property of its own that a proxy would have to keep.
  return new Proxy(function () {}.bind(), {
    get: (_, key) => {
      // A compiled `import * as x` copies, and so loads, all that does not claim to come from an ES module.
      if (key === "__esModule" && !module) return true;
      return key === "default" && !get().__esModule ? get() : get()[key];
    },
    ownKeys: () => Reflect.ownKeys(get()),
    getOwnPropertyDescriptor: (_, key) => {
      const own = Reflect.getOwnPropertyDescriptor(get(), key);
      return own && { ...own, configurable: true };
    },
    has: (_, key) => key in get(),
    apply: (_, self, args) => Reflect.apply(get(), self, args),
    construct: (_, args) => Reflect.construct(get(), args),
  });
}

/** `cmd/run` waits for the session at its start. Opened later, it is told of every script that was loaded before. */
function deferredSession(read) {
  const own = { __esModule: true, isInitializedAsync: () => Promise.resolve() };
  return new Proxy(own, { get: (_, key) => own[key] ?? read()[key] });
}

/**
 * The SDK takes a stack trace for each promise, which only PULUMI_DEBUG_PROMISE_LEAKS reads, and one for each resource. Mapping these to
 * their sources takes longer than the program itself. Errors are mapped as ever.
 */
function mappingErrors(exports) {
  const map = Error.prepareStackTrace;
  Error.prepareStackTrace = (error, frames) => {
    const taker = frames[0]?.getFunctionName();
    if (taker === "debuggablePromise" && !process.env.PULUMI_DEBUG_PROMISE_LEAKS) return "";
    return taker === "callsites" ? [error, ...frames].join("\n    at ") : map(error, frames);
  };
  return exports;
}

/** Node 20's `util.inspect` with colours never ends on a stack with a very long line; `cmd/run` falls back to no colours itself. */
const withoutColours = (util) => ({ ...util, inspect: (value) => util.inspect(value) });

/** A program is transpiled file by file. What it imports from "oslo-faas" is one bundle, in this clone (package.json's `exports`) as elsewhere. */
require.extensions[".ts"] = (module, file) => {
  try {
    loadFile(module, file);
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    // The one kind of error that Pulumi prints without a stack.
    const { RunError } = require("@pulumi/pulumi");
    throw new RunError(`${path.basename(file)} cannot be loaded:\n${error.message}`);
  }
};
