/**
 * How many replicas a function is to have. Every change and every report of that number goes through this class.
 *
 * OpenFaaS's gateway reads the number before each call. At zero it asks for a replica. Above zero it waits until a replica can be called, and
 * never asks again. A call therefore hangs until the gateway gives up, unless:
 * - zero is reported before the engine is told, and until somebody asks for a replica;
 * - a number that was read before a change is not reported after it;
 * - nothing is scaled to zero while somebody waits for a replica;
 * - replicas that were seen before a scaling to zero do not count as available after it: the function may have been woken since.
 */
import { type Changes, updating } from "./changes";
import { DEFAULT_SCALE_MAX, SCALE_MAX } from "./deployment";
import type { Engine } from "./engine";
import { EngineError } from "./errors";
import { initialReplicas } from "./spec";
import { replicasOf, type ServiceRecord } from "./records";

/** Who waits for a replica asks again well within this time, in ms. The gateway does so ten times a second. */
const AWAITED_MS = 10_000;

/** From the engine's answer to a scaling to zero until it has told each replica to end, in ms. */
const ENDING_MS = 500;

interface Life {
  /** Reported as zero. Once the engine has been told: whether it said what became of that. */
  fallingAsleep?: { isOutcomeKnown?: Promise<boolean> };
  /** The number last written, in the place of the one in a service that was read before that. */
  written?: { serviceId: string; afterVersion: number; replicas: number };
  /** Until when somebody may wait for a replica. */
  awaitedUntil: number;
  /** Questions of those, and changes for them, that are under way. */
  waiting: number;
  /** Scalings to zero that the engine was told of and has not answered. */
  endings: number;
  /** Replicas that were seen before this moment may be told to end. */
  endedAt: number;
}

/** What a change finds: "roused" from an announced zero, or with a scaling to zero that may still take place. */
type Before = "awake" | "roused" | "unknown";

export class ReplicaCounts {
  private readonly lives = new Map<string, Life>();

  constructor(
    private readonly engine: Pick<Engine, "updateService">,
    private readonly changes: Changes,
    private readonly now: () => number = Date.now,
  ) {}

  /** The service with the number of replicas to report at this moment. To be called when nothing is waited for any more. */
  asReported(service: ServiceRecord): ServiceRecord {
    const life = this.lives.get(service.Spec.Name!);
    if (life?.fallingAsleep) return withReplicas(service, 0);
    const { written } = life ?? {};
    const isOutdated = written?.serviceId === service.ID && service.Version.Index <= written.afterVersion;
    return isOutdated ? withReplicas(service, written.replicas) : service;
  }

  /** Whether replicas that were seen at that moment are still there. To be asked when nothing is waited for any more. */
  areThere(name: string, seenAt: number): boolean {
    const life = this.lives.get(name);
    return life === undefined || (life.endings === 0 && seenAt >= life.endedAt);
  }

  /** Answers a question about a function: a caller that is told to wait for a replica gets one. */
  async answer<T extends { replicas: number; availableReplicas: number }>(
    name: string,
    look: () => Promise<T>,
  ): Promise<T> {
    const answer = this.isAwaited(name) ? await this.whileAwaited(name, look) : await look();
    if (answer.replicas > 0 && answer.availableReplicas === 0) this.expect(name);
    return answer;
  }

  /** Whether somebody may wait for a replica. */
  isAwaited(name: string): boolean {
    const life = this.lives.get(name);
    return life !== undefined && (life.waiting > 0 || this.now() < life.awaitedUntil);
  }

  /**
   * Sets the number of replicas, at most what the function's labels allow.
   * @returns the number it was set to
   * @throws ApiError 404; 409 while an update of running replicas is under way
   */
  async set(name: string, replicas: number): Promise<number> {
    let set = replicas;
    const scale = (before: Before) =>
      this.write(name, before, async (service) => {
        const most = Number(service.Spec.Labels?.[SCALE_MAX] ?? DEFAULT_SCALE_MAX) || DEFAULT_SCALE_MAX;
        set = Math.min(replicas, most);
        // Who wants one of a function that is still all there gets what is there.
        if (before !== "awake") set = Math.max(set, replicasOf(service));
        if (set !== replicasOf(service) && (await this.changes.isUpdating(service))) throw updating(name);
        return set;
      });
    if (replicas === 0) await scale("awake");
    else await this.whileAwaited(name, async () => scale(await this.rouse(name)));
    if (replicas > 0) this.expect(name);
    return set;
  }

  /** Gives a function at zero its least number of replicas, one without a label; another it leaves alone. @throws ApiError 404 */
  async wake(name: string): Promise<void> {
    await this.whileAwaited(name, async () =>
      this.write(name, await this.rouse(name), async (service) =>
        replicasOf(service) > 0 ? replicasOf(service) : initialReplicas(service.Spec.Labels ?? {}, 1),
      ),
    );
    this.expect(name);
  }

