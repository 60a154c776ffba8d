/**
 * Configuration through the real engine: the command line reads a file as the engine does, a person sees every mistake and no stack,
 * and a new environment ends with a preview. No host is reached.
 */
import { execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { environmentFrom } from "../../environment/files";
import { configValue, readStackFile } from "../../environment/stackfile";
import { newEnvironment } from "../../cli/env/new";
import { preview } from "../../cli/env/preview";
import { resolveToolchain, type Toolchain } from "../../lab/toolchain/resolve";

const CLONE = path.resolve(__dirname, "../..");
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
const HOST = `  oslo-faas:host: {address: 192.0.2.1, hostKey: "${KEY}"}\n`;

let toolchain: Toolchain;
let dir: string;
const passphrase = process.env.PULUMI_CONFIG_PASSPHRASE;

beforeAll(async () => {
  process.env.PULUMI_CONFIG_PASSPHRASE = "of this test";
  toolchain = await resolveToolchain({ args: ["preview", "--stack", "none"], quiet: true });
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-engine-"));
});
afterAll(() => {
  if (passphrase === undefined) delete process.env.PULUMI_CONFIG_PASSPHRASE;
  else process.env.PULUMI_CONFIG_PASSPHRASE = passphrase;
  fs.rmSync(dir, { recursive: true, force: true });
});

/** Not synchronous: jest has to be able to end it. */
function pulumi(cwd: string, args: string[], input = ""): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(toolchain.pulumi, [...args, "--non-interactive", "--color", "never"], {
      cwd,
      env: { ...toolchain.env, PULUMI_CONFIG_PASSPHRASE: "of this test" },
      timeout: 120_000,
    });
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    child.stderr.on("data", (data: Buffer) => (output += data.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
    child.stdin.end(input);
  });
}

describe("a file is read as the engine reads it", () => {
  let project: string;
  const file = () => path.join(project, "stacks/Pulumi.t.yaml");

  beforeAll(async () => {
    project = path.join(dir, "echo");
    fs.mkdirSync(path.join(project, "stacks"), { recursive: true });
    fs.mkdirSync(path.join(project, "state"));
    fs.symlinkSync(path.join(CLONE, "node_modules"), path.join(project, "node_modules"));
    fs.writeFileSync(path.join(project, "package.json"), '{"name": "echo", "main": "index.js"}');
    fs.writeFileSync(
      path.join(project, "Pulumi.yaml"),
      "name: oslo-faas\nruntime: {name: nodejs, options: {typescript: false}}\nmain: index.js\nstackConfigDir: stacks\nbackend: {url: file://./state}\n",
    );
    fs.writeFileSync(
      path.join(project, "index.js"),
      `const { runtime } = require("@pulumi/pulumi"); require("fs").writeFileSync("seen.json", JSON.stringify(runtime.allConfig()));`,
    );
    const { code, output } = await pulumi(project, [
      "stack",
      "init",
      "t",
      "--secrets-provider",
      "passphrase",
    ]);
    if (code !== 0) throw new Error(output);
  });

  /** The file with a salt in it, as a person has it. */
  const write = (config: string) => {
    const salt = fs.readFileSync(file(), "utf8").match(/^encryptionsalt:.*$/m)![0];
    fs.writeFileSync(file(), `config:\n${config}${salt}\n`);
  };
  const seen = () =>
    JSON.parse(fs.readFileSync(path.join(project, "seen.json"), "utf8")) as Record<string, string>;

  test("numbers, words and texts of YAML, anchors and merges", async () => {
    write(`  oslo-faas:location: {country: NO, a: no, b: yes, c: on, d: y, e: 0x10, f: 010, g: 1_000, h: 1e3, i: 1.0, k: ~, m: "NO"}
  oslo-faas:more: {n: 0o10, o: 1.5, r: 12:30, t: +5, u: True, v: TRUE, w: Null, x: 0b11, y: 1., z: -0, s: 08, q: -010, p: 0.1}
  oslo-faas:texts:
    a: "010"
    b: '1e3'
    c: |
      two
      lines
    d: "a\\tb"
    e: a b
    f: ""
    g: 5m
    h: 10.0.0.0/8
    i: "2026-11-23"
    j: >-
      folded
      text
  oslo-faas:anchors: &a {x: 1, y: {z: 2}}
  oslo-faas:merged: {<<: *a, x: 3}
  oslo-faas:same: *a
  oslo-faas:keys: {1: a, true: b, __proto__: c}
  oslo-faas:list: [1, two, [3], {four: 4}]
  oslo-faas:json: '{"a": [1]}'
  oslo-faas:top: NO
  oslo-faas:number: 64
  bare: {a: 1}
`);
    const { code, output } = await pulumi(project, ["preview", "--stack", "t"]);
    if (code !== 0) throw new Error(output);
    const own = readStackFile(fs.readFileSync(file(), "utf8"), "f");
    expect(own.problems).toEqual([]);
    const engine = Object.entries(seen()).map(([key, text]) => [
      key.replace("oslo-faas:", ""),
      configValue(text),
    ]);
    expect(own.values).toEqual(Object.fromEntries(engine));
    expect((own.values.location as { country: unknown }).country).toBe("NO");
    expect((own.values.location as { f: unknown }).f).toBe(8);
  });

  test.each([
    ["a key twice", "  oslo-faas:a: {b: 1, b: 2}\n"],
    ["no number", "  oslo-faas:a: {b: .nan}\n"],
    ["a tab", "\toslo-faas:a: 1\n"],
    ["two colons", "  oslo-faas:a:b: {c: 1}\n"],
    ["a list", "  - a\n"],
    ["an alias of nothing", "  oslo-faas:a: *b\n"],
  ])("what the engine refuses is a mistake here too: %s", async (_name, config) => {
    write("  oslo-faas:ok: 1\n");
    const good = fs.readFileSync(file(), "utf8");
    write(config);
    const text = fs.readFileSync(file(), "utf8");
    const { code } = await pulumi(project, ["preview", "--stack", "t"]);
    fs.writeFileSync(file(), good);
    expect(code).not.toBe(0);
    expect(readStackFile(text, "f").problems).not.toEqual([]);
  });
});

