import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseEnvironment } from "../../../environment/parse";
import { readFunctions } from "../../../components/functions/files";
import { functionSchema, REFUSED } from "../../../components/functions/format";
import { parseEnvironmentFile, parseStack, StackFileError } from "../../../components/functions/stack";
import { substitute } from "../../../components/functions/substitute";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
const stack = (body: string) => `provider:\n  name: openfaas\nfunctions:\n${body}`;

test("a function as the provider API takes it", () => {
  const [found] = parseStack(
    stack(`  resize:
    lang: node
    handler: ./resize
    image: ghcr.io/oslo-faas/resize:1
    environment: { size: 200, debug: true, version: 1.10, mode: 0644, nothing: }
    labels: { com.openfaas.scale.min: 2 }
    secrets:
    limits: { memory: 128m }
    readonly_root_filesystem: yes
    namespace: openfaas-fn
`),
    "stack.yml",
  );
  expect(found!.spec).toEqual({
    name: "resize",
    image: "ghcr.io/oslo-faas/resize:1",
    envProcess: undefined,
    env: { size: "200", debug: "true", version: "1.10", mode: "0644", nothing: "" },
    secrets: [],
    labels: { "com.openfaas.scale.min": "2" },
    annotations: {},
    constraints: [],
    limits: { memory: "128m" },
    requests: undefined,
    readOnlyRootFilesystem: true,
  });
});

test("how long an up waits is an annotation that is not deployed", () => {
  const annotated = (value: string) =>
    parseStack(
      stack(`  a:\n    image: x\n    annotations: { topic: t, com.oslo-faas.wait-seconds: ${value} }\n`),
      "f",
    )[0]!.spec;
  expect(annotated("600")).toMatchObject({ waitSeconds: 600, annotations: { topic: "t" } });
  expect(Object.keys(annotated("600").annotations)).toEqual(["topic"]);
  for (const wrong of ["4", "1801", "5m", "1.5"])
    expect(() => annotated(wrong)).toThrow(
      `f:6: functions.a.annotations.com.oslo-faas.wait-seconds: "${wrong}" is not whole seconds from 5 to 1800`,
    );
});

test("what is built is told from what is only run", () => {
  const built = (lines: string) => parseStack(stack(`  a:\n    image: x\n${lines}`), "f")[0]!.build;
  expect(built("    lang: Dockerfile\n    handler: ./a\n    build_args: { V: 1 }\n")).toEqual({
    lang: "dockerfile",
    handler: "./a",
    args: { V: "1" },
    copy: [],
  });
  expect(built("    lang: dockerfile\n    handler: ./a\n    skip_build: true\n")).toBeUndefined();
  const uses = "  templates: [{ name: node }]\n  copy: [shared]\n";
  expect(built(`    lang: Node\n    handler: ./a\nconfiguration:\n${uses}`)).toMatchObject({
    copy: ["shared"],
  });
});

test("anchors and merge keys are YAML's own", () => {
  const text = `version: 1.0\n${stack("  a: &a\n    image: x\n    labels: { team: one }\n  b:\n    <<: *a\n    image: y\n")}`;
  expect(parseStack(text, "f").map(({ spec }) => [spec.name, spec.image, spec.labels.team])).toEqual([
    ["a", "x", "one"],
    ["b", "y", "one"],
  ]);
});

