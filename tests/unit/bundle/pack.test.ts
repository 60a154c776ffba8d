/** bundle/pack.cjs over a node_modules that the test makes, each run in a process of its own. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

const PACK = path.resolve(__dirname, "../../../bundle/pack.cjs");

const FILES: Record<string, string> = {
  "a/package.json": '{ "name": "a", "version": "1.2.3", "main": "lib/main.js" }',
  "a/lib/main.js": `#!/usr/bin/env node
"use strict";
exports.early = "set before the cycle";
const partner = require("./partner");
exports.strict = (function () { return this === undefined; })();
exports.seenByPartner = partner.seen;
exports.file = [__filename, __dirname, module.id, module.parent?.filename].map((file) => require("path").basename(String(file)));
exports.version = require("../package.json").version;
exports.norwegian = "blåbærsyltetøy 🫐"; // en kommentar på norsk
exports.b = require("b");
exports.resolved = require("path").basename(require.resolve("b"));
exports.cached = require.cache[require.resolve("./partner")] !== undefined;
exports.main = require.main === process.mainModule;`,
  "a/lib/partner.js": `exports.seen = require("./main").early;`,
  "b/index.js": `module.exports = class B { static where() { return new Error("x").stack.split("\\n")[1].includes("where"); } }; // the end`,
};

interface Answer {
  packed: number;
  exports: Record<string, unknown>;
  where: boolean;
  keys: string[];
  readFiles: string[];
}

describe("bundle/pack.cjs", () => {
  let home: string;
  beforeEach(() => {
    home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-pack-")));
    for (const [name, text] of Object.entries(FILES)) {
      fs.mkdirSync(path.dirname(inModules(name)), { recursive: true });
      fs.writeFileSync(inModules(name), text);
    }
    fs.writeFileSync(path.join(home, "lock"), "1");
  });
  afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

  const inModules = (name: string): string => path.join(home, "node_modules", name);
  const bundles = (): string => path.join(home, "bundles");
  const packs = (): string[] => fs.readdirSync(bundles()).filter((name) => name.endsWith(".cjs"));

  /** Loads a (and what is asked beside it) with or without the pack; the answer says what Node itself read of it. */
  function run(
    options: { pack?: boolean; also?: string; folder?: string; before?: string; renew?: boolean } = {},
  ): Answer {
    const folder = options.folder ?? bundles();
    const use = `require(${JSON.stringify(PACK)}).usePack({ folder: ${JSON.stringify(folder)}, root: ${JSON.stringify(inModules(""))},
      around: [${JSON.stringify(path.join(home, "lock"))}], renew: ${options.renew ?? true} }).packed`;
    const program = path.join(home, "program.js");
    fs.writeFileSync(
      program,
      `const fs = require("fs"); const readFiles = []; const read = fs.readFileSync;
      fs.readFileSync = (file, ...rest) => { if (String(file).includes("node_modules")) readFiles.push(require("path").basename(file)); return read(file, ...rest); };
      const packed = ${options.pack === false ? "0" : use}; ${options.before ?? ""}
      const exports_ = require("a"); ${options.also ? `require(${JSON.stringify(options.also)});` : ""}
      const { b, ...plain } = exports_;
      const keys = Object.keys(require.cache).map((file) => require("path").basename(file)).filter((file) => file !== "pack.cjs").sort();
      process.stdout.write(JSON.stringify({ packed, exports: plain, where: b.where(), keys, readFiles: [...readFiles] }));`,
    );
    const child = spawnSync(process.execPath, [program], { cwd: home, encoding: "utf8", timeout: 30_000 });
    expect(child.stderr).toBe("");
    expect(child.status).toBe(0);
    return JSON.parse(child.stdout) as Answer;
  }

  it("gives every module as Node gives it, from the second run on out of one file", () => {
    const plain = run({ pack: false });
    const [first, second] = [run(), run()];
    const cache = path.join(bundles(), `${packs()[0]}.v8`);
    const written = fs.statSync(cache).mtimeMs;
    const third = run();
    expect([first.packed, second.packed, third.packed]).toEqual([0, 3, 3]);
    for (const answer of [first, second, third]) {
      expect({ ...answer, packed: 0, readFiles: [] }).toEqual({ ...plain, readFiles: [] });
    }
    expect(plain.exports).toMatchObject({
      strict: true,
      norwegian: "blåbærsyltetøy 🫐",
      cached: true,
      main: true,
    });
    expect(first.readFiles).toContain("partner.js");
    expect(third.readFiles.filter((file) => file.endsWith(".js"))).toEqual([]);
    // V8 took it: one that it refuses is made again.
    expect(fs.statSync(cache).mtimeMs).toBe(written);
  });

  it("sees a changed file, a file that is gone, and a changed lock file", () => {
    run();
    expect(run().packed).toBe(3);
    fs.writeFileSync(inModules("a/lib/partner.js"), `exports.seen = "something else";`);
    expect(run()).toMatchObject({ packed: 0, exports: { seenByPartner: "something else" } });
    expect(run().packed).toBe(3);
    fs.rmSync(inModules("a/lib/partner.js"));
    fs.mkdirSync(inModules("a/lib/partner"));
    fs.writeFileSync(inModules("a/lib/partner/index.js"), `exports.seen = "moved";`);
    expect(run()).toMatchObject({ packed: 0, exports: { seenByPartner: "moved", cached: true } });
    expect(run().packed).toBe(3);
    fs.writeFileSync(path.join(home, "lock"), "other");
    expect(run().packed).toBe(0);
  });

  it("leaves out a module that has no file, and still takes in what a later run loads", () => {
    const made = `const Module = require("module"); const made = new Module(${JSON.stringify(inModules("a/made-up.js"))});
      made.paths = []; made._compile("", made.id);`;
    run({ before: made });
    expect(run({ before: made }).packed).toBe(3);
    fs.mkdirSync(inModules("c"));
    fs.writeFileSync(inModules("c/index.js"), "");
    run({ also: "c" });
    expect(run({ before: made }).packed).toBe(4);
    expect(fs.existsSync(path.join(bundles(), `${packs()[0]}.v8`))).toBe(true);
  });

  it("takes in what a later run loads beside it, and keeps what this one did not need", () => {
    run();
    fs.mkdirSync(inModules("c"));
    fs.writeFileSync(inModules("c/index.js"), "");
    expect(run({ also: "c" }).packed).toBe(3);
    expect(run().packed).toBe(4);
    expect(run({ also: "c" })).toMatchObject({ packed: 4 });
  });

  it.each([
    ["half a manifest", "modules.json"],
    ["half a pack", undefined],
  ])("loads without it when there is %s, and makes another", (_, name) => {
    const before = run();
    const file = path.join(bundles(), name ?? packs()[0]!);
    fs.truncateSync(file, Math.floor(fs.statSync(file).size / 2));
    expect(run()).toMatchObject({ packed: 0, exports: before.exports });
    expect(run().packed).toBe(3);
  });

  it("loads with a code cache that is broken, and makes another", () => {
    run();
    run();
    const file = path.join(bundles(), `${packs()[0]}.v8`);
    fs.writeFileSync(file, "nonsense");
    expect(run().packed).toBe(3);
    expect(fs.readFileSync(file, "latin1")).not.toBe("nonsense");
  });

  it("is not renewed by a run that is not to", () => {
    expect(run({ renew: false }).packed).toBe(0);
    expect(fs.existsSync(bundles())).toBe(false);
  });

  it("loads where nothing can be written", () => {
    fs.writeFileSync(path.join(home, "a-file"), "");
    expect(run({ folder: path.join(home, "a-file", "bundles") }).packed).toBe(0);
  });

  it("makes nothing of a run that failed", () => {
    fs.writeFileSync(inModules("b/index.js"), "throw new Error('broken');");
    const program = `require(${JSON.stringify(PACK)}).usePack({ folder: ${JSON.stringify(bundles())}, root: ${JSON.stringify(inModules(""))} }); require("a");`;
    const child = spawnSync(process.execPath, ["-e", program], { cwd: home, encoding: "utf8" });
    expect(child.status).not.toBe(0);
    expect(fs.existsSync(bundles())).toBe(false);
  });
});
