/** The tests' own engine leaves nothing, even when what started it is killed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { until } from "../../lab/testbed";

const CGROUPS = "/sys/fs/cgroup";

function groups(name: string): string[] {
  const tops = ["", ...readdirSync(CGROUPS)].map((top) => join(CGROUPS, top, name));
  return tops.filter((path) => existsSync(path));
}

test("a killed run leaves no process, no mount, no control group and no file", async () => {
  const dir = mkdtempSync(join(tmpdir(), "swarm-provider-"));
  const name = `oslo-faas-test-killed-${process.pid}`;
  const code = `require("node:child_process").spawn("sh", process.argv.slice(1), { stdio: ["pipe", "inherit", "inherit"], detached: true })`;
  const script = join(__dirname, "../../lab/testbed/engine.sh");
  const parent = spawn(process.execPath, ["-e", code, script, dir, name], { stdio: "ignore" });
  const docker = new Docker({ socketPath: join(dir, "docker.sock") });
  await until("the engine", async () => Boolean(await docker.ping()), 60_000);
  await docker.swarmInit({ ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1" });
  parent.kill("SIGKILL");
  await once(parent, "exit");
  await until("everything to be gone", async () => !existsSync(dir) && groups(name).length === 0, 30_000);
});