describe("substitution", () => {
  // Results of drone/envsubst 1.0.3, which faas-cli uses, but for comments.
  const variables = { TAG: "v1.2", EMPTY: "", Name: "Kåre", PATHS: "a/b/a", BRANCH: "feature/x" };
  test.each([
    ["${TAG}", "v1.2"],
    ["${EMPTY}|${EMPTY:-x}|${NONE:-}", "|x|"],
    ["${NONE:-a ${TAG} b}|${NONE:-$$x\\/y}", "a v1.2 b|$$x\\/y"],
    ["${REGISTRY:-${MIRROR:-ghcr.io}}/x", "ghcr.io/x"],
    ["${TAG:-${NONE}}", "v1.2"],
    ["${Name}", "Kåre"],
    ["${BRANCH//\\//-} ${BRANCH/\\//-}", "feature-x feature-x"],
    ["${PATHS/a/c} ${PATHS//a/c} ${PATHS//a/} ${PATHS/a//c}", "c/b/a c/b/c /b/ c/b/a"],
    ["${PATHS//\\/b/c} ${PATHS//a/\\\\} ${BRANCH//\\//$$}", "ac/a \\/b/\\ feature$x"],
    ["$TAG $${TAG} a$$b \\\\d \\/", "$TAG ${TAG} a$b \\d /"],
    ["# of ${NONE} and ${\nx", "# of ${NONE} and ${\nx"],
    [
      "image: a:1   # was ${REGISTRY}/a:${TAG}\nx: ${TAG}",
      "image: a:1   # was ${REGISTRY}/a:${TAG}\nx: v1.2",
    ],
    ["a: x#${TAG}\nb: '# ${TAG}'\nc: |\n  # ${TAG}", "a: x#v1.2\nb: '# v1.2'\nc: |\n  # v1.2"],
  ])("%j", (text, expected) => {
    expect(substitute(text, variables)).toEqual({ text: expected, problems: [] });
  });

  test.each([
    ["x\n${NONE}", 2, "${NONE}: is not set and has no default; set it, or write ${NONE:-default}"],
    ["a: '# ${NONE}'", 1, "${NONE}: is not set"],
    ["${NONE//a/b}", 1, "${NONE}: is not set"],
    ["${TAG", 1, "${TAG: is not closed with }"],
    ["${}", 1, "${}: has no variable's name"],
    [
      "${TAG:+other}",
      1,
      '${TAG:+other}: uses ":+", which is not supported; there is ${TAG}, ${TAG:-default}',
    ],
    ...[
      "#TAG",
      "TAG-default",
      "TAG:=x",
      "TAG=x",
      "TAG##v",
      "TAG%%v",
      "TAG,,",
      "TAG^",
      "TAG:1:2",
      "TAG/#a/b",
      "TAG!",
    ].map((text): [string, number, string] => [`\${${text}}`, 1, `\${${text}}: `]),
    ["${TAG/a}", 1, "${TAG/a}: is not ${TAG/text/other}"],
    ["${PATHS///x}", 1, "${PATHS///x}: is not ${PATHS//text/other}"],
    ["${TAG/a/x${NONE}}", 1, "may not hold another substitution here"],
  ])("refuses %j", (text, line, expected) => {
    const { problems } = substitute(text, variables);
    expect(problems).toMatchObject([{ line, text: expect.stringContaining(expected) }]);
  });

  test.each([
    ['provider: { name: openfaas, gateway: "http://${GATEWAY_IP}:8080" }', []],
    ["provider:\n  name: openfaas\n  gateway: http://${GATEWAY_IP}:8080", []],
    ["provider:\n  name: ${NAME}\n  gateway: http://${GATEWAY_IP}:8080", ["${NAME}: is not set"]],
  ])("a variable in the gateway's address, which is not used, need not be set: %j", (provider, expected) => {
    const file = `version: 1.0\n${provider}\nfunctions:\n  a:\n    image: x\n`;
    const found =
      expected.length === 0 ? parseStack(file, "f") && [] : problemsOf(() => parseStack(file, "stack.yml"));
    expect(found.slice(0, 1)).toEqual(expected.map((text) => expect.stringContaining(text)));
  });
});

function problemsOf(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(StackFileError);
    expect((error as Error).message).toMatch(/^stack\.yml: (one error|\d+ errors)\n {2}stack\.yml/);
    return (error as StackFileError).problems;
  }
  throw new Error("nothing was refused");
}

const one = (keys: string) => `  a:\n    image: x\n    ${keys}\n`;

