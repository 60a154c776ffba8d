import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const CLONE = path.resolve(__dirname, "../../..");

/** A clone in miniature: load.cjs of its own, so that bundles, lock file and sources are nobody else's. */
function miniature(): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-load-"));
  fs.mkdirSync(path.join(root, "bundle"));
  fs.copyFileSync(path.join(CLONE, "bundle/load.cjs"), path.join(root, "bundle/load.cjs"));
  fs.symlinkSync(path.join(CLONE, "node_modules"), path.join(root, "node_modules"));
  fs.writeFileSync(path.join(root, "package-lock.json"), "{}");
  return root;
}

describe("loadBundle", () => {
  let root: string;
  const file = (...parts: string[]) => path.join(root, ...parts);
  const write = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(file(name)), { recursive: true });
    fs.writeFileSync(file(name), text);
  };
  const script = (options: object) =>
    `const { loadBundle } = require("./bundle/load.cjs");` +
    `console.log(JSON.stringify(loadBundle("index.ts", ${JSON.stringify({ name: "t", ...options })})));`;
  /** In a process of its own, as a start of Pulumi is. */
  const load = (options: object = {}) =>
    JSON.parse(execFileSync(process.execPath, ["-e", script(options)], { cwd: root, encoding: "utf8" }));
  const bundles = () => fs.readdirSync(file(".cache/bundles")).filter((name) => name.endsWith(".cjs"));

  beforeEach(() => (root = miniature()));
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  it("loads what the entry and its imports export", () => {
    write("part/b.ts", "export const b: number = 2;");
    write("index.ts", 'import { b } from "./part/b"; export const sum = 1 + b;');
    expect(load()).toEqual({ sum: 3 });
  });

  it("sees a change in an import, and builds only then", () => {
    write("b.ts", "export const b = 2;");
    write("index.ts", 'export { b } from "./b";');
    load();
    const manifest = () => fs.statSync(file(".cache/bundles/t.json")).mtimeMs;
    const first = manifest();
    load();
    expect(manifest()).toBe(first);
    write("b.ts", "export const b = 333;");
    expect(load()).toEqual({ b: 333 });
    expect(manifest()).toBeGreaterThan(first);
  });

  it("builds again when the lock file changed", () => {
    write("index.ts", "export const a = 1;");
    load();
    const first = fs.statSync(file(".cache/bundles/t.json")).mtimeMs;
    write("package-lock.json", '{"changed": true}');
    load();
    expect(fs.statSync(file(".cache/bundles/t.json")).mtimeMs).toBeGreaterThan(first);
  });

  it("keeps __dirname what it is in the source, so that a component finds its scripts", () => {
    write("components/x/index.ts", "export const here = __dirname;");
    write("index.ts", 'export { here } from "./components/x";');
    expect(load()).toEqual({ here: fs.realpathSync(file("components/x")) });
  });

  it("keeps external packages outside: they are the same instance for the program and for who loads it", () => {
    write(
      "index.ts",
      'import * as yaml from "yaml"; export const same = yaml.parse === require("yaml").parse;',
    );
    load({ external: ["yaml"] });
    const [bundle] = bundles();
    expect(fs.readFileSync(file(".cache/bundles", bundle!), "utf8")).toContain('require("yaml")');
  });

  it("reports a syntax error as esbuild does, with file and line and without a stack", () => {
    write("index.ts", "export const x: = 3;\n");
    const run = spawnSync(
      process.execPath,
      [
        "-e",
        `try { require("./bundle/load.cjs").loadBundle("index.ts", {name: "t"}) } catch (e) { console.log(e.stack) }`,
      ],
      { cwd: root, encoding: "utf8" },
    );
    expect(run.stdout).toContain('Unexpected "="');
    expect(run.stdout).toContain("index.ts:1:16");
    expect(run.stdout).not.toMatch(/^\s+at /m);
  });

  it("rebuilds a bundle that somebody removed, and one whose manifest was cut short", () => {
    write("index.ts", "export const a = 1;");
    load();
    for (const name of bundles()) fs.rmSync(file(".cache/bundles", name));
    expect(load()).toEqual({ a: 1 });
    fs.writeFileSync(file(".cache/bundles/t.json"), '{"file": "t-');
    expect(load()).toEqual({ a: 1 });
  });

  it("is not misled by a code cache of another text", () => {
    write("index.ts", "export const a = 1;");
    load();
    const [bundle] = bundles();
    fs.writeFileSync(file(".cache/bundles", `${bundle}.v8`), "not a code cache");
    expect(load()).toEqual({ a: 1 });
  });

  it("keeps compiled what was called until the end, also of a process that a signal ends as it ends a plugin", async () => {
    write(
      "index.ts",
      `const table = ${JSON.stringify(Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`key${i}`, i])))};
       export const later = () => { ${Array.from({ length: 400 }, (_, i) => `if (table.key${i} > 500) return ${i};`).join(" ")} return -1; };`,
    );
    const size = () => fs.statSync(file(".cache/bundles", `${bundles()[0]}.v8`)).size;
    const load = `const { later } = require("./bundle/load.cjs").loadBundle("index.ts", { name: "t" });`;
    execFileSync(process.execPath, ["-e", load], { cwd: root });
    const uncalled = size();
    fs.rmSync(file(".cache/bundles", `${bundles()[0]}.v8`));
    const child = spawn(
      process.execPath,
      ["-e", `${load} later(); setInterval(() => {}, 1000); console.log("called")`],
      { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
    );
    const ended = once(child, "exit");
    await once(child.stdout, "data");
    child.kill("SIGINT");
    expect(await ended).toEqual([null, "SIGINT"]);
    expect(size()).toBeGreaterThan(uncalled + 1000);
  });

  it("takes what it kept in the next run, and leaves it as it is", () => {
    write("index.ts", "export const a = 1;");
    load();
    const cache = file(".cache/bundles", `${bundles()[0]}.v8`);
    const first = fs.statSync(cache).mtimeMs;
    expect(load()).toEqual({ a: 1 });
    expect(fs.statSync(cache).mtimeMs).toBe(first);
  });

  it.each(["SIGINT", "SIGTERM"])(
    "leaves %s to the program that answers it, also to one that answers once",
    (signal) => {
      for (const answers of ["on", "once"]) {
        write(
          "index.ts",
          `let calls = 0; process.${answers}("${signal}", () => { calls++; setTimeout(() => { console.log(calls); process.exit(7); }, 100); });`,
        );
        const run = spawnSync(
          process.execPath,
          [
            "-e",
            `require("./bundle/load.cjs").loadBundle("index.ts", { name: "t" }); process.kill(process.pid, "${signal}"); setInterval(() => {}, 1000);`,
          ],
          { cwd: root, encoding: "utf8" },
        );
        expect([answers, run.status, run.signal, run.stdout]).toEqual([answers, 7, null, "1\n"]);
        expect(fs.existsSync(file(".cache/bundles", `${bundles()[0]}.v8`))).toBe(true);
      }
    },
  );

  it("prunes old bundles of the same name and no others", () => {
    write("index.ts", "export const a = 1;");
    load();
    const old = ["t-0123456789abcdef.cjs", "t-0123456789abcdef.cjs.v8", "t-other-0123456789abcdef.cjs"];
    for (const name of old) {
      write(`.cache/bundles/${name}`, "");
      fs.utimesSync(file(".cache/bundles", name), 0, 0);
    }
    write("index.ts", "export const a = 22;");
    load();
    expect(old.filter((name) => fs.existsSync(file(".cache/bundles", name)))).toEqual([
      "t-other-0123456789abcdef.cjs",
    ]);
  });
});
