import { spawn, type ChildProcess } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const LIB = path.resolve(__dirname, "../../../../lab/toolchain/lib");
const { buildFolder, PARTS } = require(path.join(LIB, "build.cjs")) as {
  buildFolder(env: NodeJS.ProcessEnv): string;
  PARTS: { name: string }[];
};

/** A Go that writes a program that does nothing, and keeps a list of what it was asked to build. */
const FAKE_GO = `#!/bin/sh
case "$1" in
  version) echo go version go1.99.0 linux/amd64; exit ;;
  env) echo local; exit ;;
esac
while [ "$1" != -o ]; do shift; done
echo "$(basename "$2")" >> "$CALLS"
sleep "$GO_TAKES"
if [ -n "$GO_FAILS" ] && [ "$(basename "$2")" = "$GO_FAILS" ]; then echo "undefined: something" >&2; exit 1; fi
printf '#!/bin/sh\\nexit 0\\n' > "$2"
chmod +x "$2"
`;

describe("a build", () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  const calls = () => fs.readFileSync(env.CALLS!, "utf8").trim().split("\n").sort();
  const all = [
    "pulumi",
    "pulumi-language-nodejs",
    "pulumi-language-nodejs-host",
    "pulumi-resource-command",
    "pulumi-resource-docker",
  ];
  const cache = () => path.join(env.XDG_CACHE_HOME!, "oslo-faas", "toolchain");

  const script = `require(${JSON.stringify(path.join(LIB, "resolve.cjs"))}).resolveToolchain({quiet: true})
    .then((t) => console.log(t.kind), (e) => { console.error(e.message); process.exitCode = 1; });`;
  /** A process that wants the toolchain, as each of two clones has one. */
  const start = (more: NodeJS.ProcessEnv = {}): ChildProcess =>
    spawn(process.execPath, ["-e", script], { env: { ...env, ...more }, detached: true });
  const end = (child: ChildProcess) =>
    new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
      let [out, err] = ["", ""];
      child.stdout!.on("data", (data) => (out += data));
      child.stderr!.on("data", (data) => (err += data));
      child.on("close", (code) => resolve({ code, out, err }));
    });

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-build-"));
    fs.mkdirSync(path.join(folder, "bin"));
    fs.writeFileSync(path.join(folder, "bin", "go"), FAKE_GO, { mode: 0o755 });
    env = {
      HOME: folder,
      XDG_CACHE_HOME: path.join(folder, "cache"),
      PATH: `${path.join(folder, "bin")}:${path.dirname(process.execPath)}:/usr/bin:/bin`,
      CALLS: path.join(folder, "calls"),
      GO_TAKES: "0",
      OSLO_FAAS_TOOLCHAIN: "built",
    };
    fs.writeFileSync(env.CALLS!, "");
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it("builds every part once, reports each, and leaves no temporary files", async () => {
    const { code, out, err } = await end(start());
    expect({ code, out }).toEqual({ code: 0, out: "built\n" });
    expect(calls()).toEqual(all);
    for (const part of ["Pulumi", "the Node.js language host", "the docker plugin", "the command plugin"]) {
      expect(err).toMatch(new RegExp(`toolchain: building ${part}`));
      expect(err).toMatch(new RegExp(`toolchain: ${part}.* built in`));
    }
    expect(fs.readdirSync(cache()).filter((name) => name.includes("tmp"))).toEqual([]);
    expect((await end(start())).err).toBe("");
    expect(calls()).toHaveLength(PARTS.length);
  });

  it("is done once when two clones want it at the same time", async () => {
    const both = await Promise.all([end(start({ GO_TAKES: "0.5" })), end(start({ GO_TAKES: "0.5" }))]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(calls()).toEqual(all);
    expect(both.map(({ err }) => err).join("")).toContain(
      "another process is building the toolchain; waiting for it",
    );
  });

  it("is not stopped by what a killed one left", async () => {
    const killed = start({ GO_TAKES: "30" });
    const ended = end(killed);
    for (let i = 0; i < 100 && calls().length < 2; i++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    process.kill(-killed.pid!, "SIGKILL");
    await ended;
    expect(fs.readdirSync(cache()).some((name) => name.includes(".tmp-"))).toBe(true);
    const { code } = await end(start());
    expect(code).toBe(0);
    expect(fs.readdirSync(cache()).filter((name) => name.includes(".tmp-"))).toEqual([]);
    expect(fs.existsSync(path.join(buildFolder(env), "bin", "pulumi"))).toBe(true);
  });

  it("ends with the process that wanted it, when that one is told to", async () => {
    const stopped = start({ GO_TAKES: "30" });
    const ended = end(stopped);
    for (let i = 0; i < 100 && calls().length < 2; i++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    stopped.kill("SIGTERM");
    expect((await ended).code).not.toBe(0);
    expect((await end(start())).err).not.toContain("another process");
  });

  it("that fails shows the compiler's last lines and where the rest is, and is not taken for a whole one", async () => {
    const { code, err } = await end(start({ GO_FAILS: "pulumi-resource-docker" }));
    expect(code).toBe(1);
    expect(err).toMatch(
      /Building the docker plugin.*ended with 1\. The last lines of .*docker\.log:\nundefined: something/,
    );
    expect(fs.existsSync(buildFolder(env))).toBe(false);
  });
});
