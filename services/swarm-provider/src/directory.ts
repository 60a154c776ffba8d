/** Which names are functions, and which of them sleep: asked of the engine at most once in a while, whatever is requested. */
import { queueAnnotations } from "../../../shared/queueSettings";
import { triggerAnnotations, type TriggersByFunction } from "../../../shared/triggers";
import { scalesToZero } from "./deployment";
import type { Engine } from "./engine";
import { annotationsOf, isFunction } from "./status";
import { replicasOf } from "./records";

/** How long a known function may be taken for granted. */
const FRESH_MS = 2000;
/** How long one may be called while the engine is asked whether it is still there. */
const STALE_MS = 30_000;
/** How soon a name that was not there is asked for again: requests for nonsense do not become load on the engine. */
const RETRY_MS = 300;

interface Known {
  /** Whether it is at zero because its labels let it. */
  sleeps: boolean;
  /** Annotations about its asynchronous calls. */
  queue: Readonly<Record<string, string>>;
  /** Annotations about what starts a call of it. */
  triggers: Readonly<Record<string, string>>;
  /** When it was first deployed. */
  createdMs: number;
}

export class Directory {
  private functions = new Map<string, Known>();
  private at = -Infinity;
  private asking?: Promise<void>;

  constructor(
    private readonly engine: Pick<Engine, "listFunctions">,
    private readonly now: () => number = Date.now,
  ) {}

  async has(name: string): Promise<boolean> {
    const age = this.now() - this.at;
    const isKnown = this.functions.has(name);
    if (age < FRESH_MS && (isKnown || age < RETRY_MS)) return isKnown;
    const asking = this.ask();
    // A known function is called while the engine is asked: no call waits for that, nor fails while the engine is away for a moment.
    if (isKnown && age < STALE_MS) {
      asking.catch(() => undefined);
      return true;
    }
    await asking;
    return this.at === -Infinity ? this.has(name) : this.functions.has(name);
  }

  /** As of the last look: to be called after `has`. */
  sleeps(name: string): boolean {
    return this.functions.get(name)?.sleeps ?? false;
  }

  /** As of the last look: to be called after `has`. */
  queueAnnotations(name: string): Readonly<Record<string, string>> {
    return this.functions.get(name)?.queue ?? {};
  }

  /** Functions that more than HTTP starts a call of. */
  async triggers(): Promise<TriggersByFunction> {
    if (this.now() - this.at >= FRESH_MS) await this.ask();
    const known = [...this.functions].filter(([, { triggers }]) => Object.keys(triggers).length > 0);
    return Object.fromEntries(
      known.map(([name, { triggers: annotations, createdMs }]) => [name, { annotations, createdMs }]),
    );
  }

  /** What was just deployed, scaled or removed is known at once: an answer that is on its way is from before. */
  forget(): void {
    this.at = -Infinity;
    this.asking = undefined;
  }

  /** One question for all who want to know at the same time. */
  private ask(): Promise<void> {
    if (this.asking) return this.asking;
    const asking: Promise<void> = this.refresh(() => this.asking === asking).finally(() => {
      if (this.asking === asking) this.asking = undefined;
    });
    return (this.asking = asking);
  }

  private async refresh(isLatest: () => boolean): Promise<void> {
    const started = this.now();
    const services = (await this.engine.listFunctions()).filter(isFunction);
    if (!isLatest()) return;
    this.functions = new Map(
      services.map((each) => [
        each.Spec.Name!,
        {
          sleeps: replicasOf(each) === 0 && scalesToZero(each.Spec.Labels),
          queue: queueAnnotations(annotationsOf(each.Spec.Labels)),
          triggers: triggerAnnotations(annotationsOf(each.Spec.Labels)),
          createdMs: Date.parse(each.CreatedAt),
        },
      ]),
    );
    this.at = started;
  }
}
