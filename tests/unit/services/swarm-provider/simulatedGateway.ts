/** OpenFaaS's gateway with scale_from_zero, as its function_scaler.go does it, before a provider on the same clock. */
import type { Invocations } from "../../../../services/swarm-provider/src/gatewayCalls";
import { pause, type SimulatedSwarm } from "./simulatedSwarm";

const SET_RETRIES = 20;
const POLLS = 1000;
const POLL_MS = 100;
const CACHE_MS = 250;

interface Counts {
  replicas: number;
  availableReplicas: number;
}

export interface ProviderApi {
  status(name: string): Promise<Counts>;
  scale(name: string, replicas: number): Promise<unknown>;
}

/** "502": the gateway sent the call to a replica that was no more. */
export type Answer = "200" | "404" | "500" | "502";

export class SimulatedGateway {
  private cached?: Counts & { at: number };
  private asking?: Promise<Counts>;
  private setting?: Promise<unknown>;
  private started = 0;
  private ended = 0;

  constructor(
    private readonly provider: ProviderApi,
    private readonly swarm: SimulatedSwarm,
    private readonly random: () => number,
  ) {}

  /** What the idler reads. */
  async counts(name: string): Promise<Map<string, Invocations>> {
    await this.network();
    const counts = new Map([[name, { started: this.started, ended: this.ended }]]);
    await this.network();
    return counts;
  }

  async call(name: string): Promise<Answer> {
    const refusal = await this.scale(name);
    return refusal ?? this.forward(name);
  }

  private async scale(name: string): Promise<Answer | undefined> {
    const { cached } = this;
    if (cached && Date.now() - cached.at < CACHE_MS && cached.availableReplicas > 0) return undefined;
    let counts = await this.ask(name).catch(() => undefined);
    if (!counts) return "404";
    if (counts.availableReplicas > 0) return undefined;
    this.keep(counts);
    if (counts.replicas === 0 && !(await this.askForOne(name))) return "500";
    for (let poll = 0; poll < POLLS; poll++) {
      counts = await this.ask(name).catch(() => undefined);
      if (!counts) return "500";
      this.keep(counts);
      if (counts.availableReplicas > 0) return undefined;
      await pause(POLL_MS);
    }
    return undefined;
  }

  private async askForOne(name: string): Promise<boolean> {
    for (let attempt = 0; attempt < SET_RETRIES; attempt++) {
      try {
        const counts = await this.ask(name);
        this.keep(counts);
        if (counts.replicas === 0) await this.set(name);
        return true;
      } catch {
        await pause(POLL_MS);
      }
    }
    return false;
  }

  private keep(counts: Counts): void {
    this.cached = { ...counts, at: Date.now() };
  }

  /** One question at a time, for all who want to know. */
  private ask(name: string): Promise<Counts> {
    this.asking ??= this.overNetwork(() => this.provider.status(name)).finally(
      () => (this.asking = undefined),
    );
    return this.asking;
  }

  private set(name: string): Promise<unknown> {
    this.setting ??= this.overNetwork(() => this.provider.scale(name, 1)).finally(
      () => (this.setting = undefined),
    );
    return this.setting;
  }

  private async forward(name: string): Promise<Answer> {
    this.started++;
    const replica = this.swarm.named(name);
    await pause(this.random() * 10);
    const isReached = replica?.listens ?? false;
    await pause(this.random() * 300);
    this.ended++;
    return isReached ? "200" : "502";
  }

  private async overNetwork<T>(action: () => Promise<T>): Promise<T> {
    await this.network();
    try {
      return await action();
    } finally {
      await this.network();
    }
  }

  private async network(): Promise<void> {
    await pause(this.random() * (this.random() < 0.05 ? 200 : 5));
  }
}
