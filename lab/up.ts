/** `up`: toolchain, engine, images, host, stack, and a proof that functions answer. Again: a look at each, and nothing done. */
import { existsSync } from "node:fs";
import type Docker from "dockerode";
import { resolveToolchain } from "./toolchain/resolve";
import { ensureBase } from "./base";
import { callFunctions, type Target } from "./calls";
import type { Lab } from "./config";
import { ensureEngine } from "./engine";
import { LabError } from "./errors";
import { ensureHost, type HostResult, removeHost } from "./host";
import { lockLab } from "./lock";
import { ensureNetwork } from "./network";
import type { Reporter } from "./progress";
import { Stack } from "./pulumi";
import { hostReport } from "./report";
import { writeStackFile } from "./stackfile";

export async function up(lab: Lab, reporter: Reporter): Promise<void> {
  lockLab(lab, "npm run up");
  const toolchain = await reporter.phase("toolchain", async () => {
    reporter.status("finding or building Pulumi");
    const found = await resolveToolchain({ args: ["up", "--stack", lab.stack], quiet: true });
    reporter.note(`Pulumi ${found.version}, ${found.kind}`);
    return found;
  });
  const docker = await enginePhase(lab, reporter);
  await imagesPhase(lab, reporter);
  const host = await hostPhase(lab, docker, reporter);
  const stack = new Stack(lab, toolchain, reporter);
  const changed = await reporter.phase("stack", () => stackPhase(lab, docker, stack, host, reporter));
  const target = targetFrom(await stack.outputs());
  await reporter.phase("calls", () => callFunctions(lab, docker, target, reporter));
  process.stdout.write(`\n${summary(lab, target, changed || host.created)}\n\n${reporter.table()}\n`);
}

/** Engine and host alone. */
export async function hostOnly(lab: Lab, reporter: Reporter): Promise<void> {
  lockLab(lab, "lab/cli.ts host");
  await hostPhase(lab, await enginePhase(lab, reporter), reporter);
  process.stdout.write(
    `\nssh -i ${lab.ssh.privateKey} -p ${lab.ports.ssh} root@127.0.0.1\n\n${reporter.table()}\n`,
  );
}

/** Engine, registry and images alone, and the lock file of the images. */
export async function imagesOnly(lab: Lab, reporter: Reporter): Promise<void> {
  lockLab(lab, "lab/cli.ts images");
  await enginePhase(lab, reporter);
  await imagesPhase(lab, reporter);
  process.stdout.write(`\n${reporter.table()}\n`);
}

async function imagesPhase(lab: Lab, reporter: Reporter): Promise<void> {
  await reporter.phase("images", async () => {
    const { ensureImages } = await import("./images/index");
    await ensureImages(lab, reporter);
  });
}

async function enginePhase(lab: Lab, reporter: Reporter): Promise<Docker> {
  return reporter.phase("engine", async () => {
    const engine = await ensureEngine(lab, reporter);
    await ensureNetwork(lab, engine.docker);
    reporter.note(engine.started ? "started" : "was running");
    return engine.docker;
  });
}

async function hostPhase(lab: Lab, docker: Docker, reporter: Reporter): Promise<HostResult> {
  return reporter.phase("host", async () => {
    const base = await ensureBase(lab, docker, reporter);
    const result = await ensureHost(lab, docker, base, reporter);
    reporter.note(result.created ? "made" : "was there");
    return result;
  });
}

async function stackPhase(
  lab: Lab,
  docker: Docker,
  stack: Stack,
  host: HostResult,
  reporter: Reporter,
): Promise<boolean> {
  writeStackFile(lab);
  await stack.ensure();
  const { pending, ...state } = await stack.state();
  let { resources } = state;
  if (pending > 0) {
    // Whether the operation took place is written nowhere. A disposable host makes the safe answer a cheap one.
    reporter.say(
      `an earlier run was killed in the middle of ${pending} operation(s): starting over with a new host`,
    );
    await removeHost(lab, docker);
    await ensureHost(lab, docker, await ensureBase(lab, docker, reporter), reporter);
  }
  if (resources > 0 && (host.created || pending > 0)) {
    reporter.say("the stack's state is about a host that is gone: forgetting it");
    await stack.drop();
    await stack.ensure();
    resources = 0;
  }
  if (resources > 0 && (await stack.unchanged())) {
    reporter.note("nothing changed");
    return false;
  }
  const changed = await explained(lab, docker, () => stack.up({ preview: resources === 0 }));
  reporter.note(changed ? `log: ${stack.log}` : "nothing changed");
  return changed;
}

/** Adds to an error what the host itself says: the engine knows only that a service did not start. */
async function explained<T>(lab: Lab, docker: Docker, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const report = error instanceof LabError ? await hostReport(lab, docker) : [];
    if (report.length === 0) throw error;
    const { message, remedy } = error as LabError;
    throw new LabError(`${message}\nOn the host:\n${report.map((line) => `  ${line}`).join("\n")}`, remedy);
  }
}

function targetFrom(outputs: Record<string, unknown>): Target {
  const { url, functions, gatewayUser, gatewayPassword } = outputs;
  if (typeof url !== "string" || typeof functions !== "object" || functions === null) {
    throw new LabError(
      "The stack has no outputs `url` and `functions`.",
      "index.ts exports them once every component is up.",
    );
  }
  return {
    url: url.replace(/\/$/, ""),
    functions: functions as Record<string, string>,
    user: String(gatewayUser),
    password: String(gatewayPassword),
  };
}

function summary(lab: Lab, target: Target, changed: boolean): string {
  // The passphrase is set by itself for the stack `local` alone.
  const passphrase =
    lab.stack === "local" ? "" : `PULUMI_CONFIG_PASSPHRASE_FILE=${relativeTo(lab, lab.passphraseFile)} `;
  const other = lab.instance === "lab" ? "" : `OSLO_FAAS_LAB=${lab.instance} `;
  const urls = Object.entries(target.functions).map(([name, url]) => `               ${name}: ${url}`);
  return [
    changed ? "The lab is up." : "The lab is up; nothing changed.",
    `  URL          ${target.url}`,
    "  Functions",
    ...urls,
    `  Web page     ${target.url}/ui/ (user ${target.user})`,
    `  Password     ${passphrase}npm run --silent pulumi -- stack output gatewayPassword --show-secrets --stack ${lab.stack}`,
    `  Host         ssh -i ${relativeTo(lab, lab.ssh.privateKey)} -p ${lab.ports.ssh} root@127.0.0.1`,
    `  Remove it    ${other}npm run down`,
  ].join("\n");
}

function relativeTo(lab: Lab, file: string): string {
  return file.startsWith(`${lab.cloneDir}/`) && existsSync(file) ? file.slice(lab.cloneDir.length + 1) : file;
}
