/** The npm package in a folder of its own, as a team installs it: nothing of this clone is in reach. */
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { loadLab } from "../../lab/config";
import { resolveToolchain } from "../../lab/toolchain/resolve";
import { ownLab } from "../e2e/ownLab";
import { type Sshd, startSshd } from "./sshd";

const CLONE = path.resolve(__dirname, "../..");
const INSTALL_MS = 15 * 60_000;

let folder: string;
let team: string;
let sshd: Sshd;
let env: NodeJS.ProcessEnv;

const file = (name: string) => path.join(team, name);
const ok = (program: string, ...args: string[]) =>
  execFileSync(program, args, { cwd: team, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-package-"));
  team = path.join(folder, "team");
  fs.mkdirSync(team);
  sshd = await startSshd();
  const toolchain = await resolveToolchain({ quiet: true });
  env = {
    ...toolchain.env,
    PATH: [path.dirname(toolchain.pulumi), toolchain.env.PATH].join(path.delimiter),
    PULUMI_CONFIG_PASSPHRASE: "test",
    OSLO_FAAS_TOOLCHAIN: toolchain.kind,
  };
  const pack = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], {
    cwd: CLONE,
    encoding: "utf8",
  });
  const [{ filename }] = JSON.parse(pack.slice(pack.indexOf("["))) as [{ filename: string }];
  ok("npm", "init", "-y");
  ok("npm", "i", "--prefer-offline", "--no-audit", "--no-fund", path.join(folder, filename));
  ok("git", "init", "-q", "-b", "main");
  ok("npx", "oslo-faas", "init", "dev");
}, INSTALL_MS);

