import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatLock, readLock, resolve, writeLock } from "../../../components/images/lock";

const digest = (fill: string) => `sha256:${fill.repeat(64)}`;

describe("the lock", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "oslo-faas-lock-"));
    file = join(folder, "images.lock.json");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("turns a tag into tag and digest", () => {
    const lock = { "nginx:1.27": digest("a") };
    const pinned = { reference: `nginx:1.27@${digest("a")}`, resolved: true };
    expect(resolve("nginx:1.27", lock)).toEqual(pinned);
    expect(resolve("docker.io/library/nginx:1.27", lock)).toEqual(pinned);
  });

  test("leaves an image that is not locked as its tag, and reports it", () => {
    expect(resolve("nginx:1.28", { "nginx:1.27": digest("a") })).toEqual({
      reference: "nginx:1.28",
      resolved: false,
    });
    expect(resolve("constructor:1", {})).toEqual({ reference: "constructor:1", resolved: false });
  });

  test("never replaces a digest that was written by hand", () =>
    expect(resolve(`nginx:1.27@${digest("b")}`, { "nginx:1.27": digest("a") })).toEqual({
      reference: `nginx:1.27@${digest("b")}`,
      resolved: true,
    }));

  test("is sorted, one image a line, and reads back as it was written", () => {
    const lock = { "b:1": digest("b"), "a:1": digest("a") };
    expect(writeLock(file, lock)).toBe(true);
    expect(readFileSync(file, "utf8")).toBe(
      `{\n  "version": 1,\n  "images": {\n    "a:1": "${digest("a")}",\n    "b:1": "${digest("b")}"\n  }\n}\n`,
    );
    expect(readLock(file)).toEqual(lock);
    expect(readdirSync(folder)).toEqual(["images.lock.json"]);
  });

  test("is not touched when nothing changed", () => {
    writeLock(file, { "a:1": digest("a") });
    const before = statSync(file, { bigint: true });
    expect(writeLock(file, { "a:1": digest("a") })).toBe(false);
    expect(statSync(file, { bigint: true }).ino).toBe(before.ino);
  });

  test("a missing file is an empty lock", () => expect(readLock(file)).toEqual({}));

  test.each([
    ["{", "is not JSON"],
    ["[]", "does not hold an object"],
    ['{"images":{}}', "has version undefined"],
    ['{"version":2,"images":{}}', "has version 2"],
    ['{"version":1}', 'has no object "images"'],
    ['{"version":1,"images":{"a:1":"sha256:12"}}', 'gives a:1 the digest "sha256:12"'],
    ['{"version":1,"images":{"a:1":7}}', "gives a:1 the digest 7"],
  ])("%s is refused, with the file's path", (text, why) => {
    writeFileSync(file, text);
    expect(() => readLock(file)).toThrow(why);
    expect(() => readLock(file)).toThrow(file);
  });

  test("an unreadable path says which", () =>
    expect(() => readLock(folder)).toThrow(`the image lock ${folder} cannot be read`));

  test("the order of writing does not show", () =>
    expect(formatLock({ b: digest("b"), a: digest("a") })).toBe(
      formatLock({ a: digest("a"), b: digest("b") }),
    ));
});
