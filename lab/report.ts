/** After a failed `up`: why services of the swarm do not run, which the engine that deploys them does not say. */
import type Docker from "dockerode";
import type { Lab } from "./config";
import { orMissing } from "./docker";
import { execute } from "./host";

const LIST = "docker service ls --format '{{.ID}} {{.Name}} {{.Replicas}}' 2>/dev/null";
const TASKS = "docker service ps --no-trunc --format '{{.Name}}: {{.CurrentState}} {{.Error}}'";

/** Lines about services that do not run, and units that failed; empty where there is nothing to say. Never throws. */
export async function hostReport(lab: Lab, docker: Docker): Promise<string[]> {
  try {
    const container = docker.getContainer(lab.container);
    if (!(await orMissing(container.inspect()))?.State.Running)
      return [`the host ${lab.container} does not run`];
    const sh = async (script: string) =>
      (await execute(container, ["sh", "-c", script])).trim().split(/\r?\n/).filter(Boolean);
    const lines = await sh(
      "systemctl --failed --no-legend --plain | cut -d' ' -f1 | sed 's/$/: failed unit/'",
    );
    for (const line of await sh(LIST)) {
      const [id, name, replicas = ""] = line.split(" ");
      const [running, wanted] = replicas.split("/");
      if (running === wanted) continue;
      const tasks = await sh(`${TASKS} ${id} 2>/dev/null | head -3`);
      lines.push(`service ${name} (${replicas}):`, ...tasks.map((task) => `  ${task.trim()}`));
    }
    return lines;
  } catch {
    return [];
  }
}
