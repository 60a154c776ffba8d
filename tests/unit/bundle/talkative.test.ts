/** How the program knows what pulumi was called with, also where nothing of ours called it. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const TALKATIVE = path.resolve(__dirname, "../../../bundle/talkative.cjs");

describe("bundle/talkative.cjs", () => {
  let folder: string;
  beforeAll(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-talkative-"))));
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** As the engine does it: a program of this name starts a language host, which starts Node. */
  function wanted(name: string, args: string[], env: NodeJS.ProcessEnv = {}): boolean {
    const engine = path.join(folder, name);
    if (!fs.existsSync(engine)) fs.symlinkSync(process.execPath, engine);
    const start = (script: string) =>
      `require("child_process").execFileSync(${JSON.stringify(process.execPath)}, ["-e", ${JSON.stringify(script)}], { stdio: "inherit" })`;
    const program = `process.stdout.write(String(require(${JSON.stringify(TALKATIVE)}).wantsDebugMessages()))`;
    const run = spawnSync(engine, ["-e", start(start(program)), "--", ...args], {
      encoding: "utf8",
      env: { PATH: process.env.PATH, ...env },
    });
    expect([run.stderr, run.status]).toEqual(["", 0]);
    return run.stdout === "true";
  }

  it("takes it from the command line of the pulumi that started the language host", () => {
    expect(wanted("pulumi", ["preview", "--stack", "oslo-next", "--diff"])).toBe(false);
    for (const asked of [
      "--debug",
      "-d",
      "--logtostderr",
      "-v=9",
      "--verbose=3",
      "--json",
      "--event-log=x",
      "--tracing=file:/x",
    ])
      expect([asked, wanted("pulumi", ["preview", "-s", "oslo-next", asked])]).toEqual([asked, true]);
  });

  it("takes the engine's flags from the environment too", () => {
    expect(wanted("pulumi", ["preview"], { PULUMI_OPTION_DEBUG: "true" })).toBe(true);
    expect(wanted("pulumi", ["preview"], { PULUMI_OPTION_VERBOSE: "9" })).toBe(true);
    expect(wanted("pulumi", ["preview"], { PULUMI_OPTION_COLOR: "never" })).toBe(false);
  });

  it("wants them in an up, for the engine's log", () => {
    expect(wanted("pulumi", ["up", "--yes"])).toBe(true);
  });

  it("wants them where it cannot be told", () => {
    expect(wanted("another", ["preview"])).toBe(true);
  });

  it("does as it is told", () => {
    expect(wanted("pulumi", ["preview"], { OSLO_FAAS_DEBUG_MESSAGES: "true" })).toBe(true);
    expect(wanted("pulumi", ["preview", "-d"], { OSLO_FAAS_DEBUG_MESSAGES: "false" })).toBe(false);
  });
});