  /** From now on the function is reported to be at zero. False, and nothing done, when somebody waits for it. */
  announceZero(name: string): boolean {
    if (this.isAwaited(name)) return false;
    this.lifeOf(name).fallingAsleep ??= {};
    return true;
  }

  /** Whether nobody has asked for a replica since zero was announced. */
  isFallingAsleep(name: string): boolean {
    return this.lives.get(name)?.fallingAsleep !== undefined;
  }

  /** Takes the announcement back. Somebody may have heard it, and now learns of a replica. */
  withdrawZero(name: string): void {
    const life = this.lives.get(name);
    // Where nobody knows what the engine did, only the next change can tell.
    if (!life?.fallingAsleep || life.fallingAsleep.isOutcomeKnown) return;
    life.fallingAsleep = undefined;
    this.expect(name);
  }

  /**
   * Scales a function to zero that was announced to be there.
   * @returns false when somebody has asked for a replica since
   * @throws ApiError 404; 409 while an update of running replicas is under way; EngineError
   */
  async scaleToZero(name: string): Promise<boolean> {
    const { fallingAsleep } = this.lifeOf(name);
    if (!fallingAsleep || this.isAwaited(name)) return false;
    const writing = this.write(name, "awake", async (service) => {
      if (replicasOf(service) > 0 && (await this.changes.isUpdating(service))) throw updating(name);
      return 0;
    });
    // Those who ask for a replica meanwhile wait for this.
    fallingAsleep.isOutcomeKnown = writing.then(
      () => true,
      (error: unknown) => !isOutcomeUnknown(error),
    );
    if (await fallingAsleep.isOutcomeKnown) this.lifeOf(name).fallingAsleep = undefined;
    // Somebody may have heard of zero, and now learns of a replica.
    await writing.catch((error: unknown) => {
      this.expect(name);
      throw error;
    });
    return true;
  }

  /** An update wrote the service with this number. */
  noteWritten(service: ServiceRecord, replicas: number): void {
    const life = this.lifeOf(service.Spec.Name!);
    life.written = { serviceId: service.ID, afterVersion: service.Version.Index, replicas };
  }

  forget(name: string): void {
    this.lives.delete(name);
  }

  /** Ends what `announceZero` began, or waits for the end of the scaling. */
  private async rouse(name: string): Promise<Before> {
    const life = this.lifeOf(name);
    const { fallingAsleep } = life;
    if (!fallingAsleep) return "awake";
    if (fallingAsleep.isOutcomeKnown) return (await fallingAsleep.isOutcomeKnown) ? "roused" : "unknown";
    life.fallingAsleep = undefined;
    return "roused";
  }

  /** Writes the number that `decide` names, when it is another one, or when an earlier change could still undo it. */
  private async write(
    name: string,
    before: Before,
    decide: (service: ServiceRecord) => Promise<number>,
  ): Promise<void> {
    await this.changes.change(name, {}, async (service) => {
      const replicas = await decide(service);
      if (replicas === replicasOf(service) && before !== "unknown") return;
      // Everything else stays as it was read, so that no replica restarts.
      const writing = this.engine.updateService(service, withReplicas(service, replicas).Spec);
      await (replicas === 0 ? this.whileEnding(name, writing) : writing);
      this.noteWritten(service, replicas);
    });
    if (before === "unknown") this.lifeOf(name).fallingAsleep = undefined;
  }

  private async whileEnding(name: string, writing: Promise<unknown>): Promise<void> {
    const life = this.lifeOf(name);
    life.endings++;
    try {
      await writing;
    } finally {
      life.endings--;
      life.endedAt = this.now() + ENDING_MS;
    }
  }

  private async whileAwaited<T>(name: string, action: () => Promise<T>): Promise<T> {
    const life = this.lifeOf(name);
    life.waiting++;
    try {
      return await action();
    } finally {
      life.waiting--;
    }
  }

  private expect(name: string): void {
    this.lifeOf(name).awaitedUntil = this.now() + AWAITED_MS;
  }

  private lifeOf(name: string): Life {
    let life = this.lives.get(name);
    if (!life) this.lives.set(name, (life = { awaitedUntil: 0, waiting: 0, endings: 0, endedAt: 0 }));
    return life;
  }
}

function withReplicas(service: ServiceRecord, Replicas: number): ServiceRecord {
  return { ...service, Spec: { ...service.Spec, Mode: { Replicated: { Replicas } } } };
}

/** An engine that said no did nothing; of one that said nothing, or failed, nobody knows. */
function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof EngineError && ![400, 404, 409].includes(error.status);
}
