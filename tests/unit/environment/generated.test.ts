import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import Ajv from "ajv";
import { parse, type Tags } from "yaml";
import { environmentFrom } from "../../../environment/files";
import { shapeAt } from "../../../environment/shape";
import { OLD_NUMBERS } from "../../../environment/stackfile";
import { SCHEMA_LINE } from "../../../cli/env/editor";
import { generated, SCHEMA_FILE, stale, write } from "../../../cli/env/generate";
import { environmentJsonSchema, type JsonSchema, stackFileJsonSchema } from "../../../cli/env/jsonSchema";
import { reference } from "../../../cli/env/reference";
import { BAD_FILES, CIPHER, OF_SERVICE, RIGHT, whole } from "./badFiles";
import { mutatedFile, random } from "./mutate";

const root = path.resolve(__dirname, "../../..");
const stackFiles = fs.readdirSync(path.join(root, "stacks")).filter((file) => file.endsWith(".yaml"));
const read = (file: string) => fs.readFileSync(path.join(root, file), "utf8");

/** As every environment begins, and no base. */
const ENVIRONMENT = { "pulumi:disable-default-providers": ["docker", "host", "openfaas"] };
const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";

/** Path below the environment → what is documented there; entries of a list stand for all of them. */
function leaves(schema: JsonSchema, at: string[] = []): [string[], JsonSchema][] {
  const inner = schema.type === "array" && schema.items?.properties ? schema.items : schema;
  const base = inner === schema ? at : [...at, "0"];
  const nested = Object.entries(inner.properties ?? {}).flatMap(([key, value]) =>
    leaves(value, [...base, key]),
  );
  return at.length === 0 ? nested : [[at, schema], ...nested];
}
const documented = leaves(environmentJsonSchema());

test("what is committed is what the schema makes", async () => {
  expect(await stale(root)).toEqual([]);
});

test("a change of either side is seen, and written anew", async () => {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-generated-"));
  try {
    for (const folder of ["stacks", "docs", "components"]) fs.mkdirSync(path.join(copy, folder));
    expect((await stale(copy)).join("\n")).toMatch(
      /environment\.schema\.json is missing[^]*configuration\.md is missing/,
    );
    expect(await write(copy)).toEqual([
      SCHEMA_FILE,
      "docs/configuration.md",
      "components/settings.generated.ts",
    ]);
    expect(await stale(copy)).toEqual([]);
    fs.appendFileSync(path.join(copy, SCHEMA_FILE), "\n");
    fs.writeFileSync(path.join(copy, "stacks/Pulumi.a.yaml"), "config: {}\n");
    const found = (await stale(copy)).join("\n");
    expect(found).toMatch(/environment\.schema\.json is stale, from line \d+: npm run env -- generate/);
    expect(found).toContain(`stacks/Pulumi.a.yaml: its first line has to be "${SCHEMA_LINE}"`);
    expect(await write(copy)).toEqual([SCHEMA_FILE]);
  } finally {
    fs.rmSync(copy, { recursive: true });
  }
}, 60_000);

test("every key says what it does, and has an example that may be written", () => {
  expect(documented.length).toBeGreaterThan(80);
  for (const [at, schema] of documented) {
    const name = at.join(".");
    expect([name, schema.description ?? ""]).toEqual([name, expect.stringMatching(/\S.{3,}/)]);
    const nested = documented.some(
      ([other]) => other.length > at.length && at.every((key, i) => other[i] === key),
    );
    const examples = [...(schema.examples ?? []), ...(schema.default === undefined ? [] : [schema.default])];
    if (!nested) expect([name, examples.length]).not.toEqual([name, 0]);
    for (const example of examples)
      expect([name, example, shapeAt(at)!.safeParse(example).success]).toEqual([name, example, true]);
  }
});

test("a number says its unit, unless it is a port, a status or an MTU of bytes", () => {
  const without = documented
    .filter(([, { type, unit }]) => type === "integer" && !unit)
    .map(([at]) => at.join("."));
  expect(without.filter((name) => !/port$/i.test(name))).toEqual(["checks.0.status"]);
});

test("the documentation has a row for every key", () => {
  const text = reference();
  for (const [at] of documented) {
    const name = at.join(".").replaceAll(".0.", "[].");
    expect(text).toMatch(new RegExp(`(\\| \`|## )${name.replaceAll(/[[\].]/g, "\\$&")}(\`|\\n)`));
  }
});

