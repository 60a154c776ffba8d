import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { functionImages, withoutMaking } from "../../../../lab/images/functions";

const ROOT = path.resolve(__dirname, "../../../..");
let root: string;
let before: string;

const write = (name: string, text: string) => {
  fs.mkdirSync(path.dirname(name), { recursive: true });
  fs.writeFileSync(name, text);
};

beforeEach(() => {
  before = process.cwd();
  root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-lab-functions-"));
  process.chdir(root);
  for (const part of ["templates", "stacks/Pulumi.local.yaml", "stacks/base.yaml"])
    fs.cpSync(path.join(ROOT, part), path.join(root, part), { recursive: true });
  write("functions/images.yml", "provider: { name: openfaas }\nfunctions: {}\n");
});
afterEach(() => {
  process.chdir(before);
  fs.rmSync(root, { recursive: true });
});

const stack = (functions: string) =>
  write("functions/stack.yml", `provider: { name: openfaas }\nfunctions:\n${functions}`);
const images = () => functionImages(root).map(({ name, bases }) => [name, bases]);

test("the lab builds what the stack's files hold, each on the base of its language", () => {
  write("functions/hei/handler.py", "def handle(event, context):\n    return 'hei'\n");
  write("functions/js/handler.js", "module.exports = () => 'hei';\n");
  write("functions/go/handler.go", "package function\n");
  write("functions/own/Dockerfile", "ARG PYTHON_IMAGE\nFROM ${PYTHON_IMAGE}\n");
  stack(`  hei: { lang: python, handler: ./hei, image: "ghcr.io/team/hei:1" }
  js: { lang: node, handler: ./js, image: js }
  go: { lang: go, handler: ./go, image: "go:1" }
  own: { lang: dockerfile, handler: ./own, image: "own:1" }
`);
  expect(images()).toEqual([
    ["team/hei:1", ["python"]],
    ["library/js:latest", ["node"]],
    ["library/go:1", []],
    ["library/own:1", ["python"]],
  ]);
});

test("an image that is made elsewhere is fetched by the machine's engine", async () => {
  const image = `ghcr.io/team/made@sha256:${"a".repeat(64)}`;
  stack(`  made: { image: "${image}", skip_build: true }\n`);
  const [made] = functionImages(root);
  expect(made!.name).toBe("team/made:latest");
  expect(await made!.context({} as never)).toEqual({
    Dockerfile: { kind: "file", mode: 0o644, text: `FROM ${image}\n` },
  });
});

test("functions share an image only when it is the same", () => {
  write("functions/one/handler.js", "module.exports = () => 1;\n");
  write("functions/two/handler.js", "module.exports = () => 1;\n");
  stack(`  one: { lang: node, handler: ./one, image: "same:1" }
  two: { lang: node, handler: ./two, image: "same:1" }
`);
  expect(images()).toEqual([["library/same:1", ["node"]]]);
  write("functions/two/handler.js", "module.exports = () => 2;\n");
  expect(images).toThrow("Two functions with different handlers have the same image library/same:1");
});

test("mistakes are told before anything is built", () => {
  stack(`  one: { lang: node, handler: ./nowhere, image: "one:1" }\n`);
  expect(images).toThrow(
    "functions/stack.yml:3: functions.one.handler: the folder functions/nowhere does not exist",
  );
});

test.each(["go", "python"])(
  "what was made beforehand stands in for the stages of the %s template that make it",
  (lang) => {
    const text = fs.readFileSync(path.join(__dirname, "../../../../templates", lang, "Dockerfile"), "utf8");
    const short = withoutMaking(text);
    expect(short.match(/^FROM .*/gm)!.at(-1)).toBe("FROM base");
    expect(short.match(/^FROM /gm)).toHaveLength(2);
    expect(short).toContain("\nCOPY out/ /\n");
    expect(short).not.toContain("--from");
    // A builder without BuildKit builds every stage, and has no out/.
    expect(text).not.toMatch(/^COPY out\//m);
  },
);
