import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { environmentFrom, environmentNames, readEnvironment } from "../../../environment/files";
import { mergeLayers } from "../../../environment/layers";
import { show } from "../../../cli/env/show";
import { report, validate } from "../../../cli/env/validate";
import { CIPHER, KEY } from "./badFiles";

let root: string;
const put = (file: string, text: string) => fs.writeFileSync(path.join(root, file), text);

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-env-"));
  fs.mkdirSync(path.join(root, "stacks"));
  put(
    "stacks/base.yaml",
    `config:
  oslo-faas:nginx:
    keepalive: 128
    backlog: 1024
    managementAllow: [10.0.0.0/8, 192.168.0.0/16]
  oslo-faas:checks:
    - path: /a
`,
  );
  put(
    "stacks/Pulumi.one.yaml",
    `config:
  oslo-faas:extends: stacks/base.yaml
  oslo-faas:host:
    address: one.example.no
    hostKey: ${KEY}
  oslo-faas:gatewayPassword:
    secure: ${CIPHER}
  oslo-faas:functionSecrets:
    api-key:
      secure: ${CIPHER}
  oslo-faas:registryAuth:
    ghcr.io:
      secure: ${CIPHER}
  oslo-faas:nginx:
    keepalive: 32
    managementAllow: [198.51.100.0/24]
`,
  );
});
afterEach(() => fs.rmSync(root, { recursive: true }));

