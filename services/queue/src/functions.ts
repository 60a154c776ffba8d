/** Which functions there are, and what they say of their asynchronous calls: asked of the Swarm provider. */
import * as http from "node:http";
import { type QueueSettings, readQueueSettings } from "../../../shared/queueSettings";
import type { TriggersByFunction } from "../../../shared/triggers";

/** For so long a function that was there is taken for granted. */
const FRESH_MS = 2000;
/** And for so long while the provider is away: its calls are kept until they can be made. */
const STALE_MS = 24 * 3600_000;
const LIMIT_MS = 3000;

interface Seen {
  at: number;
  settings: QueueSettings;
}

export class KnownFunctions {
  private readonly seen = new Map<string, Seen>();
  private readonly asking = new Map<string, Promise<QueueSettings | undefined>>();
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

  constructor(
    /** Without a slash at the end. */
    private readonly provider: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws an Error while the provider is away and the function was not seen before */
  async has(name: string): Promise<boolean> {
    return (await this.find(name)) !== undefined;
  }

  /** Nothing is known of a function while the provider is away. */
  async settings(name: string): Promise<QueueSettings> {
    return (await this.find(name).catch(() => undefined)) ?? {};
  }

  /** @throws an Error while the provider is away */
  async triggers(): Promise<TriggersByFunction> {
    return (await this.get<TriggersByFunction>(`${this.provider}/queue/triggers`)) ?? {};
  }

  private async find(name: string): Promise<QueueSettings | undefined> {
    const seen = this.seen.get(name);
    const age = this.now() - (seen?.at ?? -Infinity);
    if (seen && age < FRESH_MS) return seen.settings;
    const asking = this.asking.get(name) ?? this.ask(name);
    this.asking.set(name, asking);
    try {
      return await asking;
    } catch (error) {
      if (seen && age < STALE_MS) return seen.settings;
      throw error;
    } finally {
      if (this.asking.get(name) === asking) this.asking.delete(name);
    }
  }

  private async ask(name: string): Promise<QueueSettings | undefined> {
    const annotations = await this.get<Record<string, string>>(`${this.provider}/queue/function/${name}`);
    if (!annotations) {
      this.seen.delete(name);
      return undefined;
    }
    const settings = readQueueSettings(annotations);
    this.seen.set(name, { at: this.now(), settings });
    return settings;
  }

  /** Undefined for 404. */
  private get<T>(url: string): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const request = http.get(url, { agent: this.agent, timeout: LIMIT_MS }, (response) => {
        const { statusCode = 0 } = response;
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          if (statusCode === 404) return resolve(undefined);
          if (statusCode !== 200) return reject(new Error(`the provider answers ${statusCode}`));
          // A provider of the version before says nothing more.
          const text = Buffer.concat(chunks).toString();
          resolve((text === "" ? {} : JSON.parse(text)) as T);
        });
      });
      request.on("timeout", () => request.destroy(new Error("the provider does not answer")));
      request.on("error", reject);
    });
  }
}
