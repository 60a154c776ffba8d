/** Templates from a git repository, made here as openfaas/templates is laid out. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pullTemplates, refOf } from "../../../../cli/functions/templates";

let root: string;
let source: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-pull-"));
  source = path.join(root, "source");
  fs.mkdirSync(source);
  git("init", "--quiet", "--initial-branch=main");
  commit("one");
  git("tag", "v1");
  stack(source);
});
afterEach(() => fs.rmSync(root, { recursive: true }));

function git(...args: string[]): string {
  const who = ["-c", "user.name=Kari", "-c", "user.email=kari@example.no", "-c", "commit.gpgsign=false"];
  return execFileSync("git", ["-C", source, ...who, ...args], { encoding: "utf8" }).trim();
}
function commit(word: string): string {
  for (const lang of ["ruby-http", "other"]) {
    const folder = path.join(source, "template", lang);
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, "template.yml"), `language: ${lang}\n`);
    fs.writeFileSync(path.join(folder, "word"), word);
  }
  git("add", "-A");
  git("commit", "--quiet", "-m", word);
  return git("rev-parse", "HEAD");
}
const stack = (from: string, name = "ruby-http") => {
  fs.mkdirSync(path.join(root, "fn"), { recursive: true });
  fs.writeFileSync(
    path.join(root, "fn/stack.yml"),
    `provider: { name: openfaas }
configuration:
  templates: [{ name: ${name}, source: "${from}" }]
functions:
  a: { lang: ${name}, handler: ./a, image: "a:1" }
`,
  );
};
const pull = async (update = false) => {
  const lines: string[] = [];
  await pullTemplates({ root, stacks: ["fn/stack.yml"], update, say: (line) => lines.push(line) });
  return lines;
};
const word = (name = "ruby-http") => fs.readFileSync(path.join(root, "fn/template", name, "word"), "utf8");
const locked = (): Record<string, string> =>
  JSON.parse(fs.readFileSync(path.join(root, "template.lock.json"), "utf8")).sources;

test("the lock file pins the commit until it is moved on purpose", async () => {
  const first = git("rev-parse", "HEAD");
  expect(await pull()).toEqual([
    `fn/template/ruby-http: ${source} at ${first.slice(0, 12)}`,
    "template.lock.json pins its commit; commit it together with template/.",
  ]);
  expect(fs.readdirSync(path.join(root, "fn/template"))).toEqual(["ruby-http"]);
  const second = commit("two");
  fs.rmSync(path.join(root, "fn/template"), { recursive: true });
  await pull();
  expect([word(), locked()]).toEqual(["one", { [source]: first }]);
  await pull(true);
  expect([word(), locked()]).toEqual(["two", { [source]: second }]);
});

test.each([
  ["a tag", () => "v1", "one"],
  ["a branch", () => (git("branch", "next"), "next"), "two"],
  ["a commit, as faas-cli writes it", () => `sha-${git("rev-parse", "v1").slice(0, 10)}`, "one"],
])("a source names %s", async (_what, ref, expected) => {
  commit("two");
  stack(`${source}#${ref()}`);
  await pull();
  expect(word()).toBe(expected);
});

test("a template with its tag in its name lies under that name", async () => {
  stack(`${source}#v1`, "ruby-http@v1");
  await pull();
  expect(word("ruby-http@v1")).toBe("one");
});

test.each<[string, () => void, string]>([
  ["no such template", () => stack(source, "none"), "has no template/none at"],
  ["no such ref", () => stack(`${source}#nothing`), 'there is no branch, tag or commit "nothing"'],
  ["no repository", () => stack(path.join(root, "nowhere")), "git clone"],
  ["an option for git", () => stack("--upload-pack=x"), '"--upload-pack=x" is not a git repository'],
  ["a way out of the folder", () => stack(source, "../up"), '"../up" is not the name of a template'],
  [
    "no source",
    () => fs.writeFileSync(path.join(root, "fn/stack.yml"), "functions: {}\n"),
    "there is no source",
  ],
  ["a broken lock", () => fs.writeFileSync(path.join(root, "template.lock.json"), "{"), "cannot be read"],
])("%s is refused, and nothing is written", async (_name, prepare, message) => {
  prepare();
  await expect(pull()).rejects.toThrow(message);
  expect(fs.existsSync(path.join(root, "fn/template"))).toBe(false);
});

test("a commit that is gone from the repository is named, with what moves the lock", async () => {
  const lost = "a".repeat(40);
  fs.writeFileSync(
    path.join(root, "template.lock.json"),
    JSON.stringify({ version: 1, sources: { [source]: lost } }),
  );
  await expect(pull()).rejects.toThrow(`there is no commit ${lost}; \`--update\` moves template.lock.json`);
});

test("what stands behind # is the ref", () => {
  expect(refOf("https://example.no/t.git#v1")).toEqual({ repository: "https://example.no/t.git", ref: "v1" });
  expect(refOf("https://example.no/t.git").ref).toBe("");
});