describe("a stack file is refused for", () => {
  test.each<[string, string, string[]]>([
    ["a mistyped key", one("enviroment: {}"), ["functions.a.enviroment: is not supported, did you mean"]],
    [
      "a key of no function",
      one("configuration: {}"),
      ["functions.a.configuration: is not supported; known here: lang, handler"],
    ],
    [
      "build_options of nothing that is built",
      one("build_options: [dev]"),
      ["functions.a.build_options: would be ignored: nothing is built"],
    ],
    ["build_secrets", one("build_secrets: { a: b }"), ["functions.a.build_secrets: is not supported: the"]],
    ["a platform of no host", one("platforms: windows/amd64"), ["functions.a.platforms: must name linux/"]],
    ["another namespace", one("namespace: prod"), ["functions.a.namespace: is prod, and there is only"]],
    [
      "several at once, in the file's order",
      "  a:\n    image: x\n    one: 1\n    limits: { memory: lots, disks: 1 }\n  B:\n    image: y\n",
      [
        "functions.a.one: is not supported",
        "functions.a.limits.disks: is not supported; known here: memory, cpu",
        'functions.a.limits.memory: "lots" is not an amount',
        "functions.B: must be lower-case",
      ],
    ],
    ["no image", "  a: {}\n", ["functions.a.image: is required: the image to run"]],
    ["an invalid image", one("fprocess: x").replace("image: x", "image: X/"), ["functions.a.image"]],
    ["a function twice", "  a:\n    image: x\n  a:\n    image: y\n", ["Map keys must be unique"]],
    ["text that is not YAML", "  a: [\n", ["Flow sequence"]],
    ["an invalid function", "  a: x\n", ["functions.a: must be a mapping"]],
    ["a text for a list", one("secrets: key"), ["functions.a.secrets: must be a list of texts"]],
    [
      "a mapping for a text",
      one("environment: { A: { B: c } }"),
      ["functions.a.environment.A: must be a te"],
    ],
    ["no truth", one("skip_build: perhaps"), ["functions.a.skip_build: must be true or false"]],
    ["a lang alone", one("lang: node"), ["functions.a.lang: has no handler beside it"]],
    ["a handler alone", one("handler: ./a"), ["functions.a.handler: has no lang beside it"]],
    [
      "arguments of a build without a handler",
      one("build_args: { V: 1 }"),
      ["functions.a.build_args: would be ignored: nothing is built"],
    ],
    [
      "arguments of a build that is skipped",
      one("build_args: { V: 1 }\n    lang: node\n    handler: ./a\n    skip_build: true"),
      ["functions.a.build_args: would be ignored: nothing is built with skip_build: true"],
    ],
    [
      "what goes into no build, and a template of no function",
      `${one("skip_build: true")}configuration:\n  copy: [shared]\n  templates: [{ name: node }]\n`,
      [
        "configuration.copy: would be ignored: no function of this file is built",
        "configuration.templates.0.name: would be ignored: node is the lang of no function",
      ],
    ],
    [
      "no size",
      one("limits: { memory: lots }"),
      ['functions.a.limits.memory: "lots" is not an amount such as 64Mi'],
    ],
    [
      "no share",
      one("requests: { cpu: fast }"),
      ['functions.a.requests.cpu: "fast" is not an amount such as 100m'],
    ],
    ["no constraint", one("constraints: [worker]"), ['functions.a.constraints.0: "worker" is not like']],
    [
      "no secret's name",
      one("secrets: [a/b, k, k]"),
      ['secrets.0: "a/b" must be letters', "secrets.2: k is given twice"],
    ],
    [
      "bounds of the scaler",
      one("labels: { com.openfaas.scale.min: 5, com.openfaas.scale.max: 2 }"),
      ["functions.a.labels.com.openfaas.scale.min: 5 is above"],
    ],
    ["a reserved label", one("labels: { com.oslo-faas.managed: no }"), ["functions.a.labels.com.oslo-faas"]],
    [
      "a mistyped top",
      `${one("fprocess: x")}funtions: {}\n`,
      ["funtions: is not supported, did you mean fun"],
    ],
  ])("%s", (_name, body, expected) => {
    const problems = problemsOf(() => parseStack(stack(body), "stack.yml"));
    expect(problems).toEqual(expected.map((text) => expect.stringContaining(text)));
  });

  test.each([
    ["no provider", "functions: {}\n", ["provider: is required"]],
    ["another provider", "provider: { name: faas }\nfunctions: {}\n", ["provider.name: must be openfaas"]],
    [
      "another version",
      "version: 2.0\nprovider: { name: openfaas }\nfunctions: {}\n",
      ['version: must be "1.0'],
    ],
    ["an old key", "provider: { name: openfaas, network: x }\nfunctions: {}\n", ["provider.network: is not"]],
    ["nothing in it", "", ["the file: must be a mapping with provider and functions"]],
  ])("%s", (_name, text, expected) => {
    const problems = problemsOf(() => parseStack(text, "stack.yml"));
    expect(problems).toEqual(expected.map((start) => expect.stringContaining(start)));
  });

  test("what it says is found by its line", () => {
    const text = stack("  a:\n    image: x\n    limits:\n      memory: lots\n");
    expect(() => parseStack(text, "stack.yml")).toThrow("  stack.yml:7: functions.a.limits.memory: ");
    expect(() => parseStack(stack(one("lang: node")), "stack.yml")).toThrow(
      "  stack.yml:6: functions.a.lang: ",
    );
  });
});

