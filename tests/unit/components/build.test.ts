import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { readFunctions } from "../../../components/functions/files";
import { BASES, baseParts, leftOutFolders, packFunction } from "../../../components/functions/build";
import { languages } from "../../../components/functions/templates";
import { packService } from "../../../components/images/service";
import { filesOf, write } from "./folder";

const ROOT = path.resolve(__dirname, "../../..");
let root: string;
let before: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-context-"));
  fs.cpSync(path.join(ROOT, "templates"), path.join(root, "templates"), { recursive: true });
  before = process.cwd();
  process.chdir(root);
});
afterEach(() => {
  process.chdir(before);
  fs.rmSync(root, { recursive: true });
});

const build = (more: object = {}) => ({ lang: "node", handler: "./hei", args: {}, copy: [], ...more });
const pack = (more: object = {}, bases: Record<string, string> = { NODE_IMAGE: "node@sha256:ab" }) =>
  packFunction("hei", build(more), "fn/stack.yml", bases);

test("a context is the template with the handler in it, and with what configuration.copy names", () => {
  write("fn/hei/handler.js", "module.exports = () => 'hei';\n");
  write("fn/hei/node_modules/x/index.js", "");
  write("fn/common/words.json", "{}\n");
  const { folder, args } = pack({ copy: ["./common"] });
  expect(filesOf(folder)).toEqual([
    "Dockerfile",
    "function/common/words.json",
    "function/handler.js",
    "index.js",
    "install.js",
  ]);
  expect(args).toEqual({ NODE_IMAGE: "node@sha256:ab", SOURCE_DATE_EPOCH: "1577836800" });
  expect(path.isAbsolute(folder)).toBe(false);
});

test("a Dockerfile of one's own is built as it is", () => {
  write("fn/hei/Dockerfile", "FROM scratch\n");
  write("fn/hei/hei", "");
  expect(filesOf(pack({ lang: "dockerfile" }, {}).folder)).toEqual(["Dockerfile", "hei"]);
});

test("the same content gives the same context for every user and time", () => {
  write("fn/hei/handler.js", "one\n");
  const first = pack();
  const found = fs.statSync(path.join(first.folder, "function/handler.js"));
  expect([found.mtime.toISOString(), found.mode & 0o777]).toEqual(["2020-01-01T00:00:00.000Z", 0o644]);
  fs.rmSync(".cache", { recursive: true });
  fs.chmodSync("fn/hei/handler.js", 0o600);
  fs.utimesSync("fn/hei/handler.js", 1, 1);
  expect(pack()).toEqual(first);
});

test.each<[string, () => { hash: string }]>([
  ["the handler", () => (write("fn/hei/handler.js", "two\n"), pack())],
  ["a name", () => (fs.renameSync("fn/hei/handler.js", "fn/hei/other.js"), pack())],
  ["the template", () => (fs.appendFileSync("templates/node/index.js", "\n"), pack())],
  ["an argument", () => pack({ args: { A: "b" } })],
  ["the base", () => pack({}, { NODE_IMAGE: "node@sha256:cd" })],
  ["whether it may be run", () => (fs.chmodSync("fn/hei/handler.js", 0o755), pack())],
])("another context comes of another: %s", (_what, change) => {
  write("fn/hei/handler.js", "one\n");
  const first = pack();
  expect(pack().hash).toBe(first.hash);
  expect(change().hash).not.toBe(first.hash);
});

test("what goes into no image makes no other one", () => {
  write("fn/hei/handler.js", "one\n");
  const first = pack();
  write("fn/hei/handler.test.js", "// a test\n");
  write("fn/hei/testdata/a.txt", "");
  write("fn/hei/.gitignore", "x\n");
  expect(pack().hash).toBe(first.hash);
  write("fn/go/handler.go", "package function\n");
  const go = pack({ lang: "go", handler: "./go" });
  write("fn/go/handler_test.go", "package function\n");
  expect(pack({ lang: "go", handler: "./go" }).hash).toBe(go.hash);
});

test("what .dockerignore names goes into no image", () => {
  write("fn/hei/Dockerfile", "FROM scratch\nCOPY . .\n");
  write("fn/hei/app", "");
  const first = pack({ lang: "dockerfile" }, {});
  write("fn/hei/.dockerignore", "*.md\n# a comment\n");
  write("fn/hei/notes.md", "x\n");
  const second = pack({ lang: "dockerfile" }, {});
  expect(filesOf(second.folder)).toEqual(["Dockerfile", "app"]);
  expect(second.hash).toBe(first.hash);
});

test("folders named build, template or testdata stay out at the handler's top only, and are named", () => {
  write("fn/hei/handler.js", "one\n");
  for (const folder of ["build", "template", "testdata"]) {
    write(`fn/hei/${folder}/a.txt`, "");
    write(`fn/hei/emails/${folder}/a.txt`, "");
    write(`fn/common/${folder}/a.txt`, "");
  }
  const files = filesOf(pack({ copy: ["common"] }).folder).filter((file) => file.endsWith(".txt"));
  expect(files).toEqual(
    ["common", "emails"].flatMap((parent) =>
      ["build", "template", "testdata"].map((folder) => `function/${parent}/${folder}/a.txt`),
    ),
  );
  expect(leftOutFolders(build(), "fn/stack.yml")).toEqual([
    "fn/hei/build",
    "fn/hei/template",
    "fn/hei/testdata",
  ]);
});

test("a link is refused: a build elsewhere would not find where it leads", () => {
  write("fn/hei/handler.js", "one\n");
  fs.symlinkSync("/etc/hostname", "fn/hei/hostname");
  expect(() => pack()).toThrow("fn/hei/hostname is a symbolic link");
});

