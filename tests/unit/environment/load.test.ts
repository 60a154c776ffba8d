/** loadEnvironment, on a configuration as the engine hands it over. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import type * as environment from "../../../environment";
import { CIPHER, KEY } from "./badFiles";

const host = { address: "198.51.100.7", hostKey: KEY };
let dir: string;
const before = process.cwd();

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-load-"));
  fs.mkdirSync(path.join(dir, "stacks"));
  process.chdir(dir);
});
afterEach(() => {
  process.chdir(before);
  fs.rmSync(dir, { recursive: true });
});

/** The engine runs a program in the project's folder; each load has an SDK of its own. */
async function load(config: Record<string, unknown>, secret: string[] = []) {
  let result!: environment.LoadedEnvironment;
  await jest.isolateModulesAsync(async () => {
    const sdk = (await import("@pulumi/pulumi")) as typeof pulumi;
    await sdk.runtime.setMocks(
      { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
      "oslo-faas",
      "test",
      false,
    );
    const all = Object.entries(config).map(([key, value]) => [
      key.includes(":") ? key : `oslo-faas:${key}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    sdk.runtime.setAllConfig(
      Object.fromEntries(all) as Record<string, string>,
      secret.map((key) => `oslo-faas:${key}`),
    );
    const module = await import("../../../environment");
    result = module.loadEnvironment();
  });
  return result;
}

const message = (config: Record<string, unknown>, secret: string[] = []) =>
  load(config, secret).then(
    () => "",
    (error: Error) => `${error.name}|${error.message}`,
  );

test("takes the engine's values, with the stack's name and the pinned key", async () => {
  const env = await load({ host, nginx: { keepalive: 7 }, "docker:host": "x", "pulumi:tags": {} });
  expect(env).toMatchObject({ name: "test", pinnedHostKey: KEY, nginx: { keepalive: 7, httpPort: 80 } });
  expect(env.gatewayPassword).toBeUndefined();
});

test("a secret arrives as one", async () => {
  const env = await load({ host, gatewayPassword: "hunter2" }, ["gatewayPassword"]);
  expect(await new Promise((resolve) => env.gatewayPassword!.apply(resolve))).toBe("hunter2");
  expect(await (env.gatewayPassword as unknown as { isSecret: Promise<boolean> }).isSecret).toBe(true);
});

test("secrets of functions arrive by their names, each as a secret", async () => {
  const env = await load({ host, functionSecrets: { "api-key": "hunter2" } }, ["functionSecrets"]);
  expect(Object.keys(env.functionSecrets)).toEqual(["api-key"]);
  const secret = env.functionSecrets["api-key"]!;
  expect(await new Promise((resolve) => secret.apply(resolve))).toBe("hunter2");
  expect(await (secret as unknown as { isSecret: Promise<boolean> }).isSecret).toBe(true);
  expect((await load({ host })).functionSecrets).toEqual({});
});

test("secrets of functions in plain text are refused, and not shown", async () => {
  expect(await message({ host, functionSecrets: { "api-key": "hunter2", "a/b": "hunter2" } })).toBe(
    "Error|stacks/Pulumi.test.yaml: 3 errors\n" +
      "  functionSecrets.api-key: is a secret in plain text; set it with: pulumi config set --secret --path functionSecrets.api-key\n" +
      "  functionSecrets.a/b: is a secret in plain text; set it with: pulumi config set --secret --path functionSecrets.a/b\n" +
      "  functionSecrets.a/b: must be letters, digits, dashes, dots and underscores, at most 64, with a letter or digit at both ends",
  );
  expect(await message({ host, functionSecrets: "hunter2" }, ["functionSecrets"])).toBe(
    "Error|stacks/Pulumi.test.yaml: one error\n  functionSecrets: must be a mapping of names to secrets, each set with: pulumi config set --secret --path functionSecrets.NAME",
  );
});

test("logins of registries arrive by host, each as a secret; an invalid login is not shown", async () => {
  const config = (login: string) => ({ host, registryAuth: { "registry.example.no:5000": login } });
  const { registryAuth } = await load(config("ci:hunter2:x"), ["registryAuth"]);
  const login = registryAuth["registry.example.no:5000"]!;
  expect(await new Promise((resolve) => login.apply(resolve))).toBe("ci:hunter2:x");
  expect(await (login as unknown as { isSecret: Promise<boolean> }).isSecret).toBe(true);
  expect((await load({ host })).registryAuth).toEqual({});
  for (const bad of ["hunter2", ":hunter2", "ci:", "", "my hunter2:x"])
    expect(await message(config(bad), ["registryAuth"])).toBe(
      "Error|stacks/Pulumi.test.yaml: one error\n  registryAuth.registry.example.no:5000: [secret]: must be user:password",
    );
  expect(await message(config("ci:hunter2"))).toBe(
    "Error|stacks/Pulumi.test.yaml: one error\n" +
      "  registryAuth.registry.example.no:5000: is a secret in plain text; set it with: pulumi config set --secret --path 'registryAuth[\"registry.example.no:5000\"]'",
  );
});

test("one login in plain text beside an encrypted one is seen in the file", async () => {
  const text = `config:\n  oslo-faas:host: ${JSON.stringify(host)}\n  oslo-faas:registryAuth:\n    a.example.no: {secure: "${CIPHER}"}\n    b.example.no: ci:hunter2\n`;
  fs.writeFileSync("stacks/Pulumi.test.yaml", text);
  const registryAuth = { "a.example.no": "ci:x", "b.example.no": "ci:hunter2" };
  expect(await message({ host, registryAuth }, ["registryAuth"])).toBe(
    "Error|stacks/Pulumi.test.yaml: one error\n" +
      "  registryAuth.b.example.no: is a secret in plain text; set it with: pulumi config set --secret --path 'registryAuth[\"b.example.no\"]' (stacks/Pulumi.test.yaml:5)",
  );
});

test("functions may be one file, or files and mappings", async () => {
  const functions = async (value: unknown) => (await load({ host, functions: value })).functions;
  expect(await functions("a.yml")).toEqual([{ stack: "a.yml" }]);
  expect(await functions(["a.yml", { stack: "b.yml", only: ["x"] }])).toEqual([
    { stack: "a.yml" },
    { stack: "b.yml", only: ["x"] },
  ]);
  expect(await message({ host, functions: ["a.yml", { stack: "a.yml" }] })).toContain(
    'functions.1.stack: "a.yml": repeats functions.0',
  );
});

test("a secret in plain text is refused, and not shown", async () => {
  expect(await message({ host, gatewayPassword: "hunter2" })).toBe(
    "Error|stacks/Pulumi.test.yaml: one error\n  gatewayPassword: is a secret in plain text; set it with: pulumi config set --secret gatewayPassword",
  );
});

test("a secret inside of another key is refused, and nothing of that key is shown", async () => {
  const text = await message({ host, nginx: { user: "Hunter2", token: "hunter2", keepalive: "hunter2" } }, [
    "nginx",
  ]);
  expect(text).toContain(
    "nginx: contains a secret, which is not read here; secrets are separate top-level keys: gatewayPassword, functionSecrets",
  );
  expect(text).toContain("nginx.user: [secret]: must be a user's name");
  expect(text).not.toMatch(/hunter2/i);
});

test("country: NO means Norway", async () => {
  // What the engine makes of `country: NO` (see the end-to-end test): the text.
  expect((await load({ host, location: { country: "NO" } })).location.country).toBe("NO");
  expect(await message({ host, location: { country: false } })).toContain(
    'location.country: false: must be a two-letter country code in capitals (ISO 3166), such as "NO"; did you mean "NO"?',
  );
});

test("an error says the file's line, in the base too, if the engine read that file", async () => {
  fs.writeFileSync("stacks/base.yaml", "config:\n  oslo-faas:nginx:\n    keepAlive: 1\n");
  const text = `config:\n  oslo-faas:extends: stacks/base.yaml\n  oslo-faas:host: ${JSON.stringify({ ...host, port: 0 })}\n`;
  fs.writeFileSync("stacks/Pulumi.test.yaml", text);
  const config = { extends: "stacks/base.yaml", host: { ...host, port: 0 } };
  expect(await message(config)).toBe(
    "Error|stacks/Pulumi.test.yaml: 2 errors\n" +
      "  host.port: 0: must be a whole number from 1 to 65535 (stacks/Pulumi.test.yaml:3)\n" +
      "  nginx.keepAlive: unknown, did you mean nginx.keepalive? (stacks/base.yaml:3)",
  );
  // With --config-file or --config the engine's values are not those of the file.
  expect(await message({ ...config, host: { ...host, port: -1 } })).not.toContain("Pulumi.test.yaml:3");
});

test("the host's key may be in a file; one that is not there has a message", async () => {
  fs.writeFileSync("k.pub", `${KEY} root@host\n`);
  expect((await load({ host: { address: "a", hostKeyFile: "k.pub" } })).pinnedHostKey).toBe(KEY);
  expect(await message({ host: { address: "a", hostKeyFile: "no.pub" } })).toContain(
    "host.hostKeyFile: no.pub cannot be read",
  );
});

test("the comment behind a host key is dropped, also for the jump host", async () => {
  const jump = { address: "bastion.example.no", hostKey: `${KEY} root@bastion "x" 100%` };
  const env = await load({ host: { ...host, hostKey: `${KEY} root@host`, jump } });
  expect([env.pinnedHostKey, env.host.jump!.hostKey]).toEqual([KEY, KEY]);
});

test("a webhook's URL may be a secret, and has to be a URL all the same", async () => {
  const url = "https://hooks.example.no/T/SECRET?token=hunter2";
  const env = await load({ host, alertWebhookUrl: url }, ["alertWebhookUrl"]);
  expect(await new Promise((resolve) => env.alertWebhookUrl!.apply(resolve))).toBe(url);
  expect(await (env.alertWebhookUrl as unknown as { isSecret: Promise<boolean> }).isSecret).toBe(true);
  const heading = "Error|stacks/Pulumi.test.yaml: one error\n  ";
  expect(await message({ host, alertWebhookUrl: "hooks.example.no/hunter2" }, ["alertWebhookUrl"])).toBe(
    `${heading}alertWebhookUrl: [secret]: must be a URL with http:// or https://`,
  );
  expect(await message({ host, alertWebhookUrl: url })).toBe(
    `${heading}alertWebhookUrl: is a secret in plain text; set it with: pulumi config set --secret alertWebhookUrl`,
  );
  expect(await message({ host, alerts: { webhook: { url } } })).toBe(
    `${heading}alerts.webhook.url: "https://hooks.example.no/[hidden]": contains the parameter token; set the whole URL as the secret alertWebhookUrl instead`,
  );
  const both = { host, alertWebhookUrl: url, alerts: { webhook: { url: "https://a.example.no" } } };
  expect(await message(both, ["alertWebhookUrl"])).toContain("contradicts the secret alertWebhookUrl");
});

test("a login at a mail server needs its password", async () => {
  const email = { to: ["a@b.no"], from: "a@b.no", smarthost: "b.no:25", username: "a" };
  expect(await message({ host, alerts: { email } })).toContain(
    "pulumi config set --secret alertSmtpPassword",
  );
  const env = await load({ host, alerts: { email }, alertSmtpPassword: "hunter2" }, ["alertSmtpPassword"]);
  expect(env.alerts.email!.username).toBe("a");
});

test("the name of a base that is a secret is in no message", async () => {
  const text = await message({ host, extends: "hunter2.yaml" }, ["extends"]);
  expect(text).toContain("extends: contains a secret, which is not read here");
  expect(text).not.toContain("hunter2");
});