test("the documentation has a row for every key of a function, supported or refused", () => {
  const text = fs.readFileSync(path.join(__dirname, "../../../docs/functions.md"), "utf8");
  const documented = [...text.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) => cell!.split(/`, `|`/));
  for (const key of [...Object.keys(functionSchema.shape), ...Object.keys(REFUSED)])
    expect(documented).toContain(key);
});

test("an environment file has variables and nothing else", () => {
  expect(parseEnvironmentFile("environment:\n  A: 1\n  B: yes\n", "e.yml")).toEqual({ A: "1", B: "yes" });
  expect(() => parseEnvironmentFile("A: 1\n", "e.yml")).toThrow(
    "e.yml:1: A: unknown; an environment file has the key environment",
  );
});

describe("the files of an environment", () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-functions-"));
  afterAll(() => fs.rmSync(root, { recursive: true }));
  const write = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text);
    return name;
  };
  const read = (files: (string | { stack: string; only?: string[] })[], secrets: string[] = []) =>
    readFunctions(
      files.map((file) => (typeof file === "string" ? { stack: file } : file)),
      { root, secrets, variables: {} },
    );

  test("environment files override the function's environment, and later files override earlier ones", () => {
    write("env/a.yml", "environment: { A: file-a, B: file-a }\n");
    write("env/b.yml", "environment: { B: file-b }\n");
    const file = write(
      "one/stack.yml",
      stack(
        "  a:\n    image: x\n    environment: { A: own, C: own }\n    environment_file: [../env/a.yml, ../env/b.yml]\n",
      ),
    );
    const { functions, problems } = read([file]);
    expect(problems).toEqual([]);
    expect(functions[0]!.spec.env).toEqual({ A: "file-a", B: "file-b", C: "own" });
  });

  test("every mistake of every file is named at once", () => {
    write("env/bad.yml", "A: 1\n");
    const first = write(
      "first.yml",
      stack(
        "  a:\n    image: x\n    secrets: [api-key, apikey]\n    environment_file: [none.yml, env/bad.yml]\n",
      ),
    );
    const second = write("second.yml", stack("  a:\n    image: y\n"));
    const third = write("third.yml", stack("  b:\n    image: y\n    imag: x\n"));
    const { problems } = read(
      [first, second, third, "fourth.yml", { stack: second, only: ["c"] }],
      ["api-key"],
    );
    expect(problems).toEqual([
      "first.yml:6: functions.a.secrets.1: apikey is not in the environment's functionSecrets, did you mean api-key?; set it with: pulumi config set --secret --path functionSecrets.apikey",
      "first.yml:7: functions.a.environment_file.0: none.yml does not exist; paths are relative to first.yml",
      expect.stringContaining("env/bad.yml:1: A: unknown"),
      "second.yml:4: functions.a: repeats first.yml:4",
      "third.yml:6: functions.b.imag: is not supported, did you mean functions.b.image?",
      "functions: fourth.yml cannot be read: no such file",
      "functions: second.yml has no c; it has a",
    ]);
  });

  const timeouts = parseEnvironment({ host: { address: "a", hostKey: KEY } }).openfaas;
  const options = { root, secrets: [], variables: {} };

  test("a mistake in the format hides none of the others", () => {
    write("env/names.yml", 'environment: { "my var": x, fprocess: cat }\n');
    const file = write(
      "all/stack.yml",
      `provider: { name: faas }
functions:
  a:
    lang: dockerfile
    handler: ./nowhere
    image: example/a:1
    secrets: [unknown]
    environment_file: [missing.yml, ../env/names.yml]
    environment: { exec_timeout: 140s, write_timeout: 120s }
    fprocess: cat
  b:
    lang: php
    build_secrets: { a: b }
    environment: { good: x, "bad name": y, list: [] }
    labels: { com.openfaas.scale.max: 0 }
  c:
    image: x
  c:
    image: y
`,
    );
    write("templates/node/Dockerfile", "");
    const { problems } = readFunctions([{ stack: file }], { ...options, builds: true, timeouts });
    const expected = [
      "1: provider.name: must be openfaas",
      "11: functions.b.image: is required",
      "12: functions.b.lang: has no handler beside it",
      "13: functions.b.build_secrets: is not supported: the engine",
      "14: functions.b.environment.list: must be a text",
      "14: functions.b.environment.bad name: cannot name a variable",
      '15: functions.b.labels.com.openfaas.scale.max: "0" must be a whole number',
      "18: Map keys must be unique",
      "7: functions.a.secrets.0: unknown is not in the environment's functionSecrets",
      "8: functions.a.environment_file.0: all/missing.yml does not exist",
      "8: functions.a.environment_file.1: my var: cannot name a variable",
      "8: functions.a.environment_file.1: fprocess: is what the function's process sets",
      '9: functions.a.environment.exec_timeout: "140s": is above write_timeout',
      "5: functions.a.handler: the folder all/nowhere does not exist",
    ];
    expect(problems.map((line) => line.replace("all/stack.yml:", ""))).toEqual(
      expected.map((text) => expect.stringContaining(text)),
    );
  });

  /** One function with these variables: what is wrong with it, without the file. */
  const judged = (environment: string, more = "", name = "timeouts.yml") =>
    readFunctions(
      [{ stack: write(name, stack(`  a:\n    image: x\n    environment:\n${environment}${more}`)) }],
      {
        root,
        secrets: [],
        variables: {},
        timeouts,
      },
    ).problems;
  const ours = "    lang: node\n    handler: ./a\n";

  test.each([
    ["exec_timeout: 600s", "", "above openfaas.upstreamTimeout 290s: the gateway would give up on it"],
    ["exec_timeout: 0s", "", "above openfaas.upstreamTimeout 290s"],
    ["exec_timeout: 600", "", "above openfaas.upstreamTimeout 290s"],
    ["exec_timeout: 4m51s", "", "above openfaas.upstreamTimeout 290s"],
    ["exec_timeout: 0.1h", ours, "above openfaas.upstreamTimeout 290s"],
    [
      "write_timeout: 390s",
      "",
      "not below openfaas.queue.ackWait 390s: an asynchronous call would be delivered twice",
    ],
    ["read_timeout: 1h", "", "not below openfaas.queue.ackWait 390s"],
    ["exec_timeout: soon", ours, 'must be a duration such as "90s" or "1m30s"'],
    ["exec_timeout: 120s", ours, "above write_timeout 65s: an answer would be cut"],
    ["write_timeout: 30s", ours, "below exec_timeout 60s: an answer would be cut"],
  ])("%s is refused with its line (%j)", (variable, more, message) => {
    const [name = "", value = ""] = variable.split(": ");
    expect(judged(`      A: b\n      ${variable}\n`, more)).toEqual([
      expect.stringMatching(`^timeouts.yml:8: functions.a.environment.${name}: "${value}": .*${message}`),
    ]);
  });

  test.each([
    ["exec_timeout: 290s", ""],
    ["exec_timeout: soon", ""],
    ["exec_timeout: 120s", "    lang: dockerfile\n    handler: ./a\n"],
    ["exec_timeout: 60", ours],
    ['exec_timeout: ""', ours],
    ["read_timeout: 5m", ours],
    ["write_timeout: 329s", ours],
  ])("%s is taken (%j)", (variable, more) => expect(judged(`      ${variable}\n`, more)).toEqual([]));

  test("a timeout of an environment file is told at the line that names the file, with all other mistakes", () => {
    write("env/slow.yml", "environment: { exec_timeout: 600s }\n");
    write("env/other.yml", "environment: { A: b }\n");
    const more = "    secrets: [none]\n    environment_file: [env/slow.yml, env/other.yml]\n";
    expect(judged("      exec_timeout: 10s\n", more)).toEqual([
      expect.stringContaining("timeouts.yml:8: functions.a.secrets.0: none is not in the environment's"),
      'timeouts.yml:9: functions.a.environment_file.0: exec_timeout: "600s": is above openfaas.upstreamTimeout 290s: the gateway would give up on it',
    ]);
  });

  test("a key as nobody writes it is on one line", () => {
    const [problem, ...more] = judged("      A: b\n", '    "a\\nb": 1\n', "odd.yml");
    expect(problem).toMatch(/^odd.yml:8: functions.a.a\\u000ab: is not supported/);
    expect(more).toEqual([]);
  });
});
