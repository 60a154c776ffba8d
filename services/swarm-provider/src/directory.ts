/** Which names are functions: asked of the engine at most once in a while, whatever is requested. */
import type { Engine } from "./engine";
import { isFunction } from "./status";

/** How long a known function may be taken for granted. */
const FRESH_MS = 2000;
/** How soon a name that was not there is asked for again: requests for nonsense do not become load on the engine. */
const RETRY_MS = 300;

export class Directory {
  private names = new Set<string>();
  private at = -Infinity;
  private asking?: Promise<void>;

  constructor(
    private readonly engine: Pick<Engine, "listFunctions">,
    private readonly now: () => number = Date.now,
  ) {}

  async has(name: string): Promise<boolean> {
    const age = this.now() - this.at;
    if (age < FRESH_MS && (this.names.has(name) || age < RETRY_MS)) return this.names.has(name);
    await (this.asking ??= this.refresh());
    return this.names.has(name);
  }

  /** What was just deployed or removed is known at once. */
  forget(): void {
    this.at = -Infinity;
  }

  private async refresh(): Promise<void> {
    const started = this.now();
    try {
      const services = await this.engine.listFunctions();
      this.names = new Set(services.filter(isFunction).map((service) => service.Spec.Name!));
      this.at = started;
    } finally {
      this.asking = undefined;
    }
  }
}
