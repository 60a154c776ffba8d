import { swarmMember } from "../../../../providers/host/src/resources/swarm";
import { parseSwarmInfo, tokenDigest } from "../../../../providers/host/src/resources/swarmInfo";
import type { SwarmMemberOutputs } from "../../../../providers/host/src/resources/swarmInputs";
import type { RunOptions } from "../../../../providers/host/src/session";
import { ScriptedSession, contextOf } from "./localSession";

// A certificate's digest and the token of its swarm, both from a real engine.
const DIGEST = "c5c4672bbb006311a1438d89c37f300be01236b757c9c7efd80022c358924c1e";
const TOKEN = `SWMTKN-1-${BigInt(`0x${DIGEST}`).toString(36).padStart(50, "0")}-abcdefghijklmnopqrstuvwxy`;

const engine = (changes: object = {}) => ({
  NodeID: "node1",
  NodeAddr: "10.0.0.1",
  LocalNodeState: "active",
  ControlAvailable: true,
  Managers: 1,
  Cluster: {
    ID: "cluster1",
    DefaultAddrPool: ["10.201.0.0/16"],
    DataPathPort: 4789,
    Spec: { Orchestration: { TaskHistoryRetentionLimit: 5 } },
  },
  ...changes,
});
const printed = (swarm: object, more: Record<string, string> = {}): string =>
  Object.entries({
    swarm: JSON.stringify(swarm),
    ca: DIGEST,
    node: JSON.stringify({ Spec: { Labels: { country: "NO", theirs: "x" }, Availability: "active" } }),
    worker: "w",
    manager: "m",
    ...more,
  })
    .map(([key, value]) => `${key}=${value}`)
    .join("\n");

const init = swarmMember.schema.parse({ role: "manager-init", labels: { country: "NO" } });
const worker = swarmMember.schema.parse({
  role: "worker",
  advertiseAddr: "10.0.0.2",
  joinTokenFrom: { addr: "10.0.0.1:2377", token: TOKEN },
});
const outputs: SwarmMemberOutputs = {
  clusterId: "cluster1",
  nodeId: "node1",
  addr: "10.0.0.1",
  caDigest: DIGEST,
  joinTokens: { worker: "w", manager: "m" },
  adopted: false,
};

/** A host whose engine says `info`; what else is run is answered by `answers`, by a part of its script. */
function host(info: string, answers: Record<string, string> = {}): ScriptedSession {
  return new ScriptedSession((script: string, { step }: RunOptions) => {
    if (step === "read the state of the swarm") return { stdout: info };
    if (script.includes("command -v docker ||")) return { stdout: "/usr/bin/docker\n" };
    const key = Object.keys(answers).find((part) => script.includes(part));
    return key === undefined ? undefined : { stdout: answers[key] };
  });
}
const ran = (session: ScriptedSession, part: string): boolean =>
  session.runs.some(({ script }) => script.includes(part));

describe("the identity of a swarm", () => {
  it("is in every token", () => expect(tokenDigest(TOKEN)).toBe(DIGEST));
  it.each(["", "SWMTKN-1-short-x", "secret"])("is not in %p", (token) => expect(tokenDigest(token)).toBe(""));
  it("is forgotten by a host that left, although the engine keeps the file", () => {
    expect(parseSwarmInfo(printed({ LocalNodeState: "inactive" }))).toMatchObject({
      state: "inactive",
      caDigest: "",
    });
  });
});

describe("create", () => {
  it.each([
    [
      "a worker of another swarm",
      init,
      printed(engine({ ControlAvailable: false })),
      /is a worker of another swarm/,
    ],
    ["a locked swarm", init, printed(engine({ LocalNodeState: "locked" })), /locked/],
    [
      "another swarm than the token's",
      worker,
      printed(engine({ ControlAvailable: false }), { ca: "00".repeat(32) }),
      /another swarm than the one at 10\.0\.0\.1:2377/,
    ],
    ["another role", worker, printed(engine()), /is a manager of the swarm, and should be a worker/],
  ])("refuses a host in %s, and never makes it leave", async (_what, wanted, info, message) => {
    const session = host(info);
    await expect(swarmMember.create(contextOf(session), wanted)).rejects.toThrow(message);
    expect(ran(session, "leave")).toBe(false);
  });

  it("adopts a host that is already in the wanted swarm, with a message", async () => {
    const context = contextOf(host(printed(engine())));
    const { outputs: found } = await swarmMember.create(context, init);
    expect(found).toEqual({ ...outputs, adopted: true });
    expect(context.logged[0]!.message).toContain("adopted");
  });

  it.each([
    ["after it had joined", "node1", false],
    ["on the way", "", false],
    ["in another swarm that is over", "node9", true],
  ])("takes up what an interrupted run left: %s", async (_what, mark, adopted) => {
    const { outputs: found } = await swarmMember.create(contextOf(host(printed(engine(), { mark }))), init);
    expect(found.adopted).toBe(adopted);
  });

  it("hands the token over by stdin, and never in a command", async () => {
    let joined = false;
    const session = new ScriptedSession((_script, { step }) => {
      if (step === "read the state of the swarm")
        return {
          stdout: joined
            ? printed(engine({ ControlAvailable: false, Cluster: null }), { node: "" })
            : printed({}),
        };
      if (step.startsWith("join")) joined = true;
      return {};
    });
    await swarmMember.create(contextOf(session), worker);
    const join = session.runs.find(({ options }) => options.step.startsWith("join"));
    expect(JSON.parse(String(join?.options.stdin))).toMatchObject({
      JoinToken: TOKEN,
      RemoteAddrs: ["10.0.0.1:2377"],
      AdvertiseAddr: "10.0.0.2",
    });
    expect(join?.options.secrets).toContain(TOKEN);
    expect(session.runs.some(({ script }) => script.includes(TOKEN))).toBe(false);
  });
});

