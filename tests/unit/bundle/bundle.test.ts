import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const CLONE = path.resolve(__dirname, "../../..");

/** A clone in miniature: bundle.cjs of its own, so that its bundles and sources are shared with no other test. */
function miniature(): string {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-bundle-")));
  fs.mkdirSync(path.join(root, "bundle"));
  fs.copyFileSync(path.join(CLONE, "bundle/bundle.cjs"), path.join(root, "bundle/bundle.cjs"));
  fs.mkdirSync(path.join(root, "node_modules"));
  for (const name of ["esbuild", "@esbuild", "yaml"])
    fs.symlinkSync(path.join(CLONE, "node_modules", name), path.join(root, "node_modules", name));
  return root;
}

describe("loadBundle", () => {
  let root: string;
  const file = (...parts: string[]) => path.join(root, ...parts);
  const bundle = () => file(".cache/bundles/t.cjs");
  const write = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(file(name)), { recursive: true });
    fs.writeFileSync(file(name), text);
  };
  /** In a process of its own, as a start of Pulumi is. */
  const load = (options: object = {}) => {
    const script = `const { loadBundle } = require("./bundle/bundle.cjs");
      console.log(JSON.stringify(loadBundle("index.ts", ${JSON.stringify({ name: "t", ...options })})));`;
    return JSON.parse(execFileSync(process.execPath, ["-e", script], { cwd: root, encoding: "utf8" }));
  };
  const made = () => fs.statSync(bundle(), { bigint: true }).mtimeNs;

  beforeEach(() => (root = miniature()));
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  it("loads what the entry and its imports export", () => {
    write("part/b.ts", "export const b: number = 2;");
    write("index.ts", 'import { b } from "./part/b"; export const sum = 1 + b;');
    expect(load()).toEqual({ sum: 3 });
  });

  it("builds again when an import changed, and only then", () => {
    write("b.ts", "export const b = 2;");
    write("index.ts", 'export { b } from "./b";');
    load();
    const first = made();
    load();
    expect(made()).toBe(first);
    write("b.ts", "export const b = 333;");
    expect(load()).toEqual({ b: 333 });
    expect(made()).toBeGreaterThan(first);
  });

  it("builds again when npm installed something else", () => {
    write("index.ts", "export const a = 1;");
    load();
    const first = made();
    write("node_modules/.package-lock.json", "{}");
    load();
    expect(made()).toBeGreaterThan(first);
  });

  it("builds again for other options", () => {
    write("index.ts", 'import { parse } from "yaml"; export const a = parse("1");');
    load();
    expect(fs.readFileSync(bundle(), "utf8")).not.toContain('require("yaml")');
    load({ external: ["yaml"] });
    expect(fs.readFileSync(bundle(), "utf8")).toContain('require("yaml")');
  });

  it("imports a shell script as its text, which lies in the bundle", () => {
    write("scripts/a.sh", "#!/bin/sh\necho 'a'\n");
    write("index.ts", 'import a from "./scripts/a.sh"; export { a };');
    load();
    expect(load()).toEqual({ a: "#!/bin/sh\necho 'a'\n" });
    write("scripts/a.sh", "echo other\n");
    expect(load()).toEqual({ a: "echo other\n" });
  });

  it("holds no absolute path but in its last line, so that it can be shipped", () => {
    write("part/b.ts", "export const b = 2;");
    write("index.ts", 'export { b } from "./part/b";');
    load();
    const text = fs.readFileSync(bundle(), "utf8");
    expect(text.slice(0, text.lastIndexOf("\n"))).not.toContain(root);
    expect(fs.readFileSync(`${bundle()}.map`, "utf8")).not.toContain(root);
  });

  it("loads the shipped bundle without a source", () => {
    write("dist/t.cjs", "exports.shipped = true;");
    expect(load()).toEqual({ shipped: true });
  });

  it("reports a syntax error as esbuild does, with file and line and without a stack", () => {
    write("index.ts", "export const x: = 3;\n");
    const script = `try { require("./bundle/bundle.cjs").loadBundle("index.ts", {name: "t"}) } catch (e) { console.log(e.stack) }`;
    const run = spawnSync(process.execPath, ["-e", script], { cwd: root, encoding: "utf8" });
    expect(run.stdout).toContain('Unexpected "="');
    expect(run.stdout).toContain("index.ts:1:16");
    expect(run.stdout).not.toMatch(/^\s+at /m);
  });

  it("builds again what was removed or cut short", () => {
    write("index.ts", "export const a = 1;");
    load();
    fs.rmSync(bundle());
    expect(load()).toEqual({ a: 1 });
    fs.truncateSync(bundle(), fs.statSync(bundle()).size - 5);
    expect(load()).toEqual({ a: 1 });
  });
});
