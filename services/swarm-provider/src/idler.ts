/**
 * Scales idle functions to zero if their labels ask for it: `com.openfaas.scale.zero=true`, and
 * `com.openfaas.scale.zero-duration` for how long. Who calls is seen by the provider itself and in the gateway's metrics.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseDuration } from "../../../shared/duration";
import { SCALE_ZERO_DURATION } from "./deployment";
import type { Functions } from "./functions";
import type { Invocations } from "./gatewayCalls";
import type { Metrics } from "./metrics";
import { replicasOf, type ServiceRecord } from "./records";

export interface IdlerOptions {
  /** How long a function must not be called, in ms, where its label does not say. */
  idleMs: number;
  /** From one look to the next, in ms. */
  intervalMs: number;
  /** A call takes no longer, in ms: what the gateway has begun and not ended is believed for so long. */
  longestCallMs: number;
  /** Calls that do not pass the provider; undefined when all do. Rejects when they cannot be known. */
  elsewhere?: () => Promise<Map<string, Invocations>>;
  /** Called when functions were announced to be at zero. Rejects when somebody may call their replicas all the same. */
  onAnnounced?: () => Promise<void>;
  /** Called after each attempt to scale a function. */
  onScaled?: () => void;
  log: { info(details: object, text: string): void; warn(details: object, text: string): void };
}

interface Watched {
  /** The gateway's counts at the last look. */
  mark: string;
  /** When they changed. */
  changed: number;
  /** The last sign of life. */
  active: number;
}

/** Before and after a scaling to zero: how long the gateway may go on sending to replicas that it takes for available (its cache: 250 ms). */
const SETTLE_MS = 500;

export class Idler {
  private watched = new Map<string, Watched>();
  private timer?: NodeJS.Timeout;
  private closed = false;

  constructor(
    private readonly functions: Pick<Functions, "scalable" | "counts">,
    private readonly metrics: Metrics,
    private readonly options: IdlerOptions,
    private readonly now: () => number = Date.now,
  ) {}

  start(): void {
    if (this.closed) return;
    this.timer = setTimeout(() => {
      this.look()
        .catch((error: Error) => this.options.log.warn({ err: error.message }, "the idler could not look"))
        .finally(() => this.start());
    }, this.options.intervalMs).unref();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /** One look at every function that may idle. @returns those that it scaled to zero */
  async look(): Promise<string[]> {
    const candidates = (await this.functions.scalable()).filter((each) => replicasOf(each) > 0);
    const names = new Set(candidates.map(({ Spec }) => Spec.Name!));
    for (const name of this.watched.keys()) if (!names.has(name)) this.watched.delete(name);
    if (candidates.length === 0 || !(await this.update([...names]))) return [];
    const idle = candidates.filter((each) => this.isIdle(each));
    if (idle.length === 0) return [];
    const asleep = await this.scaleToZero(idle);
    if (asleep.length > 0) await this.wakeCalled(asleep);
    // Starting it again, by a call or by hand, restarts its idle time.
    for (const name of asleep) this.watched.delete(name);
    return asleep;
  }

  /**
   * Zero is announced first, and the engine told when nobody called for as long as a caller may go by what was reported before:
   * from then on each caller looks, and asks for a replica, before it calls.
   */
  private async scaleToZero(idle: ServiceRecord[]): Promise<string[]> {
    const { counts } = this.functions;
    const announced = idle.filter(({ Spec }) => counts.announceZero(Spec.Name!));
    const names = announced.map(({ Spec }) => Spec.Name!);
    const asleep: string[] = [];
    try {
      if (names.length > 0) await Promise.all([this.options.onAnnounced?.(), sleep(SETTLE_MS)]);
      if (!(await this.update(names))) return [];
      for (const service of announced)
        if (this.isIdle(service) && (await this.tellEngine(service))) asleep.push(service.Spec.Name!);
    } finally {
      names.forEach((name) => counts.withdrawZero(name));
    }
    return asleep;
  }

  /** False when it could not be, or somebody asked for a replica. The others still get their turn. */
  private async tellEngine(service: ServiceRecord): Promise<boolean> {
    const name = service.Spec.Name!;
    try {
      if (!(await this.functions.counts.scaleToZero(name))) return false;
    } catch (error) {
      const { message } = error as Error;
      this.options.log.warn({ function: name, err: message }, "idle, but could not be scaled to zero");
      return false;
    } finally {
      this.options.onScaled?.();
    }
    this.metrics.scaledToZero();
    this.options.log.info({ function: name, idleMs: this.idleMs(service) }, "idle: scaled to zero");
    return true;
  }

  /** A call that came at the very moment of the scaling may have been lost; the next one is not to wait. */
  private async wakeCalled(names: string[]): Promise<void> {
    const marks = new Map(names.map((name) => [name, this.watched.get(name)?.mark]));
    await sleep(SETTLE_MS);
    if (!(await this.update(names))) return;
    for (const name of names) if (this.watched.get(name)?.mark !== marks.get(name)) await this.wake(name);
  }

  private async wake(name: string): Promise<void> {
    this.options.log.info({ function: name }, "called as it was scaled to zero: started again");
    await this.functions.counts.wake(name).catch((error: Error) => {
      this.options.log.warn({ function: name, err: error.message }, "could not be started again");
    });
  }

  /** False when nothing is known of the calls, which then might be many: everything counts as called just now. */
  private async update(names: string[]): Promise<boolean> {
    const now = this.now();
    let calls: Map<string, Invocations>;
    try {
      calls = (await this.options.elsewhere?.()) ?? new Map<string, Invocations>();
    } catch (error) {
      this.options.log.warn(
        { err: (error as Error).message },
        "the gateway's metrics cannot be read: nothing is scaled to zero",
      );
      this.watched.clear();
      return false;
    }
    for (const name of names) this.note(name, calls.get(name) ?? { started: 0, ended: 0 }, now);
    return true;
  }

  private note(name: string, { started, ended }: Invocations, now: number): void {
    const mark = `${started} ${ended}`;
    const before = this.watched.get(name);
    // Seen for the first time: who knows when it was called last.
    const watched = before ?? { mark, changed: now, active: now };
    if (watched.mark !== mark) Object.assign(watched, { mark, changed: now, active: now });
    if (started > ended && now - watched.changed < this.options.longestCallMs) watched.active = now;
    const own = this.metrics.callsOf(name);
    if (own) watched.active = own.inFlight > 0 ? now : Math.max(watched.active, own.last);
    this.watched.set(name, watched);
  }

  private isIdle(service: ServiceRecord): boolean {
    const watched = this.watched.get(service.Spec.Name!);
    return watched !== undefined && this.now() - watched.active >= this.idleMs(service);
  }

  private idleMs(service: ServiceRecord): number {
    return parseDuration(service.Spec.Labels?.[SCALE_ZERO_DURATION] ?? "") ?? this.options.idleMs;
  }
}
