import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { resolveToolchain, type Toolchain } from "../../lab/toolchain/resolve";

const CLONE = path.resolve(__dirname, "../..");
const MINUTE = 60_000;

const hasGo = spawnSync("go", ["version"]).status === 0;
(hasGo ? describe : describe.skip)("the command plugin by itself", () => {
  it(
    "passes its own tests, those against a real sshd too",
    () => {
      const run = spawnSync("go", ["test", "./..."], {
        cwd: path.join(CLONE, "lab/toolchain/go/command"),
        encoding: "utf8",
      });
      expect({ status: run.status, text: run.status === 0 ? "" : run.stdout + run.stderr }).toEqual({
        status: 0,
        text: "",
      });
    },
    15 * MINUTE,
  );
});

describe("the engine with its plugins", () => {
  let toolchain: Toolchain;
  let folder: string;
  let home: string;

  const program = (text: string) => fs.writeFileSync(path.join(folder, "index.js"), text);
  const command = (args: string) => `
    const { local } = require("@pulumi/command");
    exports.out = new local.Command("c", ${args}).stdout;`;
  function pulumi(...args: string[]) {
    const run = spawnSync(toolchain.pulumi, [...args, "--non-interactive"], {
      cwd: folder,
      env: toolchain.env,
      encoding: "utf8",
    });
    return { status: run.status, text: run.stdout + run.stderr };
  }
  const up = () => pulumi("up", "-y", "-f", "-s", "scratch");
  const out = () => JSON.parse(pulumi("stack", "output", "--json", "-s", "scratch").text).out;

  beforeAll(async () => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-engine-"));
    folder = path.join(home, "project");
    fs.mkdirSync(folder);
    const passphrase = { PULUMI_CONFIG_PASSPHRASE: "scratch" };
    toolchain = await resolveToolchain({ env: { ...process.env, ...passphrase } });
    toolchain.env.PULUMI_BACKEND_URL = `file://${folder}`;
    fs.writeFileSync(
      path.join(folder, "Pulumi.yaml"),
      "name: scratch\nruntime: {name: nodejs, options: {typescript: false}}\n",
    );
    fs.writeFileSync(path.join(folder, "package.json"), '{"name": "scratch", "main": "index.js"}');
    fs.symlinkSync(path.join(CLONE, "node_modules"), path.join(folder, "node_modules"));
    expect(pulumi("stack", "init", "scratch")).toMatchObject({ status: 0 });
  }, 60 * MINUTE);
  afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

  it("creates, updates, replaces and deletes a command, without a warning", () => {
    const log = path.join(home, "log");
    const args = (create: string, trigger: string) =>
      `{ create: "echo ${create}", update: "echo was $PULUMI_COMMAND_STDOUT", delete: "echo gone >> ${log}", triggers: ["${trigger}"] }`;
    program(command(args("one", "a")));
    const first = up();
    expect(first).toMatchObject({ status: 0 });
    expect(first.text).not.toMatch(/warning/i);
    expect(out()).toBe("one");

    const again = pulumi("preview", "--expect-no-changes", "-s", "scratch");
    expect(again).toMatchObject({ status: 0 });

    program(command(args("two", "a")));
    expect(up().text).toContain("1 updated");
    expect(out()).toBe("was one");

    program(command(args("two", "b")));
    expect(up().text).toContain("1 replaced");
    expect(out()).toBe("two");
    expect(fs.readFileSync(log, "utf8")).toBe("gone\n");

    expect(pulumi("destroy", "-y", "-f", "-s", "scratch")).toMatchObject({ status: 0 });
    expect(fs.readFileSync(log, "utf8")).toBe("gone\ngone\n");
  });

  it("keeps a connection's key and a secret input out of the state and of what it prints", () => {
    const canary = "canary-4711";
    program(`
      const pulumi = require("@pulumi/pulumi"), { remote } = require("@pulumi/command");
      new remote.Command("r", {
        connection: { host: "127.0.0.1", port: 1, privateKey: "${canary}", dialErrorLimit: 0 },
        stdin: pulumi.secret("${canary}"),
      });`);
    const run = up();
    expect(run).toMatchObject({ status: 0 });
    expect(run.text).not.toContain(canary);
    const files = execFileSync("find", [path.join(folder, ".pulumi"), "-type", "f"], { encoding: "utf8" })
      .trim()
      .split("\n");
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(fs.readFileSync(file, "utf8")).not.toContain(canary);
    pulumi("destroy", "-y", "-f", "-s", "scratch");
  });

  it("has the docker plugin, which previews without an engine to talk to", () => {
    program(`
      const docker = require("@pulumi/docker");
      const provider = new docker.Provider("p", { host: "ssh://nobody@127.0.0.1:1" });
      new docker.Network("n", { driver: "overlay" }, { provider });`);
    const preview = pulumi("preview", "-s", "scratch");
    expect(preview).toMatchObject({ status: 0 });
    expect(preview.text).not.toMatch(/warning/i);
    expect(preview.text).toContain("docker:index:Network");
  });

  it("refuses what the substitute does not do", () => {
    if (toolchain.kind !== "built") return;
    program(command('{ create: "true", assetPaths: ["*"] }'));
    const refused = up();
    expect(refused.status).not.toBe(0);
    expect(refused.text).toMatch(/assetPaths.*official plugin/s);
  });
});
