/** `up`: engine, host, images, stack, and a proof that functions answer. */
import type Docker from "dockerode";
import { ensureBase } from "./base";
import type { Lab } from "./config";
import { ensureEngine } from "./engine";
import { ensureHost, type HostResult } from "./host";
import { ensureNetwork } from "./network";
import type { Reporter } from "./progress";

export async function hostOnly(lab: Lab, reporter: Reporter): Promise<void> {
  await engineAndHost(lab, reporter);
  reporter.say(`ssh -i ${lab.ssh.privateKey} -p ${lab.ports.ssh} root@127.0.0.1`);
  reporter.say(`\n${reporter.table()}`);
}

async function engineAndHost(lab: Lab, reporter: Reporter): Promise<{ docker: Docker; host: HostResult }> {
  const docker = await reporter.phase("engine", async () => {
    const engine = await ensureEngine(lab, reporter);
    reporter.note(engine.started ? "started" : "was running");
    return engine.docker;
  });
  const host = await reporter.phase("host", async () => {
    await ensureNetwork(lab, docker);
    const base = await ensureBase(lab, docker, reporter);
    const result = await ensureHost(lab, docker, base, reporter);
    reporter.note(result.created ? "made" : "was running");
    return result;
  });
  return { docker, host };
}
