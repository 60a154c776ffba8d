import { parseStack, StackFileError } from "../../../components/functions/stack";

const stack = (body: string) => `provider:\n  name: openfaas\nfunctions:\n${body}`;

test("a function as the provider API takes it", () => {
  const [found] = parseStack(
    stack(`  resize:
    lang: node
    handler: ./resize
    image: ghcr.io/oslo-faas/resize:1
    environment: { size: 200, debug: true }
    labels: { com.openfaas.scale.min: 2 }
    limits: { memory: 128m }
    readonly_root_filesystem: true
`),
    "stack.yml",
  );
  expect(found!.spec).toEqual({
    name: "resize",
    image: "ghcr.io/oslo-faas/resize:1",
    envProcess: undefined,
    env: { size: "200", debug: "true" },
    secrets: [],
    labels: { "com.openfaas.scale.min": "2" },
    annotations: {},
    constraints: [],
    limits: { memory: "128m" },
    requests: undefined,
    readOnlyRootFilesystem: true,
  });
});

test("what is built is told from what is only run", () => {
  const built = (lines: string) => parseStack(stack(`  a:\n    image: x\n${lines}`), "f")[0]!.build;
  expect(built("    lang: dockerfile\n    handler: ./a\n    build_args: { V: 1 }\n")).toEqual({
    handler: "./a",
    args: { V: "1" },
  });
  expect(built("    lang: node\n    handler: ./a\n")).toBeUndefined();
  expect(built("    lang: dockerfile\n    handler: ./a\n    skip_build: true\n")).toBeUndefined();
});

test("variables have the environment's value, their default, or are named as missing", () => {
  const text = stack("  a:\n    image: ${REGISTRY:-ghcr.io}/a:${TAG}\n");
  expect(parseStack(text, "f", { TAG: "2" })[0]!.spec.image).toBe("ghcr.io/a:2");
  expect(parseStack(text, "f", { TAG: "2", REGISTRY: "r" })[0]!.spec.image).toBe("r/a:2");
  expect(() => parseStack(text, "f")).toThrow("${TAG}: has no value and no default");
});

test.each<[string, string, string[]]>([
  [
    "an unsupported key",
    "  a:\n    image: x\n    configuration: {}\n",
    ["functions.a.configuration: is not supported"],
  ],
  [
    "several at once",
    "  a:\n    image: x\n    one: 1\n    two: 2\n  B:\n    image: y\n",
    ["functions.a.one", "functions.a.two", "functions.B"],
  ],
  ["no image", "  a: {}\n", ["functions.a.image"]],
  ["a function twice", "  a:\n    image: x\n  a:\n    image: y\n", ["Map keys must be unique"]],
  ["text that is no YAML", "  a: [\n", ["Flow sequence"]],
])("refuses %s, naming it", (_name, body, expected) => {
  let problems: string[] = [];
  try {
    parseStack(stack(body), "stack.yml");
  } catch (error) {
    expect(error).toBeInstanceOf(StackFileError);
    expect((error as Error).message).toMatch(/^stack\.yml: /);
    problems = (error as StackFileError).problems;
  }
  expect(problems).toHaveLength(expected.length);
  expected.forEach((start, i) => expect(problems[i]).toContain(start));
});