describe("read", () => {
  it("shows labels that were changed, leaves others' alone, and is undefined where the host left", async () => {
    const node = JSON.stringify({ Spec: { Labels: { country: "SE", theirs: "x" }, Availability: "drain" } });
    const found = await swarmMember.read(
      contextOf(host(printed(engine(), { node }))),
      "node1",
      init,
      outputs,
    );
    expect(found?.inputs).toEqual({ ...init, labels: { country: "SE" }, availability: "drain" });
    await expect(
      swarmMember.read(contextOf(host(printed({ LocalNodeState: "inactive" }))), "node1", init, outputs),
    ).resolves.toBeUndefined();
  });

  it.each(["missing", "silent Cannot connect"])(
    "goes on with a warning where the engine is %s: a refresh has to be able to repair it",
    async (engine) => {
      const context = contextOf(host(`engine=${engine}`));
      await expect(swarmMember.read(context, "node1", init, outputs)).resolves.toEqual({
        inputs: init,
        outputs,
      });
      expect(context.logged).toEqual([
        { severity: "warning", message: expect.stringContaining("the engine") },
      ]);
      await expect(swarmMember.create(contextOf(host(`engine=${engine}`)), init)).rejects.toThrow(
        "the engine",
      );
    },
  );

  it("refuses to call another swarm a difference", async () => {
    const context = contextOf(host(printed(engine(), { ca: "00".repeat(32) })));
    await expect(swarmMember.read(context, "node1", init, outputs)).rejects.toThrow("another swarm now");
  });
});

describe("delete", () => {
  it("ends the swarm by force only where nothing is left in it", async () => {
    const used = host(printed(engine()), { "service ls": "service web\n", "node ls": "Ready node two\n" });
    await expect(swarmMember.delete(contextOf(used), "node1", init, outputs)).rejects.toThrow(
      "still in use by service web, Ready node two",
    );
    expect(ran(used, "leave")).toBe(false);

    const empty = host(printed(engine()), {
      "service ls": "",
      "node ls": "Down node two\n",
      "swarm leave --force": "",
      "rm -f": "",
    });
    await swarmMember.delete(contextOf(empty), "node1", init, outputs);
    expect(ran(empty, "swarm leave --force")).toBe(true);
  });

  it.each([
    ["an adopted member", printed(engine()), { ...outputs, adopted: true }],
    ["a host that is in another swarm by now", printed(engine(), { ca: "00".repeat(32) }), outputs],
  ])("leaves %s as it is", async (_what, info, stored) => {
    const session = host(info);
    await swarmMember.delete(contextOf(session), "node1", init, stored);
    expect(ran(session, "leave")).toBe(false);
  });

  it("never forces a manager that joined", async () => {
    const session = host(printed(engine()), { "service ls": "", "node ls": "" });
    const joined = { ...worker, role: "manager" as const };
    await expect(swarmMember.delete(contextOf(session), "node1", joined, outputs)).rejects.toThrow(
      "another host made",
    );
  });
});

describe("inputs", () => {
  it.each([
    [{ role: "worker" }, "joinTokenFrom"],
    [{ role: "manager-init", joinTokenFrom: { addr: "a", token: "t" } }, "joinTokenFrom"],
    [{ role: "worker", joinTokenFrom: { addr: "a", token: "t" }, labels: { a: "b" } }, "labels"],
    [
      { role: "manager", joinTokenFrom: { addr: "a", token: "t" }, defaultAddrPool: ["10.0.0.0/8"] },
      "defaultAddrPool",
    ],
  ])("%j is wrong in %s", (value, path) => {
    expect(swarmMember.schema.safeParse(value).error?.issues.map((issue) => issue.path.join("."))).toContain(
      path,
    );
  });

  it("ignores a rotated token", () => {
    const rotated = { ...worker, joinTokenFrom: { addr: "10.0.0.9:2377", token: "SWMTKN-1-x" } };
    expect(swarmMember.changed?.(worker, rotated)).toEqual([]);
    expect(swarmMember.changed?.(worker, { ...rotated, advertiseAddr: "10.0.0.3" })).toEqual([
      "advertiseAddr",
    ]);
  });
});