describe("the schema for editors", () => {
  const ajv = new Ajv({ strict: true, strictTypes: false, allErrors: true, allowUnionTypes: true });
  // Of editors: their words for a text without the form.
  ajv.addKeyword("errorMessage");
  const validate = ajv.compile(stackFileJsonSchema());

  test.each(stackFiles)("accepts %s", (file) => {
    expect([validate(parse(read(`stacks/${file}`))), validate.errors]).toEqual([true, null]);
  });

  test("accepts secrets that are encrypted, keys of providers, and a salt", () => {
    const config = {
      "oslo-faas:gatewayPassword": { secure: CIPHER },
      "oslo-faas:functionSecrets": { "api-key": { secure: OF_SERVICE } },
      "oslo-faas:registryAuth": { "registry.example.no:5000": { secure: CIPHER } },
      "oslo-faas:functions": ["functions/stack.yml", { stack: "other.yml", only: ["hello"] }],
      "docker:host": "x",
      "pulumi:tags": { a: "b" },
    };
    expect(validate({ encryptionsalt: "v1:x", secretsprovider: "x", config })).toBe(true);
    expect(validate({ config: { "oslo-faas:functions": "functions/stack.yml" } })).toBe(true);
  });

  test.each<[string, unknown]>([
    ["a plain secret", { config: { "oslo-faas:gatewayPassword": "x" } }],
    ["a plain secret in the clothes of one", { config: { "oslo-faas:gatewayPassword": { secure: "x" } } }],
    ["a plain secret of a function", { config: { "oslo-faas:functionSecrets": { a: "x" } } }],
    ["a plain login", { config: { "oslo-faas:registryAuth": { "a.example.no": "ci:x" } } }],
    [
      "a registry with a scheme",
      { config: { "oslo-faas:registryAuth": { "https://a.no": { secure: "v1:x" } } } },
    ],
    ["a mistyped key", { config: { "oslo-faas:nginx": { keepAlive: 1 } } }],
    ["a mistyped section", { config: { "oslo-faas:ngnix": {} } }],
    ["a key without its namespace", { config: { nginx: {} } }],
    ["a mistyped top", { confg: {} }],
    ["a number out of its range", { config: { "oslo-faas:nginx": { keepalive: 0 } } }],
    ["an environment without its host", { config: ENVIRONMENT }],
    ["a host without its address", { config: { ...ENVIRONMENT, "oslo-faas:host": { hostKey: HOST_KEY } } }],
    ["a host without its key", { config: { ...ENVIRONMENT, "oslo-faas:host": { address: "a" } } }],
    ["an entry without its required key", { config: { "oslo-faas:checks": [{ status: 200 }] } }],
  ])("refuses %s", (_name, file) => {
    expect(validate(file)).toBe(false);
  });

  test("asks a base for no host, nor an environment that may have it from its base", () => {
    const host = { address: "a", hostKey: HOST_KEY };
    expect(validate({ config: { ...ENVIRONMENT, "oslo-faas:host": host } })).toBe(true);
    const { hostKey: _, ...other } = { ...host, hostKeyFile: "keys/host.pub" };
    expect(validate({ config: { ...ENVIRONMENT, "oslo-faas:host": other } })).toBe(true);
    expect(validate({ config: { ...ENVIRONMENT, "oslo-faas:extends": "stacks/base.yaml" } })).toBe(true);
    expect(validate({ config: { "oslo-faas:host": { user: "ops" } } })).toBe(true);
  });

  test("says in words what a text must be", () => {
    const { properties } = stackFileJsonSchema().properties!.config!;
    expect(properties!["oslo-faas:host"]!.properties!.address!.errorMessage).toBe(
      "must be a host name or an IP address, without user, port or scheme",
    );
  });

  test("refuses nothing that the command line accepts", () => {
    const pick = random(Number(process.env.FUZZ_SEED ?? 20_261_125));
    const options = { merge: true, customTags: (tags: Tags) => [...OLD_NUMBERS, ...tags] };
    let right = 0;
    for (let run = 0; run < 4000; run++) {
      const text = mutatedFile(run, pick);
      const { problems } = environmentFrom(text, { name: "test", root, file: "f.yaml" });
      if (problems.length > 0) continue;
      right++;
      expect([text, validate(parse(text, options)), validate.errors]).toEqual([text, true, null]);
    }
    // Among them many that are not as somebody wrote them.
    expect(right).toBeGreaterThan(300);
    for (const config of RIGHT)
      expect([config, validate(parse(whole(config))), validate.errors]).toEqual([config, true, null]);
  }, 60_000);

  test("sees most of what the command line sees", () => {
    const seen = BAD_FILES.filter(([config]) => {
      try {
        return !validate(parse(whole(config)));
      } catch {
        return true; // Wrong as YAML: the editor says that by itself.
      }
    });
    expect(seen.length / BAD_FILES.length).toBeGreaterThan(0.7);
  });
});

test("a description tells its unit and what is allowed", async () => {
  const schema = JSON.parse((await generated()).get(SCHEMA_FILE)!) as JsonSchema;
  const nginx = schema.properties!.config!.properties!["oslo-faas:nginx"]!;
  expect(nginx.properties!.keepalive).toEqual({
    default: 64,
    description:
      "Idle connections that each worker keeps open, to the edge or, without one, to the gateway.\n\nUnit: connections. Allowed: 1 to 10000. Default: 64.",
    type: "integer",
    minimum: 1,
    maximum: 10000,
  });
  expect(nginx.required).toBeUndefined();
}, 60_000);
