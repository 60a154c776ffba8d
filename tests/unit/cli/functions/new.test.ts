import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseStack } from "../../../../components/functions/stack";
import { create } from "../../../../cli/functions/new";

const ROOT = path.resolve(__dirname, "../../../..");
let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-new-"));
  fs.cpSync(path.join(ROOT, "templates"), path.join(root, "templates"), { recursive: true });
  fs.mkdirSync(path.join(root, "functions"));
});
afterEach(() => fs.rmSync(root, { recursive: true }));

const at = (file: string) => path.join(root, file);
const make = (name: string, lang: string, stack?: string) => {
  const lines: string[] = [];
  create(name, lang, { root, stack, say: (line) => lines.push(line) });
  return lines.join("\n");
};

test("the entry is added, and every other line of the file stays as it is", () => {
  const before = fs.readFileSync(path.join(ROOT, "functions/stack.yml"), "utf8");
  fs.writeFileSync(at("functions/stack.yml"), before);
  expect(make("hei", "node")).toContain("functions/hei: the handler");
  const after = fs.readFileSync(at("functions/stack.yml"), "utf8");
  expect(after).toBe(
    `${before}\n  hei:\n    lang: node\n    handler: ./hei\n    image: ghcr.io/oslo-faas/hei:dev\n    limits:\n      memory: 128Mi\n    readonly_root_filesystem: true\n`,
  );
  expect(fs.readdirSync(at("functions/hei")).sort()).toEqual(["handler.js", "package.json"]);
});

test.each(["node", "python", "go"])("a first function of %s makes the file", (lang) => {
  make("first", lang, "functions/new.yml");
  make("second", lang, "functions/new.yml");
  const found = parseStack(fs.readFileSync(at("functions/new.yml"), "utf8"), "new.yml");
  expect(found.map(({ spec, build }) => [spec.name, spec.image, build!.lang, build!.handler])).toEqual([
    ["first", "first:dev", lang, "./first"],
    ["second", "second:dev", lang, "./second"],
  ]);
});

test.each([
  ["Hei", "node", '"Hei" must be lower-case letters'],
  ["hei", "php", 'There is no template "php". Templates: go, node, python.'],
  ["there", "node", "functions/there already exists."],
  ["known", "node", "functions/stack.yml already has a function known."],
])("%s in %s is refused, and nothing is written", (name, lang, message) => {
  fs.mkdirSync(at("functions/there"));
  const text = "provider: { name: openfaas }\nfunctions:\n  known: { image: x }\n";
  fs.writeFileSync(at("functions/stack.yml"), text);
  expect(() => make(name, lang)).toThrow(message);
  expect(fs.readFileSync(at("functions/stack.yml"), "utf8")).toBe(text);
  expect(fs.existsSync(at("functions/hei"))).toBe(false);
});