test("what cannot be built is told before anything is, each with its line", () => {
  write("fn/a/handler.js", "");
  write("fn/b/Dockerfile", "ARG NODE_IMAGE=x\nFROM ${NODE_IMAGE}\n");
  const entry = (name: string, lines: string) => `  ${name}:\n    image: x\n${lines}`;
  write(
    "fn/stack.yml",
    "provider: { name: openfaas }\nconfiguration: { copy: [../up, none] }\nfunctions:\n" +
      entry("php", "    lang: php7\n    handler: ./a\n") +
      entry("lost", "    lang: node\n    handler: ./lost\n") +
      entry("own", "    lang: dockerfile\n    handler: ./a\n") +
      entry(
        "args",
        "    lang: dockerfile\n    handler: ./b\n    build_args: { NODE_IMAGE: y, GO_IMAGE: z }\n",
      ) +
      entry("astray", "    lang: python\n    handler: ./fn/a\n") +
      entry("bare", "    lang: python\n    handler: ./a\n    build_args: { NONE: x }\n") +
      entry("elsewhere", "    lang: php7\n    handler: ./a\n    skip_build: true\n"),
  );
  const read = (builds: boolean) =>
    readFunctions([{ stack: "fn/stack.yml" }], { secrets: [], builds, variables: {} }).problems;
  expect(read(true)).toEqual([
    'fn/stack.yml:6: functions.php.lang: there is no template "php7". Templates: dockerfile, go, node, python. One of OpenFaaS\'s is a folder template/php7 beside fn/stack.yml, which `npx oslo-faas functions templates pull` fetches from a source under configuration.templates. For an image that is built elsewhere, set skip_build: true',
    "fn/stack.yml: configuration.copy: ../up: is not below fn",
    "fn/stack.yml: configuration.copy: none: no such file or folder",
    "fn/stack.yml:11: functions.lost.handler: the folder fn/lost does not exist",
    "fn/stack.yml:15: functions.own.handler: fn/a/Dockerfile does not exist; `lang: dockerfile` needs it",
    "fn/stack.yml:20: functions.args.build_args.GO_IMAGE: fn/b/Dockerfile takes no such argument; it has NODE_IMAGE",
    "fn/stack.yml:24: functions.astray.handler: the folder fn/fn/a does not exist; paths are relative to fn/stack.yml: write ./a",
    "fn/stack.yml:28: functions.bare.handler: fn/a/handler.py does not exist; `lang: python` needs it",
    "fn/stack.yml:29: functions.bare.build_args.NONE: templates/python/Dockerfile takes no such argument; it has PYTHON_IMAGE",
  ]);
  expect(read(false)).toEqual([]);
});

test("every template takes its base by an argument, ends as nobody, and looks after its health", () => {
  expect(languages()).toEqual(["dockerfile", ...Object.keys(BASES).sort()].sort());
  for (const [lang, base] of Object.entries(BASES)) {
    const text = fs.readFileSync(`templates/${lang}/Dockerfile`, "utf8");
    expect(text).toMatch(new RegExp(`^ARG ${base.toUpperCase()}_IMAGE=`, "m"));
    // The compiler and what it wrote beside the program are in a stage of their own.
    expect(text.match(/^FROM /gm)!.length).toBeGreaterThan(1);
    expect(text.match(/^USER .*$/gm)!.at(-1)).toBe("USER 65532:65532");
    expect(text).toMatch(/^HEALTHCHECK .* CMD \[/m);
    expect(text).toMatch(/^ENTRYPOINT \[/m);
  }
});

test("a Dockerfile of one's own takes the environment's bases by their arguments, those that stack.yml gives aside", () => {
  write("functions/thumbs/Dockerfile", "ARG NODE_IMAGE=node:22\nFROM ${NODE_IMAGE}\n");
  write("functions/greet/Dockerfile", "ARG GO_IMAGE=golang:1.26\nFROM ${GO_IMAGE}\n");
  const build = { lang: "dockerfile", handler: "./thumbs", args: {}, copy: [] };
  expect(baseParts(build, "functions/stack.yml")).toEqual(["node"]);
  expect(baseParts({ ...build, handler: "./greet" }, "functions/stack.yml")).toEqual(["go"]);
  expect(baseParts({ ...build, args: { NODE_IMAGE: "node:24" } }, "functions/stack.yml")).toEqual([]);
  expect(baseParts({ ...build, handler: "./none" }, "functions/stack.yml")).toEqual([]);
});

test("a service has another tag on another base image and with other sources, shared ones too", () => {
  write("shared/word.ts", "");
  write("services/one/Dockerfile", "FROM scratch\n");
  write(
    "services/build.mjs",
    'import fs from "node:fs"; fs.mkdirSync(process.argv[3], { recursive: true });',
  );
  write("package-lock.json", "{}");
  const hash = (image: string) => packService("one", { NODE_IMAGE: image }).hash;
  expect(hash("node:22@sha256:b")).not.toBe(hash("node:22@sha256:a"));
  expect(hash("node:22@sha256:a")).toBe(hash("node:22@sha256:a"));
  write("package-lock.json", '{"a": 1}');
  const first = hash("node:22@sha256:a");
  write("services/one/Dockerfile", "FROM node\n");
  const second = hash("node:22@sha256:a");
  expect(second).not.toBe(first);
  write("shared/word.ts", "export const word = 1;\n");
  expect(hash("node:22@sha256:a")).not.toBe(second);
});
