/** The copy of a stack file that a preview uses: nothing of a secret in it, all the rest as it was. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { environmentFrom } from "../../../../environment/files";
import { copyWithDummies } from "../../../../cli/preview/stackFile";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
const SALT = "v1:AAAAAAAAAAA=:v1:x:y";
let dir: string;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-stackfile-"));
  fs.mkdirSync(path.join(dir, "stacks"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

async function copy(text: string) {
  fs.writeFileSync(path.join(dir, "stacks/Pulumi.oslo-dev.yaml"), text);
  const { text: copied, dummies } = await copyWithDummies("oslo-dev", dir, SALT, (texts) =>
    Promise.resolve(texts.map((one) => `v1:AAAAAAAAAAAAAAAA:${Buffer.from(one).toString("base64")}`)),
  );
  const file = JSON.parse(copied) as { config: Record<string, unknown> } & Record<string, unknown>;
  return { file, copied, dummies };
}

const decrypted = (value: unknown) =>
  Buffer.from((value as { secure: string }).secure.split(":")[2]!, "base64").toString();

const own = `  oslo-faas:host:\n    address: a.example.no\n    hostKey: ${KEY}\n`;

test("each secret becomes a dummy that is encrypted for the preview, and is named; who encrypts it is left out", async () => {
  const text = (secure: string) =>
    `encryptionsalt: v1:theirs\nsecretsprovider: awskms://key\nencryptedkey: xyz\nconfig:\n${own}  oslo-faas:gatewayPassword:\n    secure: ${secure}\n`;
  const { file, copied, dummies } = await copy(text("v1:abc:realciphertext"));
  expect(Object.keys(file).sort()).toEqual(["config", "encryptionsalt"]);
  expect(file.encryptionsalt).toBe(SALT);
  expect(copied).not.toMatch(/realciphertext|theirs|awskms/);
  const dummy = decrypted(file.config["oslo-faas:gatewayPassword"]);
  expect(dummy).toMatch(/^dummy-for-the-preview-[0-9a-f]{12}$/);
  expect(dummies).toEqual(["`gatewayPassword` (a secret)"]);
  // The same ciphertext is the same secret on both sides, another one is another.
  expect(
    decrypted((await copy(text("v1:abc:realciphertext"))).file.config["oslo-faas:gatewayPassword"]),
  ).toBe(dummy);
  expect(decrypted((await copy(text("v1:abc:another"))).file.config["oslo-faas:gatewayPassword"])).not.toBe(
    dummy,
  );
});

test("a login becomes one that can be read as a login", async () => {
  const login = `  oslo-faas:registryAuth:\n    registry.example.no:\n      secure: v1:abc:x\n`;
  const { file, dummies } = await copy(`config:\n${own}${login}`);
  const logins = file.config["oslo-faas:registryAuth"] as Record<string, unknown>;
  expect(decrypted(logins["registry.example.no"])).toMatch(/^dummy:dummy-for-the-preview-[0-9a-f]{12}$/);
  expect(dummies).toEqual(["`registryAuth.registry.example.no` (a secret)"]);
});

test("all else is as it was: lists, maps, numbers as the engine reads them, what the base says", async () => {
  fs.writeFileSync(path.join(dir, "stacks/base.yaml"), "config:\n  oslo-faas:nginx:\n    backlog: 1024\n");
  const { file, dummies } = await copy(
    `config:\n  pulumi:disable-default-providers: [docker, host]\n  oslo-faas:extends: stacks/base.yaml\n${own}  oslo-faas:nginx:\n    keepalive: 0144\n`,
  );
  expect(dummies).toEqual([]);
  expect(file.config).toEqual({
    "pulumi:disable-default-providers": ["docker", "host"],
    "oslo-faas:extends": "stacks/base.yaml",
    "oslo-faas:host": { address: "a.example.no", hostKey: KEY },
    "oslo-faas:nginx": { keepalive: 100 },
  });
});

test("a host key in a file that is not here becomes one that no host has, and the whole is still valid", async () => {
  fs.writeFileSync(
    path.join(dir, "stacks/base.yaml"),
    "config:\n  oslo-faas:host:\n    hostKeyFile: .cache/key.pub\n    user: ops\n",
  );
  const text =
    "config:\n  oslo-faas:extends: stacks/base.yaml\n  oslo-faas:host:\n    address: a.example.no\n  oslo-faas:gatewayPassword:\n    secure: v1:a:b\n";
  const { file, copied, dummies } = await copy(text);
  expect(dummies).toEqual([
    "`gatewayPassword` (a secret)",
    "`host.hostKeyFile` (.cache/key.pub is not on this machine)",
  ]);
  const { problems, environment } = environmentFrom(copied, { name: "oslo-dev", root: dir, file: "copy" });
  expect(problems).toEqual([]);
  expect(environment!.host).toMatchObject({ user: "ops", address: "a.example.no" });
  expect(environment!.host.hostKey).toMatch(/^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA{43}$/);
  expect(file.config["oslo-faas:extends"]).toBeUndefined();
  fs.mkdirSync(path.join(dir, ".cache"));
  fs.writeFileSync(path.join(dir, ".cache/key.pub"), KEY);
  expect((await copy(text)).dummies).toEqual(["`gatewayPassword` (a secret)"]);
});

test("a file that is not YAML does not count as empty", async () => {
  await expect(copy("config: [")).rejects.toThrow("cannot be read as YAML");
});

test("the dummy of a webhook's URL is a URL, as the program wants one", async () => {
  const { file } = await copy(`config:\n${own}  oslo-faas:alertWebhookUrl:\n    secure: v1:a:b\n`);
  expect(decrypted(file.config["oslo-faas:alertWebhookUrl"])).toMatch(
    /^https:\/\/dummy\.invalid\/dummy-for-the-preview-[0-9a-f]{12}$/,
  );
});
