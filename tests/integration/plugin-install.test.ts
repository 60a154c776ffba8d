/** The archives of both plugins, installed as `pulumi plugin install` does it, into a home of their own: nothing of the clone's is in reach. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { version } from "../../package.json";
import { resolveToolchain } from "../../lab/toolchain/resolve";
import { type Sshd, startSshd } from "./sshd";

const CLONE = path.resolve(__dirname, "../..");
const PLUGINS = ["host", "openfaas"];

let folder: string;
let sshd: Sshd;
let engine: (...args: string[]) => string;

const archive = (name: string, platform = "linux-amd64") =>
  path.join(folder, "archives", `pulumi-resource-${name}-v${version}-${platform}.tar.gz`);

/** Resource → what a program may give it. */
function schemaOf(text: string): Record<string, unknown> {
  const { resources } = JSON.parse(text) as { resources: Record<string, { inputProperties: object }> };
  return Object.fromEntries(
    Object.entries(resources).map(([type, { inputProperties }]) => [type, inputProperties]),
  );
}

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-plugins-"));
  sshd = await startSshd();
  const { pulumi, env } = await resolveToolchain({ quiet: true });
  const program = path.join(folder, "program");
  for (const name of ["home", "state", "program"]) fs.mkdirSync(path.join(folder, name));
  const own = {
    ...env,
    PULUMI_HOME: path.join(folder, "home"),
    PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "test",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  engine = (...args) =>
    execFileSync(pulumi, args, {
      cwd: program,
      env: own,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  execFileSync(process.execPath, [path.join(CLONE, "bundle/plugins.cjs"), path.join(folder, "archives")]);
}, 120_000);
afterAll(async () => {
  await sshd.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

test("an archive holds the same bytes when it is made again, for each platform", () => {
  const again = path.join(folder, "again");
  execFileSync(process.execPath, [path.join(CLONE, "bundle/plugins.cjs"), again]);
  expect(fs.readdirSync(again)).toHaveLength(8);
  for (const name of PLUGINS)
    for (const platform of ["linux-amd64", "darwin-arm64"])
      expect(fs.readFileSync(path.join(again, path.basename(archive(name, platform))))).toEqual(
        fs.readFileSync(archive(name)),
      );
}, 60_000);

test.each(PLUGINS)(
  "%s: is installed from its file, and prints its schema",
  (name) => {
    engine("plugin", "install", "resource", name, version, "--file", archive(name));
    const listed = JSON.parse(engine("plugin", "ls", "--json")) as { name: string; version: string }[];
    expect(listed).toContainEqual(expect.objectContaining({ name, version }));
    const printed = schemaOf(engine("package", "get-schema", `${name}@${version}`));
    // The engine leaves empty lists away, so what a program may write is compared.
    expect(printed).toEqual(
      schemaOf(fs.readFileSync(path.join(CLONE, "providers", name, "schema.json"), "utf8")),
    );
    expect(Object.keys(printed).length).toBeGreaterThan(1);
  },
  60_000,
);

test("a program that names no path to a plugin uses the installed one", () => {
  const { host, port, user, privateKeyPath, hostKey } = sshd.config();
  const target = path.join(folder, "there");
  const write = (name: string, text: string) => fs.writeFileSync(path.join(folder, "program", name), text);
  fs.symlinkSync(path.join(CLONE, "node_modules"), path.join(folder, "program", "node_modules"));
  write(
    "Pulumi.yaml",
    "name: plugins\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: index.js\n",
  );
  write(
    "index.js",
    `const host = require(${JSON.stringify(path.join(CLONE, "bundle/host.cjs"))});
const provider = new host.Provider("h", ${JSON.stringify({ host, port, user, privateKeyPath, hostKey })});
new host.File("f", { path: ${JSON.stringify(target)}, content: "hello\\n" }, { provider });
`,
  );
  engine("stack", "init", "dev", "--non-interactive");
  engine("up", "--yes", "--skip-preview", "--non-interactive", "-s", "dev");
  expect(fs.readFileSync(target, "utf8")).toBe("hello\n");
  engine("destroy", "--yes", "--skip-preview", "--non-interactive", "-s", "dev");
  expect(fs.existsSync(target)).toBe(false);
}, 180_000);
