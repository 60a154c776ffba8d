/** `status`: what there is of the lab, without changing anything. */
import { existsSync } from "node:fs";
import type { Lab } from "./config";
import { answers, connect, orMissing } from "./docker";
import { ownEngine } from "./engine";
import { sshdAnswers } from "./host";
import { mayHaveState } from "./pulumi";

export async function status(lab: Lab): Promise<void> {
  const docker = await connect();
  const engine = await answers(docker);
  const host = engine ? await orMissing(docker.getContainer(lab.container).inspect()) : undefined;
  const rows: [string, string][] = [
    ["lab", `${lab.instance} (stack ${lab.stack})`],
    ["engine", engine ? `answers${ownEngine(lab) ? ", started by the lab" : ""}` : "none answers"],
    ["host", host ? `${host.State.Status}, ${lab.container}, base ${host.Config.Image}` : "none"],
    ["ssh", (await sshdAnswers(lab)) ? `answers on 127.0.0.1:${lab.ports.ssh}` : "does not answer"],
    ["images", existsSync(lab.imagesLock) ? lab.imagesLock : "not built"],
    ["state", mayHaveState(lab) ? `of stack ${lab.stack}` : "none"],
  ];
  for (const [name, value] of rows) process.stdout.write(`${name.padEnd(8)}${value}\n`);
}
