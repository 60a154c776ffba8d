/** What an `up` that was killed left open, read from the stack's state. */
import os from "node:os";

interface Resource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
}

export interface Operation {
  /** "creating", "updating", "deleting", "reading", "importing" */
  type: string;
  resource: Resource;
}

export interface Deployment {
  resources?: Resource[];
  pending_operations?: Operation[];
}

/** An object of Docker that may be there although the state does not have it. */
export interface HalfMade {
  kind: "service" | "network" | "config" | "secret";
  name: string;
}

/**
 * Docker refuses a second object of the same name, and the engine cannot tell whether the first was created. Volumes are left out:
 * creating an existing one is not an error, and it may hold data. Services come first, because they use the others.
 */
const KINDS: [HalfMade["kind"], string][] = [
  ["service", "docker:index/service:Service"],
  ["config", "docker:index/serviceConfig:ServiceConfig"],
  ["secret", "docker:index/secret:Secret"],
  ["network", "docker:index/network:Network"],
];

/** Those being created, without what bears the name of one that the state has. */
export function halfMade({ resources = [], pending_operations = [] }: Deployment): HalfMade[] {
  const known = new Set(
    resources.filter(({ id }) => id).map(({ type, inputs }) => `${type} ${String(inputs?.name)}`),
  );
  const creating = pending_operations
    .filter(({ type }) => type === "creating")
    .map(({ resource }) => resource);
  return KINDS.flatMap(([kind, type]) =>
    creating
      .filter((one) => one.type === type && typeof one.inputs?.name === "string")
      .filter((one) => !known.has(`${type} ${String(one.inputs!.name)}`))
      .map((one) => ({ kind, name: String(one.inputs!.name) })),
  );
}

export interface Holder {
  user: string;
  machine: string;
  pid: number;
  since: string;
}

/** Who holds the stack's lock, from the engine's message: "…: created by root@vm (pid 18086) at 2026-11-24T04:16:23Z". */
export function lockHolders(message: string): Holder[] {
  return [...message.matchAll(/created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)/g)].map(
    ([, user, machine, pid, since]) => ({ user: user!, machine: machine!, pid: Number(pid), since: since! }),
  );
}

/** True if the run was on this machine and has ended. Runs elsewhere cannot be checked. */
export function isOver({ machine, pid }: Holder, hostname = os.hostname()): boolean {
  if (machine !== hostname) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
