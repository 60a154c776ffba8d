/** host:index:SwarmMember: this host's membership of a Docker Swarm. */
import { command } from "../../../../shared/quote";
import type { Context, ResourceHandler } from "../resource";
import { runScript } from "../scripts";
import type { Session } from "../session";
import { changedKeys } from "../../../core/compare";
import { docker, info, look, mark, refuse } from "./swarmEngine";
import { type SwarmInfo, tokenDigest } from "./swarmInfo";
import { type SwarmMemberInputs, type SwarmMemberOutputs, inputs, outputs } from "./swarmInputs";
import { leave } from "./swarmLeave";

const outputsOf = (found: SwarmInfo, adopted: boolean): SwarmMemberOutputs => ({
  clusterId: found.clusterId,
  nodeId: found.nodeId,
  addr: found.addr,
  caDigest: found.caDigest,
  joinTokens: found.joinTokens,
  adopted,
});

/** Says why a host that is in some swarm already is not the member that is wanted; returns where it is. */
function expectWanted(session: Session, wanted: SwarmMemberInputs, found: SwarmInfo): void {
  const leave =
    "if that swarm is not needed any more, run `docker swarm leave` on the host yourself; this resource never does it by itself";
  if (found.state === "locked")
    refuse(
      session,
      `${session.name} is in a swarm that is locked`,
      "run `docker swarm unlock` on the host with its key",
    );
  if (found.state !== "active")
    refuse(
      session,
      `${session.name} is in a swarm and its state is "${found.state}" ${found.error}`.trim(),
      `see journalctl -u docker; ${leave}`,
    );
  if (wanted.role === "manager-init") {
    if (!found.manager) refuse(session, `${session.name} is a worker of another swarm`, leave);
    return;
  }
  const token = wanted.joinTokenFrom?.token ?? "";
  if (found.caDigest === "" || tokenDigest(token) !== found.caDigest)
    refuse(
      session,
      `${session.name} is a member of another swarm than the one at ${wanted.joinTokenFrom?.addr}`,
      leave,
    );
  if (found.manager !== (wanted.role === "manager"))
    refuse(
      session,
      `${session.name} is a ${found.manager ? "manager" : "worker"} of the swarm, and should be a ${wanted.role}`,
      `on a manager: docker node ${found.manager ? "demote" : "promote"} ${found.nodeId}`,
    );
}

async function initialise(session: Session, wanted: SwarmMemberInputs): Promise<void> {
  const advertise = wanted.advertiseAddr ?? (await defaultAddress(session));
  const words = ["swarm", "init", "--advertise-addr", advertise, "--availability", wanted.availability];
  if (wanted.listenAddr) words.push("--listen-addr", wanted.listenAddr);
  if (wanted.dataPathAddr) words.push("--data-path-addr", wanted.dataPathAddr);
  if (wanted.dataPathPort) words.push("--data-path-port", String(wanted.dataPathPort));
  for (const pool of wanted.defaultAddrPool ?? []) words.push("--default-addr-pool", pool);
  if (wanted.subnetSize) words.push("--default-addr-pool-mask-length", String(wanted.subnetSize));
  // What it prints holds a join token: it is not wanted anywhere.
  await session.run(`${command("timeout", 60, "docker", ...words)} >/dev/null`, {
    step: "initialise the swarm",
    timeoutSeconds: 75,
  });
}

async function defaultAddress(session: Session): Promise<string> {
  return (await runScript(session, "default-address", {}, { step: "find the host's address" })).stdout.trim();
}

async function join(session: Session, wanted: SwarmMemberInputs): Promise<void> {
  const { addr, token } = wanted.joinTokenFrom as { addr: string; token: string };
  const body = {
    ListenAddr: wanted.listenAddr ?? "0.0.0.0:2377",
    AdvertiseAddr: wanted.advertiseAddr ?? (await defaultAddress(session)),
    DataPathAddr: wanted.dataPathAddr ?? "",
    RemoteAddrs: [addr],
    JoinToken: token,
    Availability: wanted.availability,
  };
  await runScript(
    session,
    "swarm-join",
    { REMOTE: addr, JOIN_SECONDS: 60 },
    { step: `join the swarm at ${addr}`, stdin: JSON.stringify(body), secrets: [token], timeoutSeconds: 75 },
  );
}

