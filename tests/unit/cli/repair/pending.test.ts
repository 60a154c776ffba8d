/** What of an interrupted `up` is removed, and whose lock is released. */
import { halfMade, isOver, lockHolders } from "../../../../cli/repair/pending";

const SERVICE = "docker:index/service:Service";
const resource = (type: string, name: string, id?: string) => ({
  urn: `urn:pulumi:s::p::${type}::${name}`,
  type,
  inputs: { name },
  ...(id ? { id } : {}),
});
const creating = (type: string, name: string) => ({ type: "creating", resource: resource(type, name) });

describe("what is half made", () => {
  it("is what Docker would refuse to make again, services first", () => {
    const pending = [
      creating("docker:index/network:Network", "functions"),
      creating("docker:index/secret:Secret", "password-1a2b"),
      creating("docker:index/serviceConfig:ServiceConfig", "rules-3c4d"),
      creating(SERVICE, "nats"),
    ];
    expect(halfMade({ pending_operations: pending })).toEqual([
      { kind: "service", name: "nats" },
      { kind: "config", name: "rules-3c4d" },
      { kind: "secret", name: "password-1a2b" },
      { kind: "network", name: "functions" },
    ]);
  });

  it("is never a volume, nor something that was being changed or taken away", () => {
    const pending = [
      creating("docker:index/volume:Volume", "openfaas-queue"),
      creating("host:index:File", "nginx-conf"),
      { type: "updating", resource: resource(SERVICE, "gateway", "id") },
      { type: "deleting", resource: resource(SERVICE, "prometheus", "id") },
    ];
    expect(halfMade({ pending_operations: pending })).toEqual([]);
  });

  it("is nothing whose name the state has: that one was there before", () => {
    const pending = [creating(SERVICE, "nats"), creating(SERVICE, "gateway")];
    const known = [resource(SERVICE, "nats", "jieqc7nthjv0"), resource(SERVICE, "gateway")];
    expect(halfMade({ resources: known, pending_operations: pending })).toEqual([
      { kind: "service", name: "gateway" },
    ]);
  });

  it("is nothing in a stack without operations", () => {
    expect(halfMade({})).toEqual([]);
  });
});

describe("the lock", () => {
  const message = `error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  file:///x/.pulumi/locks/organization/oslo-faas/me/8b90.json?no_tmp_dir=true: created by root@vm (pid 18086) at 2026-11-24T04:16:23Z
  file:///x/.pulumi/locks/organization/oslo-faas/me/9c01.json: created by kari@laptop (pid 7) at 2026-11-24T04:17:00Z`;

  it("is read from the engine's message, with who holds it", () => {
    expect(lockHolders(message)).toEqual([
      { user: "root", machine: "vm", pid: 18086, since: "2026-11-24T04:16:23Z" },
      { user: "kari", machine: "laptop", pid: 7, since: "2026-11-24T04:17:00Z" },
    ]);
    expect(lockHolders("error: no host")).toEqual([]);
  });

  it("is over where its process is gone on this machine, and not known to be anywhere else", () => {
    const holder = (machine: string, pid: number) => ({ user: "root", machine, pid, since: "" });
    expect(isOver(holder("vm", 2 ** 22 + 1), "vm")).toBe(true);
    expect(isOver(holder("vm", process.pid), "vm")).toBe(false);
    expect(isOver(holder("laptop", 2 ** 22 + 1), "vm")).toBe(false);
  });
});
