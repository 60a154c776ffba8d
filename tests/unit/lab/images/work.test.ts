import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadLab } from "../../../../lab/config";
import { contentKey, imageCacheDir, Work } from "../../../../lab/images/work";
import { inParallel } from "../../../../shared/inParallel";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "oslo-faas-work-"))));
afterEach(() => rmSync(folder, { recursive: true }));

describe("the key of a content", () => {
  const write = (name: string, text: string) => {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  const key = () => contentKey(["1", { path: folder, skip: /^node_modules$/ }]);

  test("stays when nothing but times and left-out folders change", () => {
    write("a/b", "1");
    const before = key();
    write("node_modules/x", "1");
    utimesSync(join(folder, "a/b"), 1, 1);
    expect(key()).toBe(before);
  });

  test.each([
    ["a file's content", () => write("a/b", "2")],
    ["a file's name", () => write("a/c", "1")],
    ["a file's mode", () => writeFileSync(join(folder, "a/d"), "1", { mode: 0o755 })],
  ])("changes with %s", (_what, change) => {
    write("a/b", "1");
    const before = key();
    change();
    expect(key()).not.toBe(before);
  });

  test("does not confuse two inputs with one", () =>
    expect(contentKey(["ab", "c"])).not.toBe(contentKey(["a", "bc"])));
});

describe("working in parallel", () => {
  test("on as many as allowed at a time, and on all", async () => {
    let now = 0;
    let most = 0;
    const done: number[] = [];
    await inParallel([1, 2, 3, 4, 5], 2, async (item) => {
      most = Math.max(most, ++now);
      await new Promise((later) => setTimeout(later, 5));
      now--;
      done.push(item);
    });
    expect([most, done.sort()]).toEqual([2, [1, 2, 3, 4, 5]]);
  });

  test("ends at the first failure, once what had begun is through", async () => {
    const done: string[] = [];
    const work = inParallel(["bad", "slow", "never"], 2, async (item) => {
      if (item === "bad") throw new Error("bad");
      await new Promise((later) => setTimeout(later, 20));
      done.push(item);
    });
    await expect(work).rejects.toThrow("bad");
    expect(done).toEqual(["slow"]);
  });
});

describe("a run", () => {
  const silent = { say: () => undefined, status: () => undefined };
  const lab = () => loadLab({ XDG_CACHE_HOME: folder }, join(folder, "clone"));

  test("makes a thing once", async () => {
    const work = new Work(lab(), silent);
    let times = 0;
    const make = async () => ++times;
    expect(await Promise.all([work.once("x", make), work.once("x", make), work.once("y", make)])).toEqual([
      1, 1, 2,
    ]);
  });

  test("removes what a killed run left behind, and not what a living one works in", () => {
    const cache = imageCacheDir(lab());
    const dead = join(cache, "work-4194303999");
    const alive = join(cache, `work-${process.ppid}`);
    for (const path of [dead, alive]) mkdirSync(path, { recursive: true });
    new Work(lab(), silent);
    expect([existsSync(dead), existsSync(alive)]).toEqual([false, true]);
  });
});