describe("in a copy of the project", () => {
  let project: string;
  const stackFile = (name: string) => path.join(project, `stacks/Pulumi.${name}.yaml`);

  beforeAll(async () => {
    project = path.join(dir, "copy");
    const list = execFileSync("git", ["ls-files", "-z"], { cwd: CLONE, encoding: "utf8" });
    for (const file of list.split("\0").filter((name) => name && fs.existsSync(path.join(CLONE, name)))) {
      fs.mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
      fs.copyFileSync(path.join(CLONE, file), path.join(project, file));
    }
    fs.symlinkSync(path.join(CLONE, "node_modules"), path.join(project, "node_modules"));
    fs.mkdirSync(path.join(project, ".pulumi"), { recursive: true });
    fs.writeFileSync(stackFile("bad"), "config: {}\n");
    await pulumi(project, ["stack", "init", "bad", "--no-select", "--secrets-provider", "passphrase"]);
  });

  test("every mistake comes at once, with its line, without a stack, and a failing exit code", async () => {
    const salt = fs.readFileSync(stackFile("bad"), "utf8").match(/^encryptionsalt:.*$/m)![0];
    const text = `config:\n${HOST}  oslo-faas:extends: stacks/base.yaml\n  oslo-faas:gatewayPassword: hunter2\n  oslo-faas:location: {country: no}\n  oslo-faas:nginx:\n    keepAlive: 64\n    proxyReadTimeout: 60s\n${salt}\n`;
    fs.writeFileSync(stackFile("bad"), text);
    const { code, output } = await pulumi(project, ["preview", "--stack", "bad"]);
    expect(code).not.toBe(0);
    const lines = environmentFrom(text, {
      name: "bad",
      root: project,
      file: "stacks/Pulumi.bad.yaml",
    }).problems;
    expect(lines).toHaveLength(4);
    // The command line and the engine's run say the same, but for the line of what the engine does not hand over.
    for (const line of lines) expect(output).toContain(line.replace(/ \(.*/, ""));
    expect(output).toContain("did you mean nginx.keepalive? (stacks/Pulumi.bad.yaml:7)");
    expect(output).not.toMatch(/\n\s+at .*\.(c?js|ts):\d+|hunter2/);
  });

  test("a secret inside of another key is refused by path, and shown nowhere", async () => {
    const salt = fs.readFileSync(stackFile("bad"), "utf8").match(/^encryptionsalt:.*$/m)![0];
    fs.writeFileSync(stackFile("bad"), `config:\n${HOST}${salt}\n`);
    const args = ["config", "set", "--stack", "bad", "--secret"];
    await pulumi(project, [...args, "--path", "nginx.serverName"], "hunter 2;");
    await pulumi(project, [...args, "gatewayPassword"], "hunter 2;");
    const text = fs.readFileSync(stackFile("bad"), "utf8");
    const { code, output } = await pulumi(project, ["preview", "--stack", "bad"]);
    expect(code).not.toBe(0);
    expect(output).toContain(
      "nginx: contains a secret, which is not read here; secrets are separate top-level keys: gatewayPassword",
    );
    expect(output).not.toContain("hunter");
    const own = environmentFrom(text, { name: "bad", root: project, file: "f" });
    expect(own.layers[0]!.secrets).toEqual(["gatewayPassword"]);
    expect(own.problems).toEqual([
      expect.stringMatching(/^nginx\.serverName: contains a secret, which is not read here/),
    ]);
  });

  test("a new environment ends with a preview of it", async () => {
    const said: string[] = [];
    await newEnvironment(
      "oslo-fresh",
      { address: "192.0.2.1", hostKey: KEY },
      {
        root: project,
        say: (line) => void said.push(line),
        beforePreview: () => false,
        preview: (name, root) => preview(name, root, { program: toolchain.pulumi, env: toolchain.env }),
        now: () => new Date(),
      },
    );
    expect(said.join("\n")).toContain("wrote stacks/Pulumi.oslo-fresh.yaml");
    // The engine has made the stack, and added its salt to the file without losing a comment.
    const text = fs.readFileSync(stackFile("oslo-fresh"), "utf8");
    expect(text).toMatch(/^encryptionsalt: v1:/m);
    expect(text).toContain("# What environments share; what is written here overrides it.");
    const { output } = await pulumi(project, ["stack", "ls", "--json"]);
    expect((JSON.parse(output) as { name: string }[]).map(({ name }) => name)).toContain("oslo-fresh");
  });
});
