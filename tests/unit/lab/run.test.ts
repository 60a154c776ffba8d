import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LabError } from "../../../lab/errors";
import { run } from "../../../lab/run";
import { lines } from "../../../programs/run";

const sh = (script: string, options: Partial<Parameters<typeof run>[2]> = {}) =>
  run("sh", ["-c", script], { step: "try this", limitMs: 20_000, ...options });

describe("run", () => {
  test("tells the two streams apart and keeps both", async () => {
    const seen: string[] = [];
    const result = await sh("echo out; echo err >&2", { onLine: (line) => seen.push(line) });
    expect(result.stdout).toBe("out\n");
    expect(result.output).toContain("err\n");
    expect(seen.sort()).toEqual(["err", "out"]);
  });

  test("a failure names the step, the exit code, the last lines and the remedy", async () => {
    const failure = sh("echo first; echo the reason >&2; exit 7", { remedy: "Do something." });
    await expect(failure).rejects.toThrow(/Could not try this: sh failed with exit code 7\.[^]*the reason/);
    await expect(failure).rejects.toMatchObject({ remedy: "Do something." });
  });

  test("an allowed exit code is none; a signal is one even where every code is allowed", async () => {
    expect((await sh("exit 3", { allow: [0, 3] })).code).toBe(3);
    expect((await sh("exit 9", { allow: "any" })).code).toBe(9);
    await expect(sh("kill -TERM $$", { allow: "any" })).rejects.toThrow("was ended by SIGTERM");
  });

  test("the limit ends the program, and the error names it", async () => {
    const started = Date.now();
    await expect(sh("exec sleep 60", { limitMs: 300, allow: "any" })).rejects.toThrow("took longer than 0 s");
    expect(Date.now() - started).toBeLessThan(5000);
  });

  test("a program that is missing is named, with what to do", async () => {
    const failure = run("no-such-program", [], { step: "try this", limitMs: 1000, remedy: "Install it." });
    await expect(failure).rejects.toBeInstanceOf(LabError);
    await expect(failure).rejects.toThrow('needs the program "no-such-program"');
  });

  test("the log has all of it and is for the owner only", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lab-run-"));
    try {
      const log = join(folder, "deep", "run.log");
      await sh("echo one", { log });
      await sh("echo two >&2", { log });
      expect(readFileSync(log, "utf8")).toBe("one\ntwo\n");
      expect(statSync(log).mode & 0o777).toBe(0o600);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("lines are put together over chunks, without colours", () => {
  const seen: string[] = [];
  const take = lines((line) => seen.push(line));
  for (const chunk of ["a", "b\n\u001b[31mre", "d\u001b[0m\r", "last\n", "never ended"])
    take(Buffer.from(chunk));
  expect(seen).toEqual(["ab", "red", "last"]);
});
