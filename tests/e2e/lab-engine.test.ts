/**
 * The engine that the lab starts itself, killed in every way, on what looks like a machine of its own (namespaces), so that no
 * engine in use is touched.
 */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { recipeKey } from "../../lab/base";
import { loadLab } from "../../lab/config";
import { ownLab } from "./ownLab";

jest.setTimeout(20 * 60_000);

const scripts = path.join(__dirname, "scripts");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "lab-engine-"));
const env = {
  ...process.env,
  ...ownLab("engine"),
  XDG_CACHE_HOME: path.join(folder, "cache"),
  DOCKER_HOST: "",
  // This one is about the engine's end.
  OSLO_FAAS_KEEP_ENGINE: "",
};
const lab = loadLab(env);

afterAll(() => {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.rmSync(lab.cacheDir, { recursive: true, force: true });
});

test("an engine that was killed is started again, the host with it, and down leaves nothing of either", () => {
  // The base image that everything else uses too; without a network it could not be made in there.
  const shared = path.join(loadLab(process.env).sharedCacheDir, `base-${recipeKey(undefined)}.tar`);
  const own = path.join(lab.sharedCacheDir, path.basename(shared));
  fs.mkdirSync(lab.sharedCacheDir, { recursive: true });
  if (!fs.existsSync(shared)) {
    const options = { cwd: lab.cloneDir, env: { ...process.env, ...ownLab("engine") } };
    spawnSync(process.execPath, ["--import", "tsx", "lab/cli.ts", "host"], options);
    // An engine that had the image made no file of it.
    if (!fs.existsSync(shared)) execFileSync("docker", ["export", "--output", own, lab.container], options);
    spawnSync(process.execPath, ["--import", "tsx", "lab/cli.ts", "down", "--fast"], options);
  }
  if (fs.existsSync(shared)) fs.copyFileSync(shared, own);

  const command = [folder, path.join(scripts, "killed-engine.sh")];
  const { stdout, stderr, status } = spawnSync(path.join(scripts, "private-machine.sh"), command, {
    cwd: lab.cloneDir,
    env,
    encoding: "utf8",
    timeout: 10 * 60_000,
  });
  const steps = stdout.split("\n").filter((line) => /^(STEP|LEFT) /.test(line));
  expect({ steps, status, ...(status ? { stdout, stderr } : {}) }).toEqual({
    steps: [
      "STEP started",
      "STEP dockerd killed",
      "STEP both killed",
      "STEP pid file of another program",
      "STEP containerd cannot start",
      "STEP down with a dead engine",
      "LEFT containers=0 mounts=0 engine=0 links=0",
      "STEP down again",
    ],
    status: 0,
  });
  expect(stdout).toContain("clearing what a killed one left behind");
  expect(fs.existsSync(path.join(lab.sharedCacheDir, "engine.json"))).toBe(false);
});
