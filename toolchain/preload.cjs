"use strict";
/**
 * Loaded before the program (`nodeargs` in Pulumi.yaml). @pulumi/pulumi requires TypeScript and npm's arborist at its start, and needs
 * them for one thing only: to serialise functions into the state (dynamic providers, callbacks), which this project has none of.
 * They are two thirds of what it takes to load the SDK, at every preview. Here they are loaded when something touches them first,
 * which makes no other difference: whoever needs them gets them.
 */
const Module = require("node:module");

const DEFERRED = new Set(["typescript", "@npmcli/arborist"]);
const SDK = /[\\/]@pulumi[\\/]pulumi[\\/]/;

const load = Module._load;
Module._load = function (request, parent, isMain) {
  // It maps every stack trace, and the SDK takes one for each resource: a tenth of a preview. Node maps them itself where it is asked
  // to (NODE_OPTIONS=--enable-source-maps).
  if (request === "source-map-support/register" && SDK.test(parent?.filename ?? "")) return {};
  if (!DEFERRED.has(request) || !SDK.test(parent?.filename ?? ""))
    return load.call(this, request, parent, isMain);
  return deferred(() => load.call(this, request, parent, isMain));
};

/** Stands in for a CommonJS module until its first use, whatever the module exports. */
function deferred(read) {
  let module;
  const get = () => (module ??= read());
  return new Proxy(function () {}, {
    // What a compiled `import x from` asks first; neither of the two is an ES module.
    get: (_, key) => (key === "__esModule" && !module ? undefined : get()[key]),
    set: (_, key, value) => Reflect.set(get(), key, value),
    has: (_, key) => key in get(),
    apply: (_, self, args) => Reflect.apply(get(), self, args),
    construct: (_, args) => Reflect.construct(get(), args),
  });
}
