/** The copy of a stack file that a preview uses: nothing of a secret in it, all the rest as it was. */
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { environmentFrom } from "../../../../environment/files";
import { copyWithDummies } from "../../../../cli/preview/stackFile";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
const cipher = { salt: "v1:AAAAAAAAAAA=:v1:x:y", passphrase: "of-the-preview" };
let dir: string;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-stackfile-"));
  fs.mkdirSync(path.join(dir, "stacks"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

function copy(text: string) {
  fs.writeFileSync(path.join(dir, "stacks/Pulumi.oslo-dev.yaml"), text);
  const { text: copied, dummies } = copyWithDummies("oslo-dev", dir, cipher);
  const file = JSON.parse(copied) as { config: Record<string, unknown> } & Record<string, unknown>;
  return { file, copied, dummies };
}

/** A second's work each time. */
const keyOf = (passphrase: string, salt: string) =>
  crypto.pbkdf2Sync(passphrase, Buffer.from(salt, "base64"), 1_000_000, 32, "sha256");
let key: Buffer;
beforeAll(() => {
  key = keyOf(cipher.passphrase, cipher.salt.split(":")[1]!);
});

/** As the engine would, with the passphrase. */
function decrypted(value: unknown): string {
  const [, nonce, sealed] = (value as { secure: string }).secure.split(":");
  const bytes = Buffer.from(sealed!, "base64");
  const open = crypto.createDecipheriv("aes-256-gcm", key, Buffer.from(nonce!, "base64"));
  open.setAuthTag(bytes.subarray(-16));
  return open.update(bytes.subarray(0, -16), undefined, "utf8") + open.final("utf8");
}

const own = `  oslo-faas:host:\n    address: a.example.no\n    hostKey: ${KEY}\n`;

test("each secret becomes a dummy that the preview's passphrase opens, and is named; who encrypts it is left out", () => {
  const text = (secure: string) =>
    `encryptionsalt: v1:theirs\nsecretsprovider: awskms://key\nencryptedkey: xyz\nconfig:\n${own}  oslo-faas:gatewayPassword:\n    secure: ${secure}\n`;
  const { file, copied, dummies } = copy(text("v1:abc:realciphertext"));
  expect(Object.keys(file).sort()).toEqual(["config", "encryptionsalt"]);
  expect(file.encryptionsalt).toBe(cipher.salt);
  expect(copied).not.toMatch(/realciphertext|theirs|awskms/);
  const dummy = decrypted(file.config["oslo-faas:gatewayPassword"]);
  expect(dummy).toMatch(/^dummy-for-the-preview-[0-9a-f]{12}$/);
  expect(dummies).toEqual(["`gatewayPassword` (a secret)"]);
  // The same ciphertext is the same secret on both sides, another one is another.
  expect(decrypted(copy(text("v1:abc:realciphertext")).file.config["oslo-faas:gatewayPassword"])).toBe(dummy);
  expect(decrypted(copy(text("v1:abc:another")).file.config["oslo-faas:gatewayPassword"])).not.toBe(dummy);
});

test("a login becomes one that can be read as a login", () => {
  const login = `  oslo-faas:registryAuth:\n    registry.example.no:\n      secure: v1:abc:x\n`;
  const { file, dummies } = copy(`config:\n${own}${login}`);
  const logins = file.config["oslo-faas:registryAuth"] as Record<string, unknown>;
  expect(decrypted(logins["registry.example.no"])).toMatch(/^dummy:dummy-for-the-preview-[0-9a-f]{12}$/);
  expect(dummies).toEqual(["`registryAuth.registry.example.no` (a secret)"]);
});

test("all else is as it was: lists, maps, numbers as the engine reads them, what the base says", () => {
  fs.writeFileSync(path.join(dir, "stacks/base.yaml"), "config:\n  oslo-faas:nginx:\n    backlog: 1024\n");
  const { file, dummies } = copy(
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

test("a host key in a file that is not here becomes one that no host has, and the whole is still valid", () => {
  fs.writeFileSync(
    path.join(dir, "stacks/base.yaml"),
    "config:\n  oslo-faas:host:\n    hostKeyFile: .cache/key.pub\n    user: ops\n",
  );
  const text =
    "config:\n  oslo-faas:extends: stacks/base.yaml\n  oslo-faas:host:\n    address: a.example.no\n  oslo-faas:gatewayPassword:\n    secure: v1:a:b\n";
  const { file, copied, dummies } = copy(text);
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
  expect(copy(text).dummies).toEqual(["`gatewayPassword` (a secret)"]);
});

test("a file that is no YAML is not made into an empty one", () => {
  expect(() => copy("config: [")).toThrow();
});

test("the dummy of a webhook's URL is a URL, as the program wants one", () => {
  const { file } = copy(`config:\n${own}  oslo-faas:alertWebhookUrl:\n    secure: v1:a:b\n`);
  expect(decrypted(file.config["oslo-faas:alertWebhookUrl"])).toMatch(
    /^https:\/\/dummy\.invalid\/dummy-for-the-preview-[0-9a-f]{12}$/,
  );
});