/** The engine answers before it is a member, and a manager before it has a leader. */
async function waitActive(session: Session, wanted: SwarmMemberInputs): Promise<SwarmInfo> {
  const deadline = Date.now() + wanted.joinTimeoutSeconds * 1000;
  for (;;) {
    const found = await info(session);
    const complete =
      wanted.role === "worker" || (found.manager && found.clusterId !== "" && found.node !== undefined);
    if (found.state === "active" && complete) return found;
    if (Date.now() > deadline)
      refuse(
        session,
        `${session.name} was not an active ${wanted.role} of the swarm within ${wanted.joinTimeoutSeconds} s: its state is "${found.state}" ${found.error}`.trim(),
        "see journalctl -u docker on the host; between the nodes 2377/tcp, 7946/tcp+udp and 4789/udp have to be open",
      );
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** Labels, availability and history: what can be changed of a member. Labels of others on the node stay. */
async function adjust(
  session: Session,
  wanted: SwarmMemberInputs,
  old: SwarmMemberInputs | undefined,
  found: SwarmInfo,
): Promise<void> {
  const node = found.node;
  if (!node) {
    if (old && old.availability !== wanted.availability)
      refuse(
        session,
        "the availability of a worker is changed on a manager",
        `there: docker node update --availability ${wanted.availability} ${found.nodeId}`,
      );
    return;
  }
  const words: string[] = [];
  for (const [name, text] of Object.entries(wanted.labels))
    if (node.labels[name] !== text) words.push("--label-add", `${name}=${text}`);
  for (const name of Object.keys(old?.labels ?? {}))
    if (!(name in wanted.labels) && name in node.labels) words.push("--label-rm", name);
  if (node.availability !== wanted.availability) words.push("--availability", wanted.availability);
  if (words.length > 0)
    await docker(
      session,
      "set the node's labels and availability",
      60,
      "node",
      "update",
      ...words,
      found.nodeId,
    );
  const limit = wanted.taskHistoryLimit;
  if (limit !== undefined && limit !== found.taskHistoryLimit)
    await docker(
      session,
      "set the task history limit",
      60,
      "swarm",
      "update",
      "--task-history-limit",
      String(limit),
    );
}

/** What an adopted swarm has otherwise than asked, and cannot be changed in a running one. */
function warnOfFixed(ctx: Context, wanted: SwarmMemberInputs, found: SwarmInfo): void {
  const differs: string[] = [];
  if (wanted.defaultAddrPool && JSON.stringify(wanted.defaultAddrPool) !== JSON.stringify(found.addrPool))
    differs.push(`defaultAddrPool is ${found.addrPool.join(", ") || "the engine's own"}`);
  if (wanted.dataPathPort && wanted.dataPathPort !== found.dataPathPort)
    differs.push(`dataPathPort is ${found.dataPathPort}`);
  if (
    wanted.advertiseAddr &&
    /^[\d.:a-f]+$/.test(wanted.advertiseAddr) &&
    wanted.advertiseAddr !== found.addr
  )
    differs.push(`its address is ${found.addr}`);
  if (found.autolock) differs.push("autolock is on: after a restart of the engine someone has to unlock it");
  if (differs.length > 0)
    ctx.log(`the swarm already existed and is not changed: ${differs.join("; ")}`, "warning");
}

async function create(
  ctx: Context,
  wanted: SwarmMemberInputs,
): Promise<{ id: string; outputs: SwarmMemberOutputs }> {
  const session = await ctx.session();
  const before = await info(session);
  const member = before.state !== "inactive";
  const adopted = member && !before.ours;
  if (member) {
    expectWanted(session, wanted, before);
    if (adopted)
      ctx.log("the host is in the swarm already: adopted, and left in it when this resource is deleted");
    warnOfFixed(ctx, wanted, before);
  } else {
    await mark(session, "");
    await (wanted.role === "manager-init" ? initialise(session, wanted) : join(session, wanted));
  }
  const found = await waitActive(session, wanted);
  if (!adopted) await mark(session, found.nodeId);
  await adjust(session, wanted, undefined, found);
  return { id: found.nodeId, outputs: outputsOf(found, adopted) };
}

async function read(ctx: Context, wanted: SwarmMemberInputs, outputs: SwarmMemberOutputs) {
  const session = await ctx.session();
  const found = await look(session);
  if (typeof found === "string") {
    // A refresh that failed here could not go on to repair the engine. Its membership lies on the disk, and comes back with it.
    ctx.log(`${found}: the membership of the swarm is taken to be what it was`, "warning");
    return { inputs: wanted, outputs };
  }
  if (found.state === "inactive") return undefined;
  if (found.caDigest !== "" && outputs.caDigest !== "" && found.caDigest !== outputs.caDigest)
    refuse(
      session,
      `${session.name} is in another swarm now than the one it was put into`,
      "take it out of that swarm on the host, or forget this membership with `pulumi state delete`",
    );
  if (found.manager !== (wanted.role !== "worker"))
    refuse(
      session,
      `${session.name} is a ${found.manager ? "manager" : "worker"} of the swarm now, and should be a ${wanted.role}`,
      `on a manager: docker node ${found.manager ? "demote" : "promote"} ${found.nodeId}`,
    );
  if (!found.node) return { inputs: wanted, outputs: outputsOf(found, outputs.adopted) };
  const { labels, availability } = found.node;
  const ours = Object.fromEntries(Object.entries(labels).filter(([name]) => name in wanted.labels));
  const taskHistoryLimit = wanted.taskHistoryLimit === undefined ? undefined : found.taskHistoryLimit;
  return {
    inputs: {
      ...wanted,
      labels: ours,
      availability,
      ...(taskHistoryLimit === undefined ? {} : { taskHistoryLimit }),
    },
    outputs: outputsOf(found, outputs.adopted),
  };
}

/**
 * Initialises or joins a swarm, or adopts the membership where the host is in the wanted one already; refuses a host that is in
 * another. Delete: an adopted member stays; a worker leaves; a manager hands its role over and leaves; the last manager leaves by
 * force only where this resource initialised the swarm and neither a service nor another node is left in it.
 */
export const swarmMember: ResourceHandler<SwarmMemberInputs, SwarmMemberOutputs> = {
  type: "host:index:SwarmMember",
  description:
    "Membership of this host in a Docker Swarm. A host that is already in the wanted swarm is adopted (and stays there after a delete); a host in another swarm is refused, and never made to leave. The swarm's identity is the digest of its root certificate, which every join token carries. Drift: gone from the swarm, labels, availability. Delete: a worker leaves; a manager hands its role over and leaves; the last manager leaves by force only if this resource initialised the swarm and neither a service nor another node is left: otherwise it is refused with their list.",
  schema: inputs,
  outputs,
  replaceOn: [
    "role",
    "advertiseAddr",
    "listenAddr",
    "dataPathAddr",
    "dataPathPort",
    "defaultAddrPool",
    "subnetSize",
  ],
  stables: ["clusterId", "nodeId", "addr", "caDigest", "joinTokens", "adopted"],
  secrets: ["joinTokenFrom.token", "joinTokens"],
  changed(olds, news) {
    // The address and token of the join do not matter later: a rotated token must not touch a member.
    const ignored = ["joinTokenFrom", "joinTimeoutSeconds"];
    return changedKeys(olds, news, ignored);
  },
  create,
  async read(ctx, _id, wanted, outputs) {
    return read(ctx, wanted, outputs);
  },
  async update(ctx, _id, olds, news, outputs) {
    const session = await ctx.session();
    const found = await info(session);
    if (found.state === "inactive")
      refuse(
        session,
        `${session.name} is in no swarm any more`,
        "run `pulumi up --refresh`: it is put into the swarm again",
      );
    await adjust(session, news, olds, found);
    return outputsOf(found, outputs.adopted);
  },
  async delete(ctx, _id, wanted, outputs) {
    await leave(ctx, wanted, outputs);
  },
};
