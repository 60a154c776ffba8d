/** What bundle/preload.cjs puts off, seen from a process of its own, as the language host starts one. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { transformSync } from "esbuild";

const CLONE = path.resolve(__dirname, "../../..");

/** Runs a script with the preload; what it prints as JSON is the answer. The script runs as if it were a file of the SDK's `cmd/run`. */
function run(script: string, options: { preload?: boolean } = {}): unknown {
  const args = options.preload === false ? [] : ["--require", "./bundle/preload.cjs"];
  const inSdk = `const path = require("node:path");
    const file = path.resolve("node_modules/@pulumi/pulumi/cmd/run/test.js");
    const m = new (require("node:module"))(file); m.filename = file; m.paths = require("node:module")._nodeModulePaths(path.dirname(file));
    m._compile(${JSON.stringify(script)}, file);`;
  const output = execFileSync(process.execPath, [...args, "-e", inSdk], {
    cwd: CLONE,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 30_000,
  });
  return JSON.parse(output);
}

const print = (expression: string): string => `process.stdout.write(JSON.stringify(${expression}));`;
const LOADED = `Object.keys(require.cache).filter((file) => /node_modules.(typescript.lib|@npmcli.arborist.lib|js-yaml|normalize-package-data)/.test(file)).length`;

describe("bundle/preload.cjs", () => {
  it("loads the SDK without TypeScript and arborist", () => {
    expect(run(`require("@pulumi/pulumi"); ${print(LOADED)}`)).toBe(0);
    expect(run(`require("@pulumi/pulumi"); ${print(LOADED)}`, { preload: false })).toBeGreaterThan(0);
  });

  it("loads the automation API and the exporters of traces when they are used", () => {
    const loaded = `Object.keys(require.cache).filter((file) => /pulumi.automation.localWorkspace|exporter-zipkin/.test(file)).length`;
    const script = `const pulumi = require("@pulumi/pulumi"); const tracing = require("./tracing");
      const before = ${loaded}; const keys = Object.keys(pulumi.automation).sort(); const type = typeof pulumi.automation.LocalWorkspace;
      tracing.start("http://127.0.0.1:1/api"); ${print(`{ before, keys, type, after: ${loaded} > before }`)} process.exit(0);`;
    const answer = run(script) as Record<string, unknown>;
    expect(answer).toEqual({ ...(run(script, { preload: false }) as object), before: 0, after: true });
    expect(answer.type).toBe("function");
  });

  it("loads them, and opens a debugger session, when a function is serialized", () => {
    const script = `const pulumi = require("@pulumi/pulumi"); const factor = 7;
      pulumi.runtime.serializeFunction((x) => x * factor).then(({ text }) => { ${print("text")} process.exit(0); });`;
    const text = run(script);
    expect(text).toContain("factor: 7");
    expect(text).toBe(run(script, { preload: false }));
  });

  it("loads arborist when the packages of a function are looked up", () => {
    const script = `const { computeCodePaths } = require("../../runtime/closure/codePaths");
      computeCodePaths({ extraIncludePaths: [], extraIncludePackages: [], extraExcludePackages: [] }).then((paths) => { ${print("[...paths.keys()].length")} process.exit(0); });`;
    expect(run(script)).toBe(run(script, { preload: false }));
  });

  it("tells an error that ends the program whole, and without colours", () => {
    const script = `const { defaultErrorMessage } = require("./error"); const error = new Error("boom", { cause: new Error("why") });
      ${print("defaultErrorMessage(error)")} process.exit(0);`;
    const text = run(script) as string;
    expect(text).toMatch(/^Error: boom\n +at .*node_modules[^]*why/);
    expect(text).not.toContain("\u001b");
    expect(run(script, { preload: false })).toContain("\u001b");
  });

  it("opens no session at the start", () => {
    const script = `const hooks = require("../../runtime/closure/v8Hooks");
      hooks.isInitializedAsync().then(() => { ${print("Object.keys(require.cache).some((file) => file.endsWith('v8Hooks.js'))")} });`;
    expect(run(script)).toBe(false);
    expect(run(script, { preload: false })).toBe(true);
  });

  it("maps an error of the program to its source, and not the stack trace that is kept of each promise", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-program-"));
    const program = path.join(folder, "program.js");
    try {
      const source = "interface Gone {\n  a: 1;\n}\nexport = () => new Error().stack;";
      const options = { loader: "ts", format: "cjs", sourcemap: "inline", sourcefile: "source.ts" } as const;
      fs.writeFileSync(program, transformSync(source, options).code);
      const script = `require("source-map-support/register");
        const { debuggablePromise } = require("../../runtime/debuggable"); const promise = Promise.resolve();
        void debuggablePromise(promise, "a"); ${print(`[promise._debugStackTrace, require(${JSON.stringify(program)})()]`)}`;
      const mapped = expect.stringContaining("source.ts:4:");
      expect(run(script)).toEqual(["", mapped]);
      const kept = expect.stringMatching(/at .*debuggable/);
      expect(run(`process.env.PULUMI_DEBUG_PROMISE_LEAKS = "1"; ${script}`)).toEqual([kept, mapped]);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  it("tells where a resource was made, in the bundle's own lines", () => {
    const script = `require("source-map-support/register"); const { Resource } = require("@pulumi/pulumi");
      ${print("Resource.callsites()[1]")}`;
    const { file, line } = run(script) as { file: string; line: number };
    expect([path.basename(file), line]).toEqual(["test.js", 2]);
  });

  it("loads a program in TypeScript, with a folder of its own", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-program-"));
    const program = path.join(folder, "index.ts");
    try {
      fs.writeFileSync(program, "const a: number = 1; export = () => [a, __dirname];");
      expect(run(print(`require(${JSON.stringify(program)})()`))).toEqual([1, folder]);
      fs.writeFileSync(program, "const a: = 1;");
      const message = `try { require(${JSON.stringify(program)}) } catch (error) { ${print("[error.__pulumiRunError, error.message]")} }`;
      expect(run(message)).toEqual([true, expect.stringContaining("index.ts:1:9")]);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
