/** What stands in for the variables of a stack.yml that are not set: whatever the place takes, and the same on both sides. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { dummiesFor } from "../../../../cli/preview/variables";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
const text = (name: string) => `dummy-for-the-preview-of-${name}`;
let dir: string;
let count = 0;

beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-variables-"));
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

/** A project with one environment. @param lines of its one function; `undefined` for a side without the environment */
function side(...lines: string[]): string {
  const tree = path.join(dir, String(count++));
  const write = (file: string, content: string) => {
    fs.mkdirSync(path.join(tree, path.dirname(file)), { recursive: true });
    fs.writeFileSync(path.join(tree, file), content);
  };
  fs.mkdirSync(path.join(tree, "templates/node"), { recursive: true });
  write(
    "stacks/Pulumi.e.yaml",
    `config:\n  oslo-faas:host: {address: 192.0.2.1, hostKey: "${KEY}"}\n  oslo-faas:functions: ./functions/stack.yml\n`,
  );
  write(
    "functions/stack.yml",
    ["provider:", "  name: openfaas", "functions:", "  f:", ...lines.map((line) => `    ${line}`), ""].join(
      "\n",
    ),
  );
  return tree;
}
const IMAGE = "image: ghcr.io/a/b:1";
const of = (...lines: string[]) => dummiesFor("e", [side(IMAGE, ...lines)], {});

test("a text, where any will do; none for what is set or has a default", () => {
  expect(of("environment:", '  a: "${A}-${B:-b}-${C}"')).toEqual({
    values: { A: text("A"), C: text("C") },
    unfit: [],
  });
  expect(dummiesFor("e", [side(IMAGE, "environment:", '  a: "${A}"')], { A: "" })).toEqual({
    values: {},
    unfit: [],
  });
});

test.each([
  ["an amount of memory", ["limits:", '  memory: "${V}"'], "1"],
  ["the number of one", ["requests:", '  memory: "${V}Mi"'], "1"],
  ["a share of a processor", ["limits:", '  cpu: "${V}"'], "1"],
  ["a number of replicas", ["labels:", '  com.openfaas.scale.min: "${V}"'], "1"],
  [
    "one that is not less than another",
    ["labels:", '  com.openfaas.scale.min: "5"', '  com.openfaas.scale.max: "${V}"'],
    "1000",
  ],
  ["a switch", ['readonly_root_filesystem: "${V}"'], "true"],
  ["a constraint", ["constraints:", '  - "${V}"'], "dummy==V"],
  ["what a constraint is about", ["constraints:", '  - "node.labels.disk == ${V}"'], text("V")],
])("%s", (_name, lines, value) => {
  expect(of(...lines)).toEqual({ values: { V: value }, unfit: [] });
});

test.each([
  ["${V}", text("v")],
  ["${V}/b:1", text("V")],
  ["ghcr.io/a/b:${V}", text("V")],
])("an image: %s", (image, value) => {
  expect(dummiesFor("e", [side(`image: "${image}"`)], {}).values).toEqual({ V: value });
});

test("several at once, of which one hides what is wrong with another, and one stands in two places", () => {
  const lines = [
    'readonly_root_filesystem: "${READONLY}"',
    "limits:",
    '  memory: "${AMOUNT}"',
    '  cpu: "${AMOUNT}"',
    "environment:",
    '  a: "${AMOUNT} ${TEXT}"',
  ];
  expect(of(...lines)).toEqual({
    values: { AMOUNT: "1", READONLY: "true", TEXT: text("TEXT") },
    unfit: [],
  });
});

test("the same on both sides: what fits both", () => {
  const base = side(IMAGE, "environment:", '  a: "${V}"');
  const head = side(IMAGE, "limits:", '  memory: "${V}"');
  for (const trees of [
    [base, head],
    [head, base],
  ])
    expect(dummiesFor("e", trees, {}).values).toEqual({ V: "1" });
  expect(dummiesFor("e", [path.join(dir, "nowhere"), base], {}).values).toEqual({ V: text("V") });
});

test("where nothing fits, that is said; another mistake is nobody's dummy's", () => {
  expect(of("namespace: ${V}").unfit).toEqual(["V"]);
  expect(of("lang: node", "handler: ./${V}").unfit).toEqual(["V"]);
  expect(of("constraints: [none]", "limits:", '  memory: "${V}"')).toEqual({ values: { V: "1" }, unfit: [] });
});

test("a side whose file is missing or is no YAML, or that has no templates, has no say", () => {
  const broken = side(IMAGE, "environment: [");
  const without = side("lang: node", "handler: ./f", IMAGE);
  fs.rmSync(path.join(without, "templates"), { recursive: true });
  const missing = side(IMAGE);
  fs.rmSync(path.join(missing, "functions"), { recursive: true });
  const head = side(IMAGE, "limits:", '  memory: "${V}"');
  for (const base of [broken, without, missing])
    expect(dummiesFor("e", [base, head], {})).toEqual({ values: { V: "1" }, unfit: [] });
});
