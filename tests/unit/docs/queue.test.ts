/** docs/queue.md promises nothing that no test shows. */
import * as fs from "node:fs";
import * as path from "node:path";

const ROOT = path.resolve(__dirname, "../../..");
const TESTS = path.join(ROOT, "tests");

const files = fs
  .readdirSync(TESTS, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".test.ts"));

function promises(): string[][] {
  const text = fs.readFileSync(path.join(ROOT, "docs/queue.md"), "utf8");
  const table = /\n\| event .*\n\| -.*\n((?:\|.*\n)+)/.exec(text)![1]!;
  return table
    .trim()
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()));
}

test.each(promises())("%s%s is shown", (_, event, _what, shown) => {
  // Nobody can promise it, and nobody does.
  if (event === "the host's disk is lost") return expect(shown).toBe("nothing");
  const [name, words] = shown.split(": ");
  const file = files.find((one) => path.basename(one) === `${name}.test.ts`);
  expect(fs.readFileSync(path.join(TESTS, file!), "utf8")).toContain(words);
});
