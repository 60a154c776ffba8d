/** The provider under the real engine, against a real sshd: what a person sees and what the state holds, from create to destroy. */
import * as fs from "node:fs";
import * as path from "node:path";
import { PulumiProject } from "./pulumiProject";
import { type Sshd, startSshd } from "./sshd";

const PROGRAM = `
import * as fs from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import * as host from "SDK";
const input = JSON.parse(fs.readFileSync(__dirname + "/input.json", "utf8"));
const provider = new host.Provider("connection", input.connection);
const file = new host.File("config", { ...input.file }, { provider });
const secret = new host.File("secret", { path: input.secretPath, content: pulumi.secret(input.canary), mode: "0600" }, { provider });
const password = new host.Password("password", {}, { provider });
new host.File("from-output", { path: input.secretPath + ".2", content: pulumi.interpolate\`password=\${password.value}\\n\` }, { provider });
export const sum = file.sha256;
export const secretSum = secret.sha256;
`;
const LINES = Array.from({ length: 30 }, (_, index) => `setting_${index} = ${index}`);
const CANARY = "canary-93c1-never-to-be-seen";

let sshd: Sshd;
let project: PulumiProject;
let base: string;
let content: string;

beforeAll(async () => {
  sshd = await startSshd();
  project = await PulumiProject.make(PROGRAM);
  base = path.join(sshd.dir, "etc");
  content = `${LINES.join("\n")}\n`;
  input();
});
afterAll(async () => {
  project?.remove();
  await sshd?.stop();
});

const target = (): string => path.join(base, "app.conf");
const log = (): string => path.join(sshd.dir, "reloads");
function input(more: { file?: object; connection?: object; canary?: string } = {}): void {
  project.input({
    connection: {
      host: "127.0.0.1",
      port: sshd.port,
      hostKey: sshd.hostKeys.ed25519,
      privateKeyPath: sshd.privateKeyPath,
      ...more.connection,
    },
    file: { path: target(), content, onChange: [`echo reloaded >> ${log()}`], ...more.file },
    secretPath: path.join(base, "secret"),
    canary: more.canary ?? CANARY,
  });
}
const reloads = (): number => fs.readFileSync(log(), "utf8").trim().split("\n").length;

test("the first up makes it, over one connection, and a preview before needs no host", async () => {
  const preview = await project.ok("preview", "--stack", "test");
  expect(preview.text).toMatch(/6 to create|5 to create|\+ 6/);
  expect(sshd.logins()).toBe(0);
  const up = await project.ok("up", "--yes", "--skip-preview", "--stack", "test");
  expect(sshd.logins()).toBe(1);
  expect(fs.readFileSync(target(), "utf8")).toBe(content);
  expect(fs.readFileSync(path.join(base, "secret"), "utf8")).toBe(CANARY);
  expect(fs.statSync(path.join(base, "secret")).mode & 0o777).toBe(0o600);
  expect(fs.readFileSync(path.join(base, "secret.2"), "utf8")).toMatch(/^password=[\w-]{32}\n$/);
  expect(up.text).not.toContain(CANARY);
  expect(reloads()).toBe(1);
});

test("the second up changes nothing and does not connect", async () => {
  const before = sshd.logins();
  await project.ok("up", "--yes", "--expect-no-changes", "--stack", "test");
  expect(sshd.logins()).toBe(before);
});

test("a changed line is shown as that line", async () => {
  content = content.replace("setting_7 = 7", "setting_7 = seven");
  input();
  const { text } = await project.ok("preview", "--diff", "--stack", "test");
  expect(changedLines(text)).toEqual(["- setting_7 = 7", "+ setting_7 = seven"]);
  await project.ok("up", "--yes", "--skip-preview", "--stack", "test");
  expect(fs.readFileSync(target(), "utf8")).toBe(content);
  expect(reloads()).toBe(2);
});

test("a change of the commands alone runs none of them", async () => {
  input({ file: { onChange: [`echo again >> ${log()}`] } });
  await project.ok("up", "--yes", "--skip-preview", "--stack", "test");
  expect(reloads()).toBe(2);
  input();
  await project.ok("up", "--yes", "--skip-preview", "--stack", "test");
  expect(reloads()).toBe(2);
});

test("drift is shown line by line, mode too, and repaired", async () => {
  fs.writeFileSync(target(), content.replace("setting_20 = 20", "setting_20 = by hand"));
  fs.chmodSync(target(), 0o600);
  const drift = await project.ok("refresh", "--preview-only", "--diff", "--stack", "test");
  expect(changedLines(drift.text).sort()).toEqual(["+ setting_20 = by hand", "- setting_20 = 20"].sort());
  expect(drift.text).toMatch(/mode *: "0644" => "0600"/);
  await project.ok("up", "--refresh", "--yes", "--skip-preview", "--stack", "test");
  expect(fs.readFileSync(target(), "utf8")).toBe(content);
  expect(fs.statSync(target()).mode & 0o777).toBe(0o644);
  const after = await project.ok("refresh", "--preview-only", "--expect-no-changes", "--stack", "test");
  expect(after.code).toBe(0);
});

