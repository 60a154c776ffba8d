/**
 * Takes back updates that no node has room for, or that no node may have. The engine goes back when a new replica fails; one that it
 * never starts, for its requests beside those of the old one or for its constraints, it waits for without an end.
 */
import type { Engine } from "./engine";
import { isPresent, isUnplaced } from "./rollout";
import { isFunction } from "./status";
import type { ServiceRecord } from "./records";

export interface UnplacedOptions {
  /** How long a new replica may look for a node, in ms: others may be about to end there. */
  limitMs: number;
  /** From one look to the next, in ms. */
  intervalMs: number;
  log: { info(details: object, text: string): void; warn(details: object, text: string): void };
}

export class Unplaced {
  private timer?: NodeJS.Timeout;
  private closed = false;

  constructor(
    private readonly engine: Pick<Engine, "listFunctions" | "listTasks" | "rollBack">,
    private readonly options: UnplacedOptions,
    private readonly now: () => number = Date.now,
  ) {}

  start(): void {
    if (this.closed) return;
    this.timer = setTimeout(() => {
      this.look()
        .catch((error: Error) =>
          this.options.log.warn({ err: error.message }, "updates without a node could not be looked for"),
        )
        .finally(() => this.start());
    }, this.options.intervalMs).unref();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /** One look at every function that is being updated. @returns those whose update it takes back */
  async look(): Promise<string[]> {
    const functions = (await this.engine.listFunctions()).filter(isFunction);
    const taken: string[] = [];
    for (const service of functions) {
      if (service.UpdateStatus?.State !== "updating") continue;
      const reason = await this.reasonFor(service);
      if (reason !== undefined && (await this.takeBack(service, reason))) taken.push(service.Spec.Name!);
    }
    return taken;
  }

  /** The engine's words for what keeps a new replica from starting, where it has done so for too long. */
  private async reasonFor(service: ServiceRecord): Promise<string | undefined> {
    const tasks = await this.engine.listTasks(service.ID);
    const stuck = tasks.find(
      (task) =>
        isPresent(task, service) &&
        isUnplaced(task) &&
        this.now() - Date.parse(task.CreatedAt ?? "") > this.options.limitMs,
    );
    return stuck?.Status.Err;
  }

  /** False when it could not be: somebody changed or removed the function just now. The others still get their turn. */
  private async takeBack(service: ServiceRecord, reason: string): Promise<boolean> {
    const details = { function: service.Spec.Name, reason };
    try {
      await this.engine.rollBack(service);
    } catch (error) {
      this.options.log.warn({ ...details, err: (error as Error).message }, "update could not be taken back");
      return false;
    }
    this.options.log.info(details, "update taken back: no node for the new version");
    return true;
  }
}