test("a value that a merge key brings in has its line, and one written beside it overrides", () => {
  const text = `config:
  oslo-faas:host: {address: one.example.no, hostKey: ${KEY}}
  oslo-faas:nginx:
    <<: {backlog: 512, keepalive: 16}
    keepalive: 32
`;
  const files = environmentFrom(text, { name: "merged", root, file: "stacks/Pulumi.merged.yaml" });
  const shown = files.environment ? show(files) : files.problems.join("\n");
  expect(shown).toMatch(/backlog: 512 +# stacks\/Pulumi\.merged\.yaml:4\n/);
  expect(shown).toMatch(/keepalive: 32 +# stacks\/Pulumi\.merged\.yaml:5\n/);
});

test("mappings are merged at every depth, and everything else is replaced", () => {
  expect(mergeLayers({ a: { b: 1, c: { d: 1 } }, l: [1, 2] }, { a: { c: { e: 2 } }, l: [3] })).toEqual({
    a: { b: 1, c: { d: 1, e: 2 } },
    l: [3],
  });
  expect(mergeLayers({ a: { b: 1 } }, { a: 1 })).toEqual({ a: 1 });
  expect(mergeLayers({ a: 1 }, { a: { b: 1 } })).toEqual({ a: { b: 1 } });
  expect(mergeLayers({ l: [1] }, { l: [] })).toEqual({ l: [] });
  const merged = mergeLayers(JSON.parse('{"__proto__": {"x": 1}}'), JSON.parse('{"__proto__": {"y": 2}}'));
  expect(JSON.stringify(merged)).toBe('{"__proto__":{"x":1,"y":2}}');
  expect(({} as { x?: number }).x).toBeUndefined();
});

test("each value is shown with the line that says it, and a secret without its value", () => {
  const lines = show(readEnvironment("one", root)).split("\n");
  const line = (key: string) =>
    lines
      .find((text) => text.trim().startsWith(`${key}:`))
      ?.replace(/ {2,}#/, " #")
      .trim();
  expect(lines[0]).toBe("# one: stacks/Pulumi.one.yaml over stacks/base.yaml over the defaults");
  expect(line("keepalive")).toBe("keepalive: 32 # stacks/Pulumi.one.yaml:15");
  expect(line("backlog")).toBe("backlog: 1024 # stacks/base.yaml:4");
  expect(line("managementAllow")).toBe("managementAllow: [198.51.100.0/24] # stacks/Pulumi.one.yaml:16");
  expect(line("oslo-faas:checks")).toBe("oslo-faas:checks: [{path: /a, status: 200}] # stacks/base.yaml:6");
  expect(line("httpPort")).toBe("httpPort: 80 # default");
  expect(line("sysctl")).toBe("sysctl: {} # default");
  expect(line("oslo-faas:gatewayPassword")).toBe(
    'oslo-faas:gatewayPassword: "[secret]" # stacks/Pulumi.one.yaml:6',
  );
  expect(line("oslo-faas:functionSecrets")).toBe(
    'oslo-faas:functionSecrets: {api-key: "[secret]"} # stacks/Pulumi.one.yaml:8',
  );
  expect(line("oslo-faas:registryAuth")).toBe(
    'oslo-faas:registryAuth: {ghcr.io: "[secret]"} # stacks/Pulumi.one.yaml:11',
  );
  expect(lines.join("\n")).not.toContain(CIPHER.slice(3, 12));
  // Every value says where it is from: a line without a source opens a mapping.
  const silent = lines.filter((text) => text !== "" && !/ # (default|stacks\/\S+:\d+)$/.test(text));
  expect(silent.filter((text) => !/^( *#.*| *[\w:-]+:)$/.test(text))).toEqual([]);
});

test("what is shown is a file that says the same", () => {
  const { environment } = readEnvironment("one", root);
  const text = show(readEnvironment("one", root)).replaceAll('"[secret]"', `{secure: "${CIPHER}"}`);
  expect(environmentFrom(text, { name: "one", root, file: "f" })).toMatchObject({
    environment,
    problems: [],
  });
});

test("a mistake in the base is told with the base's line", () => {
  put("stacks/base.yaml", "config:\n  oslo-faas:nginx:\n    keepalive: many\n");
  fs.writeFileSync(
    path.join(root, "stacks/Pulumi.one.yaml"),
    fs.readFileSync(path.join(root, "stacks/Pulumi.one.yaml"), "utf8").replace("    keepalive: 32\n", ""),
  );
  expect(readEnvironment("one", root).problems).toEqual([
    'nginx.keepalive: "many": must be a whole number from 1 to 10000 (stacks/base.yaml:3)',
  ]);
});

test("a base has no base and no secrets, and its YAML is judged too", () => {
  put(
    "stacks/base.yaml",
    `config:\n  oslo-faas:extends: x\n  oslo-faas:gatewayPassword: {secure: "${CIPHER}"}\nconfg: 1\n`,
  );
  expect(readEnvironment("one", root).problems.map((line) => line.replace(/ \(.*/, ""))).toEqual([
    "stacks/base.yaml: confg: unknown, did you mean config?",
    "stacks/base.yaml: extends: a base cannot have a base of its own",
    "stacks/base.yaml: gatewayPassword: a secret is encrypted for one environment: set it in each environment, not in the base",
  ]);
  put("stacks/base.yaml", "config:\n  nginx: {keepalive: 64}\n");
  expect(readEnvironment("one", root).problems).toEqual([
    "stacks/base.yaml: nginx: has no namespace; write oslo-faas:nginx (stacks/base.yaml:2)",
  ]);
  put("stacks/base.yaml", "config: [\n");
  expect(readEnvironment("one", root).problems[0]).toMatch(/^stacks\/base\.yaml: line 2: /);
});

test("validate names a login that no image needs, with its line", async () => {
  const text = fs.readFileSync(path.join(root, "stacks/Pulumi.one.yaml"), "utf8");
  put("stacks/Pulumi.one.yaml", text.replace("    ghcr.io:", "    gchr.io:"));
  expect((await validate(["one"], root))[0]!.problems).toEqual([
    "registryAuth.gchr.io: no image of this environment comes from there, did you mean ghcr.io? (stacks/Pulumi.one.yaml:12)",
  ]);
});

test("validate names every mistake of every file, and functions that are not there", async () => {
  put(
    "stacks/Pulumi.two.yaml",
    `config:\n  oslo-faas:host: {address: a, hostKey: "${KEY}"}\n  oslo-faas:functions: [{stack: nowhere.yml}]\n`,
  );
  put("stacks/Pulumi.three.yaml", "config:\n  oslo-faas:ngnix: {}\n");
  const verdicts = await validate([], root);
  expect(environmentNames(root)).toEqual(["one", "three", "two"]);
  expect(verdicts.map(({ problems }) => problems.length)).toEqual([0, 2, 1]);
  const text = report(verdicts);
  expect(text).toContain("ok    stacks/Pulumi.one.yaml");
  expect(text).toContain("FAIL  stacks/Pulumi.three.yaml");
  expect(text).toContain("ngnix: unknown, did you mean nginx? (stacks/Pulumi.three.yaml:2)");
  expect(text).toContain("functions: nowhere.yml cannot be read: no such file");
  expect(text).toContain("3 errors");
  expect(await validate(["one"], root)).toHaveLength(1);
  await expect(validate(["four"], root)).rejects.toThrow(
    'There is no environment "four": stacks/Pulumi.four.yaml does not exist. Environments: one, three, two.',
  );
});

test("a file with an ending that the engine does not read is named, and hides no other", async () => {
  put("stacks/Pulumi.two.yml", "config: {}\n");
  put("stacks/Pulumi.three.json", "{}\n");
  put("stacks/Pulumi.one.YAML", "config: {}\n");
  expect(environmentNames(root)).toEqual(["one"]);
  const text = report(await validate([], root));
  expect(text).toContain("ok    stacks/Pulumi.one.yaml\n");
  for (const [file, name] of Object.entries({ "two.yml": "two", "three.json": "three", "one.YAML": "one" }))
    expect(text).toContain(
      `FAIL  stacks/Pulumi.${file}\n        the engine does not read it; rename it to stacks/Pulumi.${name}.yaml\n`,
    );
  expect(text).toContain("3 errors");
  await expect(validate(["two"], root)).rejects.toThrow(
    'There is no environment "two": stacks/Pulumi.two.yaml does not exist. There is stacks/Pulumi.two.yml: the engine does not read it; rename it to stacks/Pulumi.two.yaml. Environments: one.',
  );
});
