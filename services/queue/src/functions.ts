/** Which functions there are, asked of the Swarm provider. */
import * as http from "node:http";

/** For so long a function that was there is taken for granted. */
const FRESH_MS = 2000;
/** And for so long while the provider is away: its calls are kept until they can be made. */
const STALE_MS = 24 * 3600_000;
const LIMIT_MS = 3000;

export class KnownFunctions {
  private readonly seen = new Map<string, number>();
  private readonly asking = new Map<string, Promise<boolean>>();
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

  constructor(
    /** Without a slash at the end. */
    private readonly provider: string,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws an Error while the provider is away and the function was not seen before */
  async has(name: string): Promise<boolean> {
    const age = this.now() - (this.seen.get(name) ?? -Infinity);
    if (age < FRESH_MS) return true;
    const asking = this.asking.get(name) ?? this.ask(name);
    this.asking.set(name, asking);
    try {
      return await asking;
    } catch (error) {
      if (age < STALE_MS) return true;
      throw error;
    } finally {
      if (this.asking.get(name) === asking) this.asking.delete(name);
    }
  }

  private async ask(name: string): Promise<boolean> {
    const status = await this.get(`${this.provider}/queue/function/${name}`);
    if (status === 200) this.seen.set(name, this.now());
    else this.seen.delete(name);
    return status === 200;
  }

  private get(url: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const request = http.get(url, { agent: this.agent, timeout: LIMIT_MS }, (response) => {
        response.resume();
        const { statusCode = 0 } = response;
        if (statusCode === 200 || statusCode === 404) resolve(statusCode);
        else reject(new Error(`the provider answers ${statusCode}`));
      });
      request.on("timeout", () => request.destroy(new Error("the provider does not answer")));
      request.on("error", reject);
    });
  }
}
