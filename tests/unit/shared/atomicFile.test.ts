import { mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFolder, writeAtomically } from "../../../shared/atomicFile";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "atomic-"))));
afterEach(() => rmSync(folder, { recursive: true }));

test("a file is replaced whole, with the mode that was asked for", () => {
  const file = join(folder, "file");
  writeFileSync(file, "before");
  writeAtomically(file, "after", 0o600);
  expect(readFileSync(file, "utf8")).toBe("after");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["file"]);
});

test("a file that cannot be replaced leaves no draft", () => {
  mkdirSync(join(folder, "target", "x"), { recursive: true });
  expect(() => writeAtomically(join(folder, "target"), "text")).toThrow(/EISDIR|ENOTEMPTY/);
  expect(readdirSync(folder)).toEqual(["target"]);
});

test("a folder is made once", () => {
  const target = join(folder, "made");
  const fill = jest.fn((draft: string) => writeFileSync(join(draft, "a"), "1"));
  makeFolder(target, fill);
  makeFolder(target, fill);
  expect(readdirSync(folder)).toEqual(["made"]);
  expect(readFileSync(join(target, "a"), "utf8")).toBe("1");
  expect(fill).toHaveBeenCalledTimes(1);
});

test("of two runs that make a folder at once the first one's stays", () => {
  const target = join(folder, "made");
  makeFolder(target, (draft) => {
    writeFileSync(join(draft, "a"), "second");
    makeFolder(target, (other) => writeFileSync(join(other, "a"), "first"));
  });
  expect(readFileSync(join(target, "a"), "utf8")).toBe("first");
  expect(readdirSync(folder)).toEqual(["made"]);
});

test("a folder that cannot be filled is not there", () => {
  const fill = () => {
    throw new Error("no room");
  };
  expect(() => makeFolder(join(folder, "made"), fill)).toThrow("no room");
  expect(readdirSync(folder)).toEqual([]);
});
