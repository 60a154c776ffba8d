/** What of two values of a resource is shown, and above all what is not. */
import { compareValues, partsOf } from "../../../../cli/preview/compare";
import { textDiff } from "../../../../cli/preview/textDiff";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const all = () => true;
const lines = (...args: Parameters<typeof compareValues>): string[] =>
  partsOf(compareValues(...args)).flatMap((part) => part.lines);

test("values are shown with their paths, by keys that a person would write", () => {
  const before = { a: { b: 1 }, "x.y": "old", same: true, gone: null, list: [{ n: 1 }] };
  const after = { a: { b: 2 }, "x.y": "new", same: true, list: [{ n: 1 }, { n: 2 }], made: "it" };
  expect(lines(before, after)).toEqual([
    "- a.b: 1",
    "+ a.b: 2",
    '- ["x.y"]: "old"',
    '+ ["x.y"]: "new"',
    "- gone: null",
    "+ list[1].n: 2",
    '+ made: "it"',
  ]);
});

test("a text is a diff with three lines around what differs, and a list one of a word a line", () => {
  const text = (word: string) => ["1", "2", "3", "4", word, "6", "7", "8", "9", ""].join("\n");
  const found = compareValues({ conf: text("five") }, { conf: text("5") });
  expect(found.texts).toEqual([
    { path: "conf", lines: ["@@ -2,7 +2,7 @@", " 2", " 3", " 4", "-five", "+5", " 6", " 7", " 8"] },
  ]);
  expect(lines({ args: ["a", "b"] }, { args: ["a", "x", "b"] })).toContain('+"x"');
  expect(lines({ args: ["a", "b"] }, { args: ["a", "x", "b"] })).not.toContain('-"b"');
  expect(textDiff("one", "one\n")).toContain("\\ No newline at end of file");
});

test("a secret is never shown: not its value, not what it was, not what it becomes", () => {
  expect(lines({ p: "[secret]" }, { p: "[secret]" })).toEqual([]);
  expect(lines({ p: "[secret]" }, { p: "[secret]" }, all)).toEqual([
    "- p: (secret)",
    "+ p: (another secret)",
  ]);
  expect(lines({}, { p: "[secret]" })).toEqual(["+ p: (secret)"]);
  expect(lines({ p: "[secret]" }, { p: "hunter2" })).toEqual([
    "- p: (secret)",
    "+ p: (NO LONGER MARKED AS A SECRET; not shown)",
  ]);
  for (const plain of ["hunter2", "hunter2\nhunter2\n", ["hunter2"], { deep: ["hunter2"] }]) {
    for (const pair of [
      [{ p: plain }, { p: "[secret]" }],
      [{ p: "[secret]" }, { p: plain }],
    ])
      expect(lines(pair[0], pair[1], all).join("\n")).not.toContain("hunter2");
  }
});

test("another secret in a list or a map is seen where the plugin sees it, though both sides look the same", () => {
  const touched = (path: string) => ["", "env", "env[1]", "map", "map.key"].includes(path);
  const value = { env: ["a", "[secret]"], map: { key: "[secret]", other: "[secret]" } };
  expect(lines(value, value, touched)).toEqual([
    "- env[1]: (secret)",
    "+ env[1]: (another secret)",
    "- map.key: (secret)",
    "+ map.key: (another secret)",
  ]);
  expect(lines({ env: ["a", "[secret]"] }, { env: ["b", "[secret]"] })).toEqual([
    '- env[0]: "a"',
    '+ env[0]: "b"',
  ]);
});

test("what nobody marked and looks like a secret all the same is not spread either", () => {
  const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
  const told = lines(
    {},
    { api_token: "hunter2", content: key, secretName: "a-name", token: "/run/secrets/it" },
  );
  expect(told).toEqual([
    "+ api_token: (looks like a secret; not shown)",
    "+ content: (looks like a secret; not shown)",
    '+ secretName: "a-name"',
    '+ token: "/run/secrets/it"',
  ]);
  expect(lines({ content: key }, { content: "none\n" }).join()).not.toContain("AAAA");
});

test("values that only the host knows are marked, with their path", () => {
  const found = compareValues(
    { id: "1", text: "a\nb\n", list: ["a"] },
    { id: UNKNOWN, text: UNKNOWN, list: ["a", UNKNOWN], new: { deep: UNKNOWN } },
  );
  expect(found.unknown).toEqual(["id", "text", "list[1]", "new.deep"]);
  expect(partsOf(found).flatMap((part) => part.lines)).not.toContain(UNKNOWN);
  expect(found.values).toContain("+ id: (known after the host has answered)");
});

test("a value too long to read is named by its length, with its path", () => {
  expect(lines({}, { blob: "x".repeat(5000) })).toEqual(["+ blob: (a value of 5,002 characters)"]);
  expect(textDiff("a\n", `${"x".repeat(2000)}\n`)).toEqual([
    "@@ -1,1 +1,1 @@",
    "-a",
    "+ (a line of 2,001 characters)",
  ]);
});

test("a thing that becomes another kind of thing shows both", () => {
  expect(lines({ v: { a: 1 } }, { v: 3 })).toEqual(['- v: {"a":1}', "+ v: 3"]);
  expect(lines({ v: ["a"] }, { v: { a: 1 } })).toEqual(expect.arrayContaining(['- v[0]: "a"', "+ v[a]: 1"]));
  expect(lines({ __defaults: [] }, { __defaults: ["x"] })).toEqual([]);
});
