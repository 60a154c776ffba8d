/** A function that writes down which calls it got (bench/ledger/), on the lab's platform: for `bench -- queue` and for the tests of the queue. */
import { readLock } from "../components/images/lock";
import { MONITOR_PATHS, queueState, type QueueState } from "../shared/queueState";
import type { Session } from "../providers/host/src/session";
import { send } from "../lab/calls";
import type { Lab } from "../lab/config";

const IMAGE = "registry.lab:5000/oslo-faas/ledger:dev";
const DEPTH = `id=$(docker ps -q --filter label=com.docker.swarm.service.name=nats | head -n 1)
[ -n "$id" ] || exit 0
pid=$(docker inspect -f '{{.State.Pid}}' "$id")
ask() { nsenter -t "$pid" -n curl -sf -m 5 "http://127.0.0.1:8222$1"; }
jsz=$(ask '${MONITOR_PATHS.jsz}') && connz=$(ask '${MONITOR_PATHS.connz}') || exit 0
printf '{"jsz":%s,"connz":%s}' "$jsz" "$connz"`;

export interface Platform {
  lab: Lab;
  /** The front door, without a slash at the end. */
  url: string;
  user: string;
  password: string;
  session: Session;
}

export class Ledger {
  constructor(
    private readonly at: Platform,
    /** The function's name. */
    readonly name = "ledger",
  ) {}

  private get login() {
    const { user, password } = this.at;
    return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
  }

  private manage(method: string, path: string, body?: object) {
    const headers = { ...this.login, "Content-Type": "application/json" };
    return send(`${this.at.url}${path}`, {
      method,
      headers,
      ...(body ? { body: Buffer.from(JSON.stringify(body)) } : {}),
    });
  }

  /** Deploys it anew, empty, and waits until it answers. */
  async deploy(): Promise<void> {
    await this.remove();
    const digest = readLock(this.at.lab.imagesLock)[IMAGE];
    const answer = await this.manage("POST", "/system/functions", {
      service: this.name,
      image: `${IMAGE}@${digest}`,
      // What it knows is in memory.
      labels: { "com.openfaas.scale.min": "1", "com.openfaas.scale.max": "1" },
    });
    if (answer.status !== 202)
      throw new Error(`deploying ${this.name}: ${answer.status} ${answer.body.toString()}`);
    await this.until(async () => (await this.recorded()).size === 0, 60);
  }

  async remove(): Promise<void> {
    await this.until(async () => {
      await this.manage("DELETE", "/system/functions", { functionName: this.name });
      return (await this.manage("GET", `/system/function/${this.name}`)).status === 404;
    }, 60);
  }

  /** One asynchronous call. @throws an Error unless it is accepted */
  async call(id: string, query = "", headers: Record<string, string> = {}): Promise<void> {
    const url = `${this.at.url}/async-function/${this.name}${query}`;
    const answer = await send(url, { method: "POST", headers, body: Buffer.from(id) });
    if (answer.status !== 202) throw new Error(`call ${id}: ${answer.status} ${answer.body.toString()}`);
  }

  /** Ids, and how often each came. */
  async recorded(): Promise<Map<string, number>> {
    const answer = await send(`${this.at.url}/function/${this.name}`, {});
    if (answer.status !== 200) throw new Error(`reading ${this.name}: ${answer.status}`);
    return new Map(Object.entries(JSON.parse(answer.body.toString()) as Record<string, number>));
  }

  /** Undefined while NATS does not answer. */
  async queue(): Promise<QueueState | undefined> {
    const { stdout } = await this.at.session.run(DEPTH, {
      step: "ask the queue's depth",
      timeoutSeconds: 30,
    });
    return stdout.trim() ? queueState(JSON.parse(stdout) as Parameters<typeof queueState>[0]) : undefined;
  }

  /** @throws an Error with what was met last */
  async until(done: () => Promise<boolean>, seconds: number, everyMs = 250): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    let last = "not yet";
    while (Date.now() < deadline) {
      try {
        if (await done()) return;
      } catch (error) {
        last = (error as Error).message;
      }
      await new Promise((next) => setTimeout(next, everyMs));
    }
    throw new Error(`${this.name}: not done within ${seconds} s: ${last}`);
  }
}

/** As many at a time as `width`. */
export async function callAll(ledger: Ledger, ids: string[], width: number, query = ""): Promise<void> {
  const waiting = [...ids];
  const lane = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) await ledger.call(id, query);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

/** Ids that are missing, and those that came more than once. */
export function compare(
  ids: string[],
  recorded: Map<string, number>,
): { missing: string[]; twice: string[] } {
  return {
    missing: ids.filter((id) => !recorded.has(id)),
    twice: [...recorded].filter(([, times]) => times > 1).map(([id]) => id),
  };
}
