/** What the engine itself writes as a secret is one here: the form is asked of every file, so a wrong idea of it would stop every environment. */
import * as path from "node:path";
import { readEnvironment } from "../../environment/files";
import { stackFileJsonSchema } from "../../cli/env/jsonSchema";
import Ajv from "ajv";
import { parse } from "yaml";
import { PreviewRepo } from "./previewRepo";

let repo: PreviewRepo;
beforeAll(() => (repo = new PreviewRepo()));
afterAll(() => repo.remove());

const STACK = "oslo-dev";

async function pulumi(...args: string[]): Promise<void> {
  const env = {
    PULUMI_BACKEND_URL: `file://${path.join(repo.dir, ".git")}`,
    PULUMI_CONFIG_PASSPHRASE: "of-this-test",
  };
  const { code, out, err } = await repo.run([process.execPath, "dev/bootstrap.mjs", "pulumi", ...args], env);
  if (code !== 0) throw new Error(`pulumi ${args.join(" ")}\n${out}${err}`);
}

test("secrets as the engine encrypts them, an empty one and a long one too", async () => {
  await pulumi("stack", "init", STACK, "--no-select");
  const set = (...args: string[]) => pulumi("config", "set", "--secret", "-s", STACK, ...args);
  await set("gatewayPassword", "hunter2");
  await set("alertWebhookToken", "");
  await set("alertWebhookUrl", `https://hooks.example.no/${"a".repeat(2000)}`);
  await set("--path", "functionSecrets.api-key", "hunter2");
  const text = repo.read(`stacks/Pulumi.${STACK}.yaml`);
  expect(text).toMatch(/^encryptionsalt: /m);
  expect(text.match(/secure: /g)).toHaveLength(4);
  const { problems, layers } = readEnvironment(STACK, repo.dir);
  expect(problems).toEqual([]);
  expect(layers[0]!.secrets.sort()).toEqual([
    "alertWebhookToken",
    "alertWebhookUrl",
    "functionSecrets",
    "gatewayPassword",
  ]);
  const ajv = new Ajv({ strict: true, strictTypes: false, allowUnionTypes: true });
  ajv.addKeyword("errorMessage");
  const validate = ajv.compile(stackFileJsonSchema());
  expect([validate(parse(text)), validate.errors]).toEqual([true, null]);
});
