/** The lab's registry on a real engine: what is built and pushed to it is what an engine pulls and runs. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Docker from "dockerode";
import { loadLab, type Lab } from "../../lab/config";
import { orMissing } from "../../lab/docker";
import { ensureEngine } from "../../lab/engine";
import { buildAndPush, type BuiltImage } from "../../lab/images/build";
import { imageCacheDir, Work } from "../../lab/images/work";
import { readLock } from "../../components/images/lock";
import { registryContainer, startRegistry, stopRegistry } from "../../lab/images/registry";
import { buildImages } from "../../cli/functions/build";

const SILENT = { say: () => undefined, status: () => undefined };
const NAME = "tests/static";

let folder: string;
let lab: Lab;
let docker: Docker;
let image: BuiltImage;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "oslo-faas-registry-"));
  lab = loadLab(
    { XDG_CACHE_HOME: folder, OSLO_FAAS_LAB: `registry-test-${process.pid}` },
    join(folder, "clone"),
  );
  docker = (await ensureEngine(loadLab(), SILENT)).docker;
  image = staticImage();
}, 180_000);

afterAll(async () => {
  await stopRegistry(lab);
  await orMissing(docker.getNetwork(lab.network).remove());
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** A program of one line, static, in an image of nothing else. */
function staticImage(): BuiltImage {
  writeFileSync(join(folder, "go.mod"), "module test.invalid/static\n\ngo 1.22\n");
  const source = `package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n\nfunc main() { fmt.Println("uid", os.Getuid()) }\n`;
  writeFileSync(join(folder, "main.go"), source);
  const env = { ...process.env, CGO_ENABLED: "0", GOWORK: "off" };
  execFileSync("go", ["build", "-o", "static", "."], {
    cwd: folder,
    env,
    stdio: "inherit",
    timeout: 120_000,
  });
  const dockerfile = 'FROM scratch\nCOPY static /static\nUSER 65532\nENTRYPOINT ["/static"]\n';
  return {
    name: `${NAME}:1`,
    inputs: [],
    context: () =>
      Promise.resolve({
        Dockerfile: { kind: "file", mode: 0o644, text: dockerfile },
        static: { kind: "file", mode: 0o755, from: join(folder, "static") },
      }),
  };
}

/** @returns its digest */
const push = (port: number): Promise<string> => buildAndPush(new Work(lab, SILENT), docker, port, image);

async function pull(reference: string): Promise<void> {
  const stream = await docker.pull(reference);
  await new Promise<void>((done, fail) =>
    docker.modem.followProgress(stream, (error: Error | null) => (error ? fail(error) : done())),
  );
}

async function runImage(reference: string): Promise<string> {
  const container = await docker.createContainer({ Image: reference, Labels: lab.labels });
  try {
    await container.start();
    expect(await container.wait()).toMatchObject({ StatusCode: 0 });
    return (await container.logs({ stdout: true })).toString();
  } finally {
    await container.remove({ force: true });
  }
}

test("an image written to it is pulled by its digest and runs as the user it names", async () => {
  const { port, store } = await startRegistry(lab);
  expect(await store.digest(NAME, "1")).toBeUndefined();
  await push(port);
  const digest = await push(port);
  expect(await store.digest(NAME, "1")).toBe(digest);
  const reference = `127.0.0.1:${port}/${NAME}@${digest}`;
  await pull(reference);
  try {
    expect(await runImage(reference)).toContain("uid 65532");
  } finally {
    await docker.getImage(reference).remove({ force: true });
  }
}, 120_000);

test("started again it is left alone; killed or removed it comes back with what it had", async () => {
  const first = await startRegistry(lab);
  const digest = await push(first.port);
  const id = async () => (await docker.getContainer(registryContainer(lab)).inspect()).Id;
  const before = await id();
  await startRegistry(lab);
  expect(await id()).toBe(before);

  await docker.getContainer(registryContainer(lab)).stop({ t: 0 });
  const second = await startRegistry(lab);
  expect(await second.store.digest(NAME, "1")).toBe(digest);

  await stopRegistry(lab);
  await stopRegistry(lab);
  expect(await orMissing(docker.getContainer(registryContainer(lab)).inspect())).toBeUndefined();
  const third = await startRegistry(lab);
  expect(await third.store.digest(NAME, digest)).toBe(digest);
}, 120_000);

test("when its data were removed under it, it starts anew, empty", async () => {
  await push((await startRegistry(lab)).port);
  rmSync(join(imageCacheDir(lab), "registry"), { recursive: true });
  mkdirSync(join(imageCacheDir(lab), "registry"));
  const { port, store } = await startRegistry(lab);
  expect(await store.digest(NAME, "1")).toBeUndefined();
  const digest = await push(port);
  expect(await store.digest(NAME, "1")).toBe(digest);
}, 60_000);

test("it is published on 127.0.0.1 alone", async () => {
  await startRegistry(lab);
  const { NetworkSettings } = await docker.getContainer(registryContainer(lab)).inspect();
  expect(NetworkSettings.Ports["5000/tcp"]!.map((binding) => binding.HostIp)).toEqual(["127.0.0.1"]);
});

test("functions are built on this machine's engine, pushed, and run by the digest in the lock file", async () => {
  const { port } = await startRegistry(lab);
  const root = join(folder, "project");
  for (const made of ["stacks", "templates", "functions/static"])
    mkdirSync(join(root, made), { recursive: true });
  copyFileSync(join(folder, "static"), join(root, "functions/static/static"));
  const dockerfile = 'FROM scratch\nCOPY static /static\nUSER 65532:65532\nENTRYPOINT ["/static"]\n';
  writeFileSync(join(root, "functions/static/Dockerfile"), dockerfile);
  const entry = "{ lang: dockerfile, handler: ./static, image: tests/function:1 }";
  writeFileSync(
    join(root, "functions/stack.yml"),
    `provider: { name: openfaas }\nfunctions:\n  static: ${entry}\n  elsewhere: { image: tests/other:1 }\n`,
  );
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPHUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
  writeFileSync(
    join(root, "stacks/Pulumi.test.yaml"),
    `config:\n  oslo-faas:host: { address: test.invalid, hostKey: ${key} }\n` +
      `  oslo-faas:images: { registry: "127.0.0.1:${port}" }\n  oslo-faas:functions: functions/stack.yml\n`,
  );
  const before = process.cwd();
  const options = { root, push: true, say: () => undefined };
  try {
    await expect(buildImages("test", { ...options, names: ["elsewhere"] })).rejects.toThrow(
      "No function to build is called elsewhere. Functions: static.",
    );
    await buildImages("test", { ...options, names: [] });
  } finally {
    process.chdir(before);
  }
  const name = `127.0.0.1:${port}/tests/function:1`;
  const reference = `127.0.0.1:${port}/tests/function@${readLock(join(root, "stacks/images.lock.json"))[name]}`;
  await orMissing(docker.getImage(name).remove({ force: true }));
  await pull(reference);
  try {
    expect(await runImage(reference)).toContain("uid 65532");
  } finally {
    await docker.getImage(reference).remove({ force: true });
  }
}, 120_000);
