/** An `up` that is killed while it makes a service, and what is left of it. */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { resolveToolchain } from "../../lab/toolchain/resolve";
import { CLONE, lab, onHost, onHostOk, pulumiOk } from "./lib";

/** Takes a service from the host and out of the state, as it is before the `up` that makes it. */
export async function forgetService(resource: string, service: string): Promise<void> {
  const exported = JSON.parse((await pulumiOk(["stack", "export"])).stdout);
  const { urn } = exported.deployment.resources.find((one: { urn: string }) =>
    one.urn.endsWith(`::${resource}`),
  );
  const others = (urns: string[] = []) => urns.filter((one) => one !== urn);
  exported.deployment.resources = exported.deployment.resources
    .filter((one: { urn: string }) => one.urn !== urn)
    .map((one: { dependencies?: string[]; propertyDependencies?: Record<string, string[]> }) => ({
      ...one,
      dependencies: others(one.dependencies),
      propertyDependencies: Object.fromEntries(
        Object.entries(one.propertyDependencies ?? {}).map(([name, urns]) => [name, others(urns)]),
      ),
    }));
  const file = path.join(lab.cacheDir, "forgotten.json");
  fs.writeFileSync(file, JSON.stringify(exported));
  await pulumiOk(["stack", "import", "--file", file]);
  await onHostOk(`docker service rm ${service}`);
}

/**
 * The engine alone is killed, as by the kernel that needs memory, once the host has the service and the state does not: its plugins are
 * told nothing.
 * @returns the process of its plugin `host`
 */
export async function killUp(service: string): Promise<number> {
  const args = ["up", "--yes", "--skip-preview", "--non-interactive", "--stack", lab.stack];
  const toolchain = await resolveToolchain({ quiet: true, args });
  const engine = spawn(toolchain.pulumi, [...args, "--config-file", lab.derivedStackFile!], {
    cwd: CLONE,
    env: { ...toolchain.env, PULUMI_CONFIG_PASSPHRASE_FILE: lab.passphraseFile, NO_COLOR: "1" },
  });
  let said = "";
  const add = (data: Buffer) => (said += data.toString());
  engine.stdout.on("data", add);
  engine.stderr.on("data", add);
  const ended = new Promise<string | null>((resolve) =>
    engine.on("exit", (_code, signal) => resolve(signal)),
  );
  await onHost(`until docker service inspect ${service}; do sleep 0.1; done`, { timeoutSeconds: 60 });
  const plugin = spawnSync("pgrep", ["-P", String(engine.pid), "-f", "pulumi-resource-host"]);
  engine.kill("SIGKILL");
  if ((await ended) !== "SIGKILL") throw new Error(`the up ended before it could be killed:\n${said}`);
  if (plugin.status !== 0) throw new Error(`no plugin of the engine ${engine.pid} was found`);
  return Number(plugin.stdout.toString());
}
