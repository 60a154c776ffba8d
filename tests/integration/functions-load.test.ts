/** `npx oslo-faas functions build --load`, with a real engine as the developer's, another one as the host's, and a real sshd between them. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { stringify } from "yaml";
import { loadedImage } from "../../components/images/loaded";
import { readLock } from "../../components/images/lock";
import { packFunction } from "../../components/functions/build";
import { keygen, type Sshd, startSshd } from "./sshd";
import { Testbed } from "../../lab/testbed";

const ROOT = path.resolve(__dirname, "../..");
/** Stack files lie in the project. */
const folder = path.join(ROOT, ".cache", `functions-load-${process.pid}`);
const relative = (name: string) => path.relative(ROOT, path.join(folder, name));

let developer: Testbed;
let host: Testbed;
let sshd: Sshd;

const socket = (bed: Testbed) => `unix://${path.join(bed.dir, "docker.sock")}`;

beforeAll(async () => {
  [developer, host] = await Promise.all([Testbed.start(), Testbed.start()]);
  sshd = await startSshd({ config: [`SetEnv DOCKER_HOST=${socket(host)}`] });
  write("hei/Dockerfile", 'FROM scratch\nCOPY greeting /greeting\nCMD ["/greeting"]\n');
  write("hei/greeting", "hei\n");
  write(
    "stack.yml",
    "provider: { name: openfaas }\nfunctions:\n  hei: { lang: dockerfile, handler: ./hei, image: ghcr.io/example/hei:1 }\n",
  );
  environment();
}, 180_000);

afterAll(async () => {
  await sshd?.stop();
  await Promise.all([developer?.stop(), host?.stop()]);
  fs.rmSync(folder, { recursive: true, force: true });
}, 60_000);

function write(name: string, text: string): void {
  fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  fs.writeFileSync(path.join(folder, name), text);
}

function environment(more: { functions?: string; hostKey?: string } = {}): void {
  const { port, hostKeys, privateKeyPath } = sshd;
  const config = {
    host: { address: "127.0.0.1", port, hostKey: more.hostKey ?? hostKeys.ed25519, privateKeyPath },
    images: { functions: more.functions ?? "loaded", lock: relative("lock.json") },
    functions: [{ stack: relative("stack.yml") }],
  };
  const keyed = Object.entries(config).map(([key, value]) => [`oslo-faas:${key}`, value]);
  write("Pulumi.test.yaml", stringify({ config: Object.fromEntries(keyed) }));
}

function build(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      ...["--require", path.join(ROOT, "bundle/text.cjs"), "--import", "tsx"],
      path.join(ROOT, "cli/main.ts"),
      ...["functions", "build", "-s", "test", "--config-file", relative("Pulumi.test.yaml"), ...args],
    ],
    // Without BuildKit: the test's engines have the builder that every release has.
    {
      cwd: ROOT,
      encoding: "utf8",
      env: { ...process.env, DOCKER_HOST: socket(developer), DOCKER_BUILDKIT: "0" },
    },
  );
  return { status, stdout, all: stdout + stderr };
}

/** What `up` would run, by the same way the program takes. */
function deployed(): string | undefined {
  const at = process.cwd();
  process.chdir(ROOT);
  try {
    const given = { lang: "dockerfile", handler: "./hei", args: {}, copy: [] };
    const { hash } = packFunction("hei", given, relative("stack.yml"), {});
    return loadedImage("hei", hash, readLock(path.join(folder, "lock.json")));
  } finally {
    process.chdir(at);
  }
}

const imagesOnHost = async () =>
  (await host.docker.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []).sort();
const layers = async (bed: Testbed, name: string) =>
  (await bed.docker.getImage(name).inspect()).RootFS.Layers;

test("the image goes from the one engine onto the other, and its id is what an up runs", async () => {
  expect(deployed()).toBeUndefined();
  const built = build("--load");
  expect(built.all).toContain("was loaded onto root@127.0.0.1:");
  expect(built.status).toBe(0);
  const name = deployed()!;
  expect(name).toMatch(/^localhost\/oslo-faas\/fn-hei:[0-9a-f]{64}$/);
  expect(await imagesOnHost()).toEqual([name]);
  expect(await layers(host, name)).toEqual(await layers(developer, "ghcr.io/example/hei:1"));
  expect((await host.docker.getImage(name).inspect()).Config.Cmd).toEqual(["/greeting"]);
}, 120_000);

test("a second load finds the image on the host", () => {
  const before = fs.readFileSync(path.join(folder, "lock.json"), "utf8");
  const again = build("--load", "hei");
  expect(again.stdout).toContain(`${deployed()} is already on root@127.0.0.1:`);
  expect(fs.readFileSync(path.join(folder, "lock.json"), "utf8")).toBe(before);
}, 120_000);

test("another handler is nothing that was loaded, and becomes another image beside the first", async () => {
  const first = deployed()!;
  write("hei/greeting", "god dag\n");
  expect(deployed()).toBeUndefined();
  expect(build("--load").status).toBe(0);
  expect(await imagesOnHost()).toEqual([first, deployed()!].sort());
}, 120_000);

test("a name on the host that means another image is put right", async () => {
  const name = deployed()!;
  const [other] = (await imagesOnHost()).filter((one) => one !== name);
  await host.docker.getImage(name).remove({ force: true });
  const [repo, tag] = name.split(/:(?=[^:]*$)/);
  await host.docker.getImage(other!).tag({ repo: repo!, tag: tag! });
  expect(await layers(host, name)).not.toEqual(await layers(developer, name));
  expect(build("--load").stdout).toContain("was loaded onto");
  expect(await layers(host, name)).toEqual(await layers(developer, name));
}, 120_000);

test.each([
  ["an environment that would not use it", { functions: "own" }, 'set images.functions to "loaded"'],
  ["a host with another key", { hostKey: "" }, "is not the pinned one"],
])(
  "%s gets nothing",
  async (_name, change, message) => {
    const key = "hostKey" in change ? keygen(path.join(folder, "other")) : undefined;
    environment({ ...change, ...(key ? { hostKey: key } : {}) });
    const before = await imagesOnHost();
    write("hei/greeting", `${message}\n`);
    const refused = build("--load");
    expect(refused.status).toBe(1);
    expect(refused.all).toContain(message);
    expect(await imagesOnHost()).toEqual(before);
    expect(deployed()).toBeUndefined();
  },
  120_000,
);
