/** Which names are functions, and which of them sleep: asked of the engine at most once in a while, whatever is requested. */
import { scalesToZero } from "./deployment";
import type { Engine } from "./engine";
import { isFunction, replicasOf } from "./status";

/** How long a known function may be taken for granted. */
const FRESH_MS = 2000;
/** How soon a name that was not there is asked for again: requests for nonsense do not become load on the engine. */
const RETRY_MS = 300;

export class Directory {
  /** With whether the function is at zero because its labels let it. */
  private functions = new Map<string, boolean>();
  private at = -Infinity;
  private asking?: Promise<void>;

  constructor(
    private readonly engine: Pick<Engine, "listFunctions">,
    private readonly now: () => number = Date.now,
  ) {}

  async has(name: string): Promise<boolean> {
    const age = this.now() - this.at;
    if (age < FRESH_MS && (this.functions.has(name) || age < RETRY_MS)) return this.functions.has(name);
    await (this.asking ??= this.refresh());
    return this.functions.has(name);
  }

  /** As of the last look: to be called after `has`. */
  sleeps(name: string): boolean {
    return this.functions.get(name) ?? false;
  }

  /** What was just deployed, scaled or removed is known at once. */
  forget(): void {
    this.at = -Infinity;
  }

  private async refresh(): Promise<void> {
    const started = this.now();
    try {
      const services = (await this.engine.listFunctions()).filter(isFunction);
      this.functions = new Map(
        services.map((each) => [each.Spec.Name!, replicasOf(each) === 0 && scalesToZero(each.Spec.Labels)]),
      );
      this.at = started;
    } finally {
      this.asking = undefined;
    }
  }
}
