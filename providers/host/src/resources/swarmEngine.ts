/** What a SwarmMember asks of the host's engine, each bounded. */
import { command } from "../../../../shared/quote";
import { parseKeyValues, runScript } from "../scripts";
import { HostError, type Session } from "../session";
import { type SwarmInfo, parseSwarmInfo } from "./swarmInfo";

/** On the host: that it was this project that put the host into its swarm. An interrupted run, or a lost state, forgets it else. */
const MARK = "/var/lib/oslo-faas/swarm-member";

/** What the host is in a swarm, or, as text, why its engine does not say. */
export async function look(session: Session): Promise<SwarmInfo | string> {
  // The script bounds each of its questions, and asks again for a while.
  const options = { step: "read the state of the swarm", timeoutSeconds: 420 };
  const { stdout } = await runScript(session, "swarm-info", { MARK }, options);
  const { engine } = parseKeyValues(stdout);
  if (engine === undefined) return parseSwarmInfo(stdout);
  return engine === "missing"
    ? "the engine is not on the host"
    : `the engine does not answer: ${engine.replace("silent ", "")}`;
}

export async function info(session: Session): Promise<SwarmInfo> {
  const found = await look(session);
  if (typeof found === "string")
    refuse(
      session,
      found,
      "install the engine first (dependsOn), and see systemctl status docker on the host",
    );
  return found;
}

/** Before the host enters a swarm with no id, and afterwards with the node's. */
export async function mark(session: Session, nodeId: string): Promise<void> {
  await session.writeFile(MARK, nodeId, { mode: "0644", step: "note the membership of the swarm" });
}

export async function unmark(session: Session): Promise<void> {
  // The folder goes with the last thing in it.
  const script = `${command("rm", "-f", "--", MARK)}; rmdir -- ${command(MARK.slice(0, MARK.lastIndexOf("/")))} 2>/dev/null || true`;
  await session.run(script, { step: "forget the membership of the swarm" });
}

export function refuse(session: Session, message: string, remedy: string): never {
  throw new HostError(message, { host: session.name, step: "swarm membership", remedy });
}

/** docker with words, bounded; its arguments are no secrets. */
export async function docker(
  session: Session,
  step: string,
  seconds: number,
  ...words: string[]
): Promise<string> {
  const script = command("timeout", seconds, "docker", ...words);
  return (await session.run(script, { step, timeoutSeconds: seconds + 10 })).stdout.trim();
}