test("a file that is gone is made again", async () => {
  fs.rmSync(target());
  const drift = await project.ok("refresh", "--preview-only", "--diff", "--stack", "test");
  expect(drift.text).toMatch(/- host:index:File: \(delete\)/);
  await project.ok("up", "--refresh", "--yes", "--skip-preview", "--stack", "test");
  expect(fs.readFileSync(target(), "utf8")).toBe(content);
});

test("a secret that drifted is a change, and nobody sees what to", async () => {
  const secret = path.join(base, "secret");
  fs.writeFileSync(secret, "other-canary-5127");
  const drift = await project.ok("refresh", "--preview-only", "--diff", "--stack", "test");
  expect(drift.text).toMatch(/content *: \[secret\]/);
  expect(drift.text).not.toContain("other-canary-5127");
  await project.ok("up", "--refresh", "--yes", "--skip-preview", "--stack", "test");
  expect(fs.readFileSync(secret, "utf8")).toBe(CANARY);
});

test("a change of the secret shows neither", async () => {
  input({ canary: `${CANARY}-second` });
  const { text } = await project.ok("up", "--yes", "--diff", "--stack", "test");
  expect(text).not.toContain(CANARY);
  expect(text).toContain("[secret]");
  input();
  await project.ok("up", "--yes", "--skip-preview", "--stack", "test");
});

test("the state holds no secret in plain text, nor the file that was there before, nor a key", async () => {
  const state = await project.state();
  expect(state).not.toContain(CANARY);
  expect(state).not.toContain(fs.readFileSync(path.join(base, "secret.2"), "utf8").trim().slice(9));
  expect(state).not.toContain("PRIVATE KEY");
  const secret = JSON.parse(state).deployment.resources.find((one: { urn: string }) =>
    one.urn.endsWith("::secret"),
  );
  expect(secret.outputs.sha256).toHaveProperty("ciphertext");
});

test("a failing command after a change: its output, the old file, and an up that can be repeated", async () => {
  input({ file: { content: `${content}broken = 1\n`, onChange: [`! grep -n broken ${target()}`] } });
  const { code, text } = await project.run("up", "--yes", "--skip-preview", "--stack", "test");
  expect(code).not.toBe(0);
  expect(text).toContain("31:broken = 1");
  expect(text).toContain("the file before it was put back and the commands were run again");
  expect(text).not.toMatch(/^\s+at .*\.(ts|js|cjs):/m);
  expect(fs.readFileSync(target(), "utf8")).toBe(content);
  input();
  await project.ok("up", "--yes", "--skip-preview", "--stack", "test");
});

test("wrong inputs: all at once, each with its property", async () => {
  input({ file: { path: "etc/motd", mode: "rw-r--r--", contents: "x" } });
  const { code, text } = await project.run("preview", "--stack", "test");
  expect(code).not.toBe(0);
  expect(text).toContain('path must be an absolute path to a file, e.g. "/etc/motd" (it is "etc/motd")');
  expect(text).toContain('mode must be octal digits, e.g. "0644" (it is "rw-r--r--")');
  expect(text).toContain("there is no property contents; there is: content,");
  input({ canary: `${CANARY}\0` });
  const secret = await project.run("preview", "--stack", "test");
  expect(secret.text).toContain("content must be text");
  expect(secret.text).not.toContain(CANARY);
  input();
});

test("a connection without a host key is refused before anything connects", async () => {
  const before = sshd.logins();
  input({ connection: { hostKey: "ssh-ed25519", port: 0 } });
  const { code, text } = await project.run("preview", "--stack", "test");
  expect(code).not.toBe(0);
  expect(text).toContain("hostKey must be the host's public key");
  expect(text).toContain("port Too small");
  expect(sshd.logins()).toBe(before);
  input();
});

test("a changed connection is an update of the connection and replaces nothing", async () => {
  input({ connection: { dialTimeoutSeconds: 9, host: "localhost" } });
  const { text } = await project.ok("up", "--yes", "--diff", "--stack", "test");
  expect(text).not.toContain("replace");
  expect(text).toMatch(/1 updated/);
  input();
  await project.ok("up", "--yes", "--skip-preview", "--stack", "test");
});

test("destroy takes it away", async () => {
  await project.ok("destroy", "--yes", "--skip-preview", "--stack", "test");
  expect(fs.existsSync(base)).toBe(false);
  expect(sshd.log()).not.toContain(CANARY);
});

/** Lines of a diff that were added or removed, without what stands around them. */
function changedLines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^[-+] setting_/.test(line));
}
