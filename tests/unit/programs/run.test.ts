/** Programs are bounded in time, and end with what they started. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { lastLines, run, runSync } from "../../../programs/run";

const sh = (script: string, options: Partial<Parameters<typeof run>[2]> = {}) =>
  run("sh", ["-c", script], { limitMs: 20_000, ...options });

const lives = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

describe("run", () => {
  it("keeps the two streams apart and together", async () => {
    const ended = await sh("echo out; echo err >&2");
    expect(ended).toMatchObject({ code: 0, stdout: "out\n", stderr: "err\n", missing: false });
    expect(ended.problem).toBeUndefined();
    expect(ended.output.split("\n").sort()).toEqual(["", "err", "out"]);
  });

  it("says how a program ended that did not end well", async () => {
    expect(await sh("exit 3")).toMatchObject({ code: 3, problem: "failed with exit code 3" });
    const killed = await sh("kill -TERM $$");
    expect(killed).toMatchObject({ problem: "was ended by SIGTERM" });
    expect(killed.code).toBeUndefined();
    const missing = await run("/nonexistent/program", [], { limitMs: 1000 });
    expect(missing).toMatchObject({
      missing: true,
      problem: expect.stringMatching(/^cannot be started: .*ENOENT/),
    });
  });

  it("gives a program its input and its environment, and no other", async () => {
    const ended = await sh('cat; echo "$A-$HOME-"', {
      input: "secret\n",
      env: { PATH: process.env.PATH, A: "1" },
    });
    expect(ended.stdout).toBe("secret\n1--\n");
  });

  it("ends with the limit though a child of the program holds its output open", async () => {
    const started = Date.now();
    const ended = await sh("sleep 60 & echo $!", { limitMs: 500 });
    expect(ended).toMatchObject({ problem: "took longer than 1 s" });
    expect(Date.now() - started).toBeLessThan(10_000);
    process.kill(Number(ended.stdout), "SIGKILL");
  });

  it("ends a whole group at the limit", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "programs-run-"));
    try {
      const ended = await sh(`sleep 60 & echo $! > ${folder}/pid; wait`, { limitMs: 500, group: true });
      expect(ended).toMatchObject({ problem: "took longer than 1 s" });
      const pid = Number(fs.readFileSync(`${folder}/pid`, "utf8"));
      for (let i = 0; i < 100 && lives(pid); i++) await new Promise((done) => setTimeout(done, 50));
      expect(lives(pid)).toBe(false);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

describe("runSync", () => {
  it("gives back what a program printed", () => {
    expect(runSync("cat", [], { input: Buffer.from("æ\n") })).toBe("æ\n");
  });

  it("throws with the exit code and the program's own words, and not with its output", () => {
    const fails = () => runSync("sh", ["-c", "echo output; echo why >&2; exit 4"]);
    expect(fails).toThrow(/exit code 4[^]*\nwhy$/);
    expect(fails).not.toThrow(/\noutput/);
  });
});

test("lastLines", () => expect(lastLines("a\nb\nc\n\n", 2)).toBe("b\nc"));
