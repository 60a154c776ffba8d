/** Where the replicas of a function are: Docker's DNS, asked anew every second, and one pool of connections per replica. */
import { Resolver } from "node:dns/promises";
import { Agent } from "node:http";

export interface Replica {
  address: string;
  agent: Agent;
  /** Requests under way. */
  active: number;
}

type Resolve = (host: string) => Promise<string[]>;

interface Known {
  replicas: Replica[];
  /** When it was asked, in ms; a failed look-up is forgotten at once. */
  at: number;
  asking?: Promise<Replica[]>;
}

/** Swarm takes a replica out of DNS two seconds before it tells it to end: with this age no request is sent to one that ends. */
const FRESH_MS = 1000;
/** Servers close an idle connection after five seconds (Node, Uvicorn) or two (Gunicorn); ours must close earlier. */
const IDLE_MS = 1500;
const FORGET_MS = 60_000;

export class Addresses {
  private readonly known = new Map<string, Known>();
  private readonly resolve: Resolve;

  constructor(
    resolve?: Resolve,
    private readonly now: () => number = Date.now,
  ) {
    const resolver = new Resolver({ timeout: 1000, tries: 2 });
    this.resolve = resolve ?? ((host) => resolver.resolve4(host));
  }

  /** The replicas of a host name. */
  async replicas(host: string): Promise<Replica[]> {
    const known = this.known.get(host);
    if (known && known.replicas.length > 0 && this.now() - known.at < FRESH_MS) return known.replicas;
    return known?.asking ?? this.ask(host, known?.replicas ?? []);
  }

  close(): void {
    for (const { replicas } of this.known.values()) for (const replica of replicas) replica.agent.destroy();
    this.known.clear();
  }

  private ask(host: string, before: Replica[]): Promise<Replica[]> {
    const entry = this.known.get(host) ?? { replicas: before, at: 0 };
    entry.asking = this.resolve(host)
      .catch(() => [] as string[])
      .then((addresses) => {
        const old = new Map(entry.replicas.map((replica) => [replica.address, replica]));
        entry.replicas = [...new Set(addresses)].map((address) => old.get(address) ?? newReplica(address));
        entry.at = this.now();
        entry.asking = undefined;
        for (const replica of old.values()) if (!addresses.includes(replica.address)) retire(replica);
        this.forgetOld();
        return entry.replicas;
      });
    this.known.set(host, entry);
    return entry.asking;
  }

  private forgetOld(): void {
    for (const [host, entry] of this.known) {
      if (entry.asking || (entry.replicas.length > 0 && this.now() - entry.at < FORGET_MS)) continue;
      entry.replicas.forEach(retire);
      this.known.delete(host);
    }
  }
}

function newReplica(address: string): Replica {
  const agent = new Agent({ keepAlive: true, timeout: IDLE_MS, maxFreeSockets: 256, scheduling: "lifo" });
  return { address, agent, active: 0 };
}

/** What is under way ends by itself; connections that wait for the next request go now. */
function retire(replica: Replica): void {
  for (const sockets of Object.values(replica.agent.freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
}

/**
 * Takes the replica with the fewest requests under way out of `replicas`, any of several. To be called just before it is used:
 * many requests wait for the same look-up, and each has to see what the one before it took.
 */
export function takeLeastBusy(replicas: Replica[]): Replica | undefined {
  const fewest = Math.min(...replicas.map((replica) => replica.active));
  const candidates = replicas.filter((replica) => replica.active === fewest);
  const taken = candidates[Math.floor(Math.random() * candidates.length)];
  if (taken) replicas.splice(replicas.indexOf(taken), 1);
  return taken;
}
