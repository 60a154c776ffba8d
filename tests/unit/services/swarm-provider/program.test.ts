/** The bundle as it lies in the image: one file, started with nothing but Node. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeEngine } from "./fakeEngine";

const BUILD = join(__dirname, "../../../../services/build.mjs");
let folder: string;
let program: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "provider-build-"));
  program = execFileSync(process.execPath, [BUILD, "swarm-provider", folder], { encoding: "utf8" }).trim();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** In an empty folder, so that it finds no module but what is in it. */
const options = (env: Record<string, string>) => ({
  cwd: folder,
  env,
  encoding: "utf8" as const,
  timeout: 15_000,
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

test("the same sources give the same file, and nothing else", () => {
  const before = readFileSync(program);
  execFileSync(process.execPath, [BUILD, "swarm-provider", folder]);
  expect(readFileSync(program).equals(before)).toBe(true);
  expect(readdirSync(folder)).toEqual(["probe-amd64", "probe-arm64", "provider.cjs"]);
});

test("an environment that is not usable ends it with every reason, and no stack", () => {
  const ended = spawnSync(
    process.execPath,
    [program],
    options({ port: "x", read_timeout: "soon", basic_auth: "true", secret_mount_path: folder }),
  );
  expect(ended.status).toBe(1);
  expect(ended.stderr).toMatch(/port: "x".*\nbasic_auth:|read_timeout: "soon"/);
  expect(ended.stderr).toContain("basic-auth-password is missing");
  expect(ended.stderr).not.toMatch(/^\s+at /m);
});

test("the health check says no where nothing listens", async () => {
  expect(await check(String(await freePort()))).toBe(1);
});

test("it starts, is healthy as long as the engine is, and ends at once when it has nothing to do", async () => {
  const engine = await new FakeEngine().start();
  const port = String(await freePort());
  // Without a time limit: its signal would be the first of two on a slow machine, and the second kills.
  const running: ChildProcess = spawn(process.execPath, [program], {
    cwd: folder,
    env: { port, docker_socket: engine.socket },
    stdio: "pipe",
  });
  try {
    let log = "";
    for await (const chunk of running.stdout!) {
      log += String(chunk);
      if (log.includes('"ready"')) break;
    }
    expect(await check(port)).toBe(0);
    engine.intercept = () => ({ status: 500, body: { message: "broken" } });
    expect(await check(port)).toBe(1);
    const ended = once(running, "exit");
    running.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  } finally {
    running.kill("SIGKILL");
    await engine.stop();
  }
});

/** As the image's HEALTHCHECK. Not spawnSync: the engine it is about lives in this process. */
async function check(port: string): Promise<number> {
  const probe = join(folder, process.arch === "x64" ? "probe-amd64" : "probe-arm64");
  const [code] = (await once(spawn(probe, [port, "4", "/healthz"]), "exit")) as [number];
  return code;
}
