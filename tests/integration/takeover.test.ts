/**
 * A state that an older version of this project left is taken over as it is. In states/791a302.json functions still belong to the
 * provider `host`, with the gateway's address and password among their inputs; commit 791a302 made it.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { PulumiProject } from "./pulumiProject";

const STATE = path.join(__dirname, "states", "791a302.json");

/** The same resources as the version before had them. */
const PROGRAM = `
import * as fs from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import * as host from "SDK";
import * as openfaas from "OPENFAAS_SDK";

const { connection, port, functions: wanted } = JSON.parse(fs.readFileSync(__dirname + "/input.json", "utf8"));
const machine = new pulumi.ComponentResource("oslo-faas:index:Host", "host");
const provider = new host.Provider("host-connection", connection, { parent: machine });
new host.Password("openfaas-password", { length: 32 }, { provider });
const parent = new pulumi.ComponentResource("oslo-faas:index:Functions", "functions");
const gateway = new openfaas.Provider("functions-gateway",
  { ...connection, gateway: { port }, username: "admin", password: pulumi.secret("canary-gateway") }, { parent });
const own = { parent, provider: gateway };
if (wanted) {
  const key = new openfaas.FunctionSecret("functions-secret-api-key", { name: "api-key", value: "canary-value" }, own);
  new openfaas.Function("functions-hello", {
    name: "hello",
    image: "registry.example/hello:1",
    registryAuth: "ci:canary-login",
    env: { GREETING: "hei" },
    labels: { "com.openfaas.scale.min": "1" },
    limits: { memory: "64Mi" },
    secrets: ["api-key"],
    secretRevisions: { "api-key": key.revision },
    waitSeconds: 30,
  }, own);
}
`;

interface Resource {
  type: string;
  urn: string;
  provider?: string;
  inputs?: Record<string, any>;
}
const resourcesOf = (text: string): Resource[] =>
  (JSON.parse(text.slice(text.indexOf("{"))) as { deployment: { resources: Resource[] } }).deployment
    .resources;

let project: PulumiProject;
/** How the older state says that the host and the gateway are reached. */
let before: { connection: Record<string, any>; port: number };

beforeAll(async () => {
  project = await PulumiProject.make(PROGRAM);
  const old = resourcesOf(fs.readFileSync(STATE, "utf8"));
  const of = (type: string) => old.find((resource) => resource.type === type)!.inputs!;
  before = { connection: of("pulumi:providers:host"), port: of("host:index:Function").gateway.port };
  await project.ok("stack", "import", "--file", STATE);
  project.input({ ...before, functions: true });
});
afterAll(() => project?.remove());

test("a preview replaces and deletes nothing, and asks no host", async () => {
  const { text } = await project.ok("preview", "--diff");
  expect(text).toMatch(/\+ 1 to create/);
  expect(text).not.toMatch(/to (replace|delete|update)|\((replace|delete|update)/);
});

test("a refresh before that fails at nothing and changes nothing of a function", async () => {
  const { text } = await project.ok("refresh", "--preview-only", "--diff");
  expect(text).not.toMatch(/\((update|delete)\)/);
});

test("a function that goes in the same update is refused, with what to do", async () => {
  project.input({ ...before, functions: false });
  const { code, text } = await project.run("up", "--yes", "--skip-preview");
  expect(code).not.toBe(0);
  expect(text).toContain("host:index:Function is openfaas:index:Function now");
  project.input({ ...before, functions: true });
});

test("one update hands the functions to the new provider, and a second changes nothing", async () => {
  const up = await project.ok("up", "--yes", "--skip-preview", "--diff");
  expect(up.text).not.toMatch(/replaced|deleted|updated/);
  const after = resourcesOf(await project.state());
  const functions = after.filter(({ type }) => type.startsWith("openfaas:index:"));
  expect(functions.map(({ urn }) => urn.split("::").slice(2).join(" ")).sort()).toEqual([
    "oslo-faas:index:Functions$openfaas:index:Function functions-hello",
    "oslo-faas:index:Functions$openfaas:index:FunctionSecret functions-secret-api-key",
  ]);
  for (const { provider, inputs } of functions) {
    expect(provider).toContain("pulumi:providers:openfaas::functions-gateway");
    expect(Object.keys(inputs!)).not.toEqual(expect.arrayContaining(["password"]));
  }
  expect(after.filter(({ type }) => /^host:index:Function/.test(type))).toEqual([]);
  expect(JSON.stringify(after)).not.toContain("canary");
  await project.ok("preview", "--expect-no-changes");
});
