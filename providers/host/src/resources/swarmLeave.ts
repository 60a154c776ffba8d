/** How a SwarmMember goes, so that nothing is lost that someone still uses. */
import type { Context } from "../resource";
import type { Session } from "../session";
import { docker, info, refuse, unmark } from "./swarmEngine";
import type { SwarmMemberInputs, SwarmMemberOutputs } from "./swarmInputs";

/** The names of what still depends on the swarm of which this is the last manager; empty: nothing does. */
async function stillInUse(session: Session): Promise<string[]> {
  const services = await docker(
    session,
    "list the swarm's services",
    30,
    "service",
    "ls",
    "--format",
    "service {{.Name}}",
  );
  const nodes = await docker(
    session,
    "list the swarm's nodes",
    30,
    "node",
    "ls",
    "--format",
    "{{if not .Self}}{{.Status}} node {{.Hostname}}{{end}}",
  );
  const others = nodes.split("\n").filter((line) => line.startsWith("Ready"));
  return [...services.split("\n"), ...others].map((line) => line.trim()).filter((line) => line !== "");
}

export async function leave(
  ctx: Context,
  wanted: SwarmMemberInputs,
  outputs: SwarmMemberOutputs,
): Promise<void> {
  const session = await ctx.session();
  // Without an engine there is no membership either.
  const { stdout } = await session.run("command -v docker || true", { step: "look for the engine" });
  if (stdout.trim() === "") return;
  const found = await info(session);
  if (found.state === "inactive") return unmark(session);
  const otherSwarm = found.caDigest !== "" && outputs.caDigest !== "" && found.caDigest !== outputs.caDigest;
  if (outputs.adopted || otherSwarm) {
    ctx.log(
      otherSwarm
        ? "the host is in another swarm now: left as it is"
        : "the host was in the swarm before: it stays in it",
    );
    return;
  }
  if (!found.manager) {
    await docker(session, "leave the swarm", 60, "swarm", "leave");
    return unmark(session);
  }
  if (found.managers > 1) {
    await docker(session, "hand the manager's role over", 60, "node", "demote", found.nodeId);
    await waitDemoted(session);
    await docker(session, "leave the swarm", 60, "swarm", "leave");
    return unmark(session);
  }
  const users = await stillInUse(session);
  if (users.length > 0)
    refuse(
      session,
      `${session.name} is the last manager of a swarm that is still in use by ${users.join(", ")}`,
      "remove these first (docker service rm, docker swarm leave on the other nodes): leaving now would end them and lose the swarm's data",
    );
  if (wanted.role !== "manager-init")
    refuse(
      session,
      `${session.name} is the last manager of a swarm that another host made`,
      "destroy the resource that initialised it first",
    );
  // The one place for --force: this very resource made the swarm, and nothing is left in it.
  await docker(session, "end the swarm", 60, "swarm", "leave", "--force");
  await unmark(session);
}

async function waitDemoted(session: Session): Promise<void> {
  for (let attempt = 0; attempt < 30; attempt++) {
    if (!(await info(session)).manager) return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  refuse(
    session,
    `${session.name} was still a manager 30 s after it was demoted`,
    "see docker node ls on another manager",
  );
}
