/** Handlers that do not parse are errors of `validate`, with file and line. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { syntaxProblems } from "../../../cli/env/syntax";
import { readFunctions } from "../../../components/functions/files";

let root: string;
beforeEach(() => (root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-syntax-"))));
afterEach(() => fs.rmSync(root, { recursive: true }));

const write = (name: string, text: string) => {
  fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
  fs.writeFileSync(path.join(root, name), text);
};
async function problems(lang: string, files: Record<string, string>): Promise<string[]> {
  for (const [name, text] of Object.entries(files)) write(`fn/a/${name}`, text);
  write(
    "fn/stack.yml",
    `provider: { name: openfaas }\nfunctions:\n  a: { lang: ${lang}, handler: ./a, image: x }\n  b: { lang: ${lang}, handler: ./a, image: y }\n`,
  );
  const read = readFunctions([{ stack: "fn/stack.yml" }], { root, secrets: [], builds: true });
  expect(read.problems).toEqual([]);
  return syntaxProblems(read.functions, root);
}

test("Node", async () => {
  const files = { "handler.js": "module.exports = () => 1;\n", "lib/b.mjs": "export const a = await 1;\n" };
  expect(await problems("node", files)).toEqual([]);
  expect(await problems("node", { "handler.js": "\nmodule.exports = (=> 1;\n" })).toEqual([
    "fn/a/handler.js:2: SyntaxError: Unexpected token '=>'",
  ]);
});

test("Python", async () => {
  expect(await problems("python", { "handler.py": "def handle(event, context):\n    return 1\n" })).toEqual(
    [],
  );
  expect(await problems("python", { "handler.py": "def handl\n" })).toEqual([
    expect.stringMatching(/^fn\/a\/handler\.py:1: .*expected '\('/),
  ]);
});

test("Go, and never its tests, which go into no image", async () => {
  const files = { "handler.go": "package function\n", "handler_test.go": "package\n" };
  expect(await problems("go", files)).toEqual([]);
  expect(await problems("go", { "handler.go": "package function\nfunc (\n" })).toEqual([
    expect.stringMatching(/^fn\/a\/handler\.go:2:\d+: expected/),
  ]);
});

test("a template of OpenFaaS's is judged by its own build", async () => {
  write("fn/template/node/Dockerfile", "FROM scratch\n");
  write("fn/template/node/template.yml", "language: node\n");
  expect(await problems("node", { "handler.js": "(" })).toEqual([]);
});
