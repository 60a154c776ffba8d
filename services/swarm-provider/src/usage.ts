/** Memory and CPU of functions, as OpenFaaS's FunctionUsage has it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "./engine";
import type { ContainerStats } from "./records";
import type { TaskRecord } from "./records";

export interface Usage {
  /** Thousandths of a CPU, of all replicas together, on average since the last measurement. */
  cpu: number;
  /** Bytes of all replicas together, without the page cache that the kernel can take back. */
  totalMemoryBytes: number;
}

interface Sample {
  /** Nanoseconds of CPU since the container started. */
  cpuNs: number;
  /** When it was taken, in ms. */
  at: number;
  /** Thousandths of a CPU between the sample before and this one. */
  rate?: number;
}

/** Two samples closer than this say little; the rate of before is given again. */
const LEAST_MS = 250;
/** Unused samples are dropped; their containers have most likely ended. */
const FORGET_MS = 10 * 60_000;
/** Questions to the engine at the same time. */
const AT_ONCE = 8;

/** Sees the containers of its own node: a replica on another one counts as nothing. */
export class UsageMeter {
  private readonly samples = new Map<string, Sample>();

  constructor(
    private readonly engine: Pick<Engine, "containerStats">,
    private readonly now: () => number = Date.now,
  ) {}

  /** By service id. The first question about a container takes a quarter of a second: a rate needs two looks. */
  async measure(tasks: TaskRecord[]): Promise<Map<string, Usage>> {
    const all = tasks.flatMap(({ ServiceID, Status }) => {
      const id = Status.ContainerStatus?.ContainerID;
      return Status.State === "running" && id ? [{ ServiceID, id }] : [];
    });
    const fresh = all.filter(({ id }) => !this.samples.has(id));
    await inTurns(fresh, ({ id }) => this.sample(id));
    if (fresh.length > 0) await sleep(LEAST_MS);
    const usage = new Map<string, Usage>();
    await inTurns(all, async ({ ServiceID, id }) => {
      const memory = await this.sample(id);
      const sum = usage.get(ServiceID) ?? { cpu: 0, totalMemoryBytes: 0 };
      sum.cpu += this.samples.get(id)?.rate ?? 0;
      sum.totalMemoryBytes += memory;
      usage.set(ServiceID, sum);
    });
    // By age, not by who is there: this question may have been about one function of many.
    const now = this.now();
    for (const [id, { at }] of this.samples) if (now - at > FORGET_MS) this.samples.delete(id);
    return usage;
  }

  /** Looks at one container; gives its memory. One that has gone, or is on another node, or that the engine cannot measure, uses nothing. */
  private async sample(id: string): Promise<number> {
    // Some engines have no numbers in the first moment of a container, and say so with an error.
    const stats = await this.engine.containerStats(id).catch(() => undefined);
    if (!stats) return 0;
    const before = this.samples.get(id);
    const at = this.now();
    const cpuNs = stats.cpu_stats?.cpu_usage?.total_usage ?? 0;
    if (!before) this.samples.set(id, { cpuNs, at });
    else if (at - before.at >= LEAST_MS) {
      const rate = Math.max(0, (cpuNs - before.cpuNs) / ((at - before.at) * 1e6)) * 1000;
      this.samples.set(id, { cpuNs, at, rate: Math.round(rate * 100) / 100 });
    }
    return memoryOf(stats);
  }
}

/** What `docker stats` shows: cgroup v2 and v1 name the cache differently. */
function memoryOf({ memory_stats: { usage = 0, stats = {} } = {} }: ContainerStats): number {
  return Math.max(0, usage - (stats.inactive_file ?? stats.total_inactive_file ?? 0));
}

async function inTurns<T>(items: T[], action: (item: T) => Promise<unknown>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await action(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
}
