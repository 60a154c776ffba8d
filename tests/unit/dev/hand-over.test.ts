import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const DEV = path.resolve(__dirname, "../../../dev");

/** A process that hands over to these programs, as dev/bootstrap.mjs does; no terminal is attached. */
function start(lines: string[][]) {
  const options = `{ cwd: ${JSON.stringify(os.tmpdir())}, env: process.env }`;
  const script = `require(${JSON.stringify(path.join(DEV, "hand-over.cjs"))}).handOver(${JSON.stringify(lines)}, ${options})
    .catch((e) => { console.error(e.message); process.exit(99); });`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  child.stdout.on("data", (data) => (text += data));
  child.stderr.on("data", (data) => (text += data));
  const ended = new Promise<{ code: number | null; text: string }>((resolve) =>
    child.on("close", (code) => resolve({ code, text })),
  );
  const says = async (word: string) => {
    for (let i = 0; i < 200 && !text.includes(word); i++)
      await new Promise((resolve) => setTimeout(resolve, 25));
    expect(text).toContain(word);
  };
  return { child, ended, says };
}

const sh = (script: string) => ["/bin/sh", "-c", script];

describe("handing over", () => {
  it("ends with the program's exit code, and passes its output on", async () => {
    expect(await start([sh("echo out; exit 7")]).ended).toEqual({ code: 7, text: "out\n" });
  });

  it("runs the programs in order until one fails", async () => {
    expect(await start([sh("echo 1"), sh("echo 2; exit 3"), sh("echo 4")]).ended).toEqual({
      code: 3,
      text: "1\n2\n",
    });
  });

  it("ends as a shell does when a signal ended the program", async () => {
    expect((await start([sh("kill -TERM $$")]).ended).code).toBe(143);
  });

  it("passes a signal on once, although npm sends it a second time", async () => {
    const { child, ended, says } = start([
      sh("trap 'echo got' INT; echo ready; i=0; while [ $i -lt 20 ]; do sleep 0.1; i=$((i+1)); done"),
    ]);
    await says("ready");
    child.kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill("SIGINT");
    expect((await ended).text).toBe("ready\ngot\n");
  });

  it("says what cannot be started", async () => {
    expect(await start([["/nonexistent/pulumi"]]).ended).toMatchObject({
      code: 99,
      text: expect.stringContaining("Cannot start /nonexistent/pulumi"),
    });
  });
});

describe("node_modules", () => {
  const { installedByHand } = require(path.join(DEV, "modules.cjs")) as {
    installedByHand(modules: string, lockFile: string): boolean;
  };
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-modules-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  const fits = (lock: object, installed: object) => {
    fs.writeFileSync(
      path.join(folder, "package-lock.json"),
      JSON.stringify({ packages: { "": {}, ...lock } }),
    );
    fs.writeFileSync(path.join(folder, ".package-lock.json"), JSON.stringify({ packages: installed }));
    return installedByHand(folder, path.join(folder, "package-lock.json"));
  };
  const one = { "node_modules/a": { version: "1.0.0" } };

  it.each([
    ["the same", one, one, true],
    [
      "without another platform's package",
      { ...one, "node_modules/b": { version: "1.0.0", optional: true } },
      one,
      true,
    ],
    ["an older version", { "node_modules/a": { version: "1.0.1" } }, one, false],
    ["one that is missing", { ...one, "node_modules/b": { version: "1.0.0" } }, one, false],
    ["one that is not in the lock file any more", {}, one, false],
  ])("fit the lock file: %s", (_what, lock, installed, answer) => {
    expect(fits(lock, installed)).toBe(answer);
  });

  it("do not fit when npm was killed before it was done", () => {
    fs.writeFileSync(path.join(folder, "package-lock.json"), JSON.stringify({ packages: one }));
    expect(installedByHand(folder, path.join(folder, "package-lock.json"))).toBe(false);
  });
});
