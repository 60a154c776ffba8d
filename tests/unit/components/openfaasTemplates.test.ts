/** Templates of OpenFaaS's form, made here: what faas-cli 0.18 does with them is what is done with them. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { readFunctions } from "../../../components/functions/files";
import { baseParts, packFunction } from "../../../components/functions/build";
import { filesOf, write } from "./folder";

let root: string;
let before: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-openfaas-"));
  before = process.cwd();
  process.chdir(root);
  write("functions/template/python3-http/Dockerfile", DOCKERFILE);
  write("functions/template/python3-http/index.py", "import function.handler\n");
  write("functions/template/python3-http/function/requirements.txt", "");
  write("functions/template/python3-http/function/handler.py", "# a sample\n");
  write("functions/template/python3-http/meta.json", '{"written_at": "now"}');
  write("functions/template/python3-http/template.yml", TEMPLATE);
  write("functions/hei/handler.py", "def handle(event, context):\n    return 'hei'\n");
});
afterEach(() => {
  process.chdir(before);
  fs.rmSync(root, { recursive: true });
});

const DOCKERFILE = `ARG PYTHON_VERSION=3.12
ARG PYTHON_IMAGE=python:3.12
FROM --platform=\${TARGETPLATFORM:-linux/amd64} ghcr.io/openfaas/of-watchdog:0.11.6 AS watchdog
FROM \${PYTHON_IMAGE}
ARG ADDITIONAL_PACKAGE
COPY --from=watchdog /fwatchdog /usr/bin/fwatchdog
COPY . .
`;
const TEMPLATE = `language: python3-http
fprocess: python index.py
welcome_message: |
  You have made a Python function.
build_options:
  - name: dev
    packages: [make, gcc, make]
  - name: none
    packages: []
`;
const STACK = "functions/stack.yml";
const read = (keys: string, more = "") => {
  write(
    STACK,
    `provider: { name: openfaas }\n${more}functions:\n  hei:\n    image: example/hei:1\n    ${keys}\n`,
  );
  return readFunctions([{ stack: STACK }], { secrets: [], builds: true, variables: {} });
};
const PYTHON = "lang: python3-http\n    handler: ./hei\n    ";

test("a folder template/<lang> beside the stack.yml is laid out with the handler over its sample", () => {
  const { functions, problems } = read(PYTHON);
  expect(problems).toEqual([]);
  const { build, spec } = functions[0]!;
  expect(spec.envProcess).toBe("python index.py");
  const { folder, args } = packFunction("hei", build!, STACK, {});
  expect(filesOf(folder)).toEqual([
    "Dockerfile",
    "function/handler.py",
    "function/requirements.txt",
    "index.py",
    "template.yml",
  ]);
  expect(fs.readFileSync(path.join(folder, "function/handler.py"), "utf8")).toContain("return 'hei'");
  expect(fs.readFileSync(path.join(folder, "Dockerfile"), "utf8")).toBe(DOCKERFILE);
  expect(args).toEqual({ ADDITIONAL_PACKAGE: "", SOURCE_DATE_EPOCH: "1577836800" });
  expect(baseParts(build!, STACK)).toEqual(["python"]);
});

test("the function's own fprocess overrides the template's", () => {
  expect(read(`${PYTHON}fprocess: python other.py`).functions[0]!.spec.envProcess).toBe("python other.py");
  const variable = read(`${PYTHON}environment: { fprocess: cat }`);
  expect([variable.functions[0]!.spec.envProcess, variable.problems]).toEqual([undefined, []]);
});

test("build_options are packages in ADDITIONAL_PACKAGE, sorted, once each, with those of build_args", () => {
  const { functions, problems } = read(
    `${PYTHON}build_options: [dev]\n    build_args: { ADDITIONAL_PACKAGE: "libffi  gcc" }`,
  );
  expect(problems).toEqual([]);
  const { args } = packFunction("hei", functions[0]!.build!, STACK, {});
  expect(args.ADDITIONAL_PACKAGE).toBe("gcc libffi make");
});

test("handler_folder says where the handler and configuration.copy go", () => {
  write("functions/template/python3-http/template.yml", "handler_folder: src/app\n");
  write("functions/common/words.json", "{}");
  const { functions, problems } = read(PYTHON, "configuration: { copy: [common] }\n");
  expect(problems).toEqual([]);
  expect(filesOf(packFunction("hei", functions[0]!.build!, STACK, {}).folder)).toEqual([
    "Dockerfile",
    "function/handler.py",
    "function/requirements.txt",
    "index.py",
    "src/app/common/words.json",
    "src/app/handler.py",
    "template.yml",
  ]);
});

test("a template beside the stack.yml overrides one of the same name of the project", () => {
  write("template/python3-http/template.yml", "fprocess: other\n");
  write("templates/python3-http/Dockerfile", "FROM scratch\n");
  expect(read(PYTHON).functions[0]!.spec.envProcess).toBe("python index.py");
  fs.rmSync("functions/template", { recursive: true });
  write("template/python3-http/Dockerfile", "FROM scratch\n");
  expect(read(PYTHON).functions[0]!.spec.envProcess).toBe("other");
});

test.each<[string, string, string, string]>([
  ["an option that it has not", "", "build_options: [prod]", ":7: functions.hei.build_options: functions/template/python3-http/template.yml has no prod; it has dev, none"], // prettier-ignore
  ["an argument that its Dockerfile has not", "", "build_args: { X: y }", ":7: functions.hei.build_args.X: functions/template/python3-http/Dockerfile takes no such argument"], // prettier-ignore
  ["a handler folder outside", "handler_folder: ../up\n", "", ":5: functions.hei.lang: functions/template/python3-http/template.yml: handler_folder: ../up must be a folder"], // prettier-ignore
  ["keys of a developer", "mount_ssh: true\n", "", ":5: functions.hei.lang: functions/template/python3-http/template.yml: mount_ssh: the engine that builds gets no keys"], // prettier-ignore
  ["text that is no YAML", "a: [\n", "", ":5: functions.hei.lang: functions/template/python3-http/template.yml:2: Flow sequence"], // prettier-ignore
])("%s is told with its place", (_name, template, keys, expected) => {
  if (template) write("functions/template/python3-http/template.yml", template);
  expect(read(`${PYTHON}${keys}`).problems).toEqual([expect.stringContaining(`${STACK}${expected}`)]);
});

test("a template that was not fetched yet is told with the command that fetches it", () => {
  fs.rmSync("functions/template", { recursive: true });
  const source =
    "configuration:\n  templates: [{ name: python3-http, source: https://example.no/templates#v1 }]\n";
  expect(read(PYTHON, source).problems).toEqual([
    `${STACK}:7: functions.hei.lang: there is no functions/template/python3-http yet: npx oslo-faas functions templates pull --file ${STACK}`,
  ]);
});