afterAll(async () => {
  await sshd.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

test("init: writes a repository and overwrites nothing", () => {
  expect(fs.readFileSync(file("index.ts"), "utf8").trim().split("\n")).toHaveLength(3);
  fs.writeFileSync(file("README.md"), "ours\n");
  expect(ok("npx", "oslo-faas", "init", "dev")).toContain("README.md: kept");
  expect(fs.readFileSync(file("README.md"), "utf8")).toBe("ours\n");
});

test("env validate: takes what init wrote, and names a mistake", () => {
  expect(ok("npx", "oslo-faas", "env", "validate")).toContain("stacks/Pulumi.dev.yaml");
  fs.copyFileSync(file("stacks/Pulumi.dev.yaml"), file("stacks/Pulumi.bad.yaml"));
  fs.appendFileSync(file("stacks/Pulumi.bad.yaml"), "  oslo-faas:nginx:\n    keepalive: many\n");
  const { status, stdout, stderr } = spawnSync("npx", ["oslo-faas", "env", "validate"], {
    cwd: team,
    env,
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(stdout + stderr).toContain("keepalive");
  fs.rmSync(file("stacks/Pulumi.bad.yaml"));
});

test("env new: leads to the schema and the reference in the package; env generate is refused", () => {
  const known = ["--host-key", sshd.config().hostKey];
  ok("npx", "oslo-faas", "env", "new", "more", "--address", "203.0.113.9", "--no-preview", ...known);
  const [first, , third] = fs.readFileSync(file("stacks/Pulumi.more.yaml"), "utf8").split("\n");
  const schema = /\$schema=(\S+)$/.exec(first!)![1]!;
  const reference = /unit: (\S+)\. /.exec(third!)![1]!;
  for (const named of [file(path.join("stacks", schema)), file(reference)])
    expect([named, fs.existsSync(named)]).toEqual([named, true]);
  fs.rmSync(file("stacks/Pulumi.more.yaml"));
  const refused = spawnSync("npx", ["oslo-faas", "env", "generate"], { cwd: team, env, encoding: "utf8" });
  expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining("nothing was written")]);
  expect(fs.existsSync(file("docs"))).toBe(false);
});

test("pulumi preview: needs no host", () => {
  ok("pulumi", "stack", "init", "dev", "--non-interactive");
  const text = ok("pulumi", "preview", "-s", "dev", "--non-interactive");
  expect(text).toContain("oslo-faas:index:OsloFaas");
  expect(text).toContain("oslo-faas:index:Nginx");
});

test("preview --base main: shows what a change of the environment does", () => {
  ok("git", "add", "-A");
  ok("git", "-c", "user.name=t", "-c", "user.email=t@example.no", "commit", "-qm", "first");
  const stackFile = fs.readFileSync(file("stacks/Pulumi.dev.yaml"), "utf8");
  // Pulumi has written `encryptionsalt` at the end by now.
  fs.writeFileSync(
    file("stacks/Pulumi.dev.yaml"),
    stackFile.replace(/^config:\n/m, "config:\n  oslo-faas:nginx:\n    keepalive: 32\n"),
  );
  expect(ok("npx", "oslo-faas", "preview", "--base", "main")).toContain("keepalive 32;");
});

test("functions new: makes a function from the package's template", () => {
  ok("npx", "oslo-faas", "functions", "new", "resize", "--lang", "python");
  expect(fs.existsSync(file("functions/resize/handler.py"))).toBe(true);
  expect(fs.readFileSync(file("functions/stack.yml"), "utf8")).toContain("handler: ./resize");
});

test("a program of one's own: host.File on a host, and a mistake of Nginx's arguments named", () => {
  const target = path.join(folder, "there");
  const { host, port, user, privateKeyPath, hostKey } = sshd.config();
  const program = (more: string) => `import * as host from "oslo-faas/host";
import { Nginx } from "oslo-faas";
const provider = new host.Provider("h", ${JSON.stringify({ host, port, user, privateKeyPath, hostKey })});
new host.File("f", { path: ${JSON.stringify(target)}, content: "hello\\n" }, { provider });
${more}`;
  fs.writeFileSync(file("index.ts"), program(""));
  ok("pulumi", "stack", "init", "own", "--non-interactive");
  ok("pulumi", "up", "-s", "own", "--yes", "--skip-preview", "--non-interactive");
  expect(fs.readFileSync(target, "utf8")).toBe("hello\n");
  fs.writeFileSync(
    file("index.ts"),
    program(`new Nginx("web", { keepalive: 64, workerConnections: 64 }, { provider });\n`),
  );
  const preview = ["preview", "-s", "own", "--non-interactive"];
  const refused = spawnSync("pulumi", preview, { cwd: team, env, encoding: "utf8" });
  expect(refused.status).not.toBe(0);
  expect(refused.stdout + refused.stderr).toContain(
    "Nginx web: keepalive: 64: must be below workerConnections 64",
  );
  ok("pulumi", "destroy", "-s", "own", "--yes", "--skip-preview", "--non-interactive");
  expect(fs.existsSync(target)).toBe(false);
});

test("Nginx alone: comes up on a host that has nothing else, and goes", async () => {
  const labEnv = { ...process.env, ...ownLab("plugin") };
  const lab = loadLab(labEnv);
  const cli = (...args: string[]) =>
    execFileSync(process.execPath, ["--import", "tsx", "lab/cli.ts", ...args], { cwd: CLONE, env: labEnv });
  const stack = (verb: string, ...more: string[]) =>
    ok("pulumi", verb, "-s", "alone", "--non-interactive", ...more);
  const door = () =>
    fetch(`http://127.0.0.1:${lab.ports.http}/function/hello`).then(
      ({ status, headers }) => `${status} ${headers.get("server")}`,
      () => "nothing",
    );
  cli("host");
  try {
    const ssh = path.join(lab.cacheDir, "ssh");
    const connection = {
      host: "127.0.0.1",
      port: lab.ports.ssh,
      user: "root",
      hostKey: fs.readFileSync(path.join(ssh, "host_ed25519.pub"), "utf8").trim(),
      privateKeyPath: path.join(ssh, "id_ed25519"),
    };
    fs.writeFileSync(
      file("index.ts"),
      `import * as host from "oslo-faas/host";
import { Nginx } from "oslo-faas";
const provider = new host.Provider("h", ${JSON.stringify(connection)});
new Nginx("web", { keepalive: 99 }, { provider });
`,
    );
    ok("pulumi", "stack", "init", "alone", "--non-interactive");
    stack("up", "--yes", "--skip-preview");
    // Nginx answers, and the gateway that it asks is not there.
    expect(await door()).toBe("502 nginx");
    stack("preview", "--expect-no-changes");
    stack("destroy", "--yes", "--skip-preview");
    expect(await door()).toBe("nothing");
  } finally {
    cli("down", "--fast");
  }
}, 600_000);
