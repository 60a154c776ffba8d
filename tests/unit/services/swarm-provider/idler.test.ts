import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Changes } from "../../../../services/swarm-provider/src/changes";
import { parseDeployment } from "../../../../services/swarm-provider/src/deployment";
import { Engine } from "../../../../services/swarm-provider/src/engine";
import { Functions } from "../../../../services/swarm-provider/src/functions";
import {
  type Invocations,
  parseInvocations,
  readInvocations,
} from "../../../../services/swarm-provider/src/gatewayCalls";
import { Idler } from "../../../../services/swarm-provider/src/idler";
import { Metrics } from "../../../../services/swarm-provider/src/metrics";
import { Readiness } from "../../../../services/swarm-provider/src/readiness";
import { ReplicaCounts } from "../../../../services/swarm-provider/src/replicaCounts";
import type { ServiceRecord } from "../../../../services/swarm-provider/src/records";
import { FakeEngine } from "./fakeEngine";

const MINUTE = 60_000;

/** A swarm's functions and a gateway's counts, on a clock of its own. */
class World {
  now = 1e9;
  readonly replicas = new Map<string, number>();
  readonly labels = new Map<string, Record<string, string>>();
  readonly called = new Map<string, Invocations>();
  readonly written: string[] = [];
  readonly warnings: string[] = [];
  gateway: "answers" | "is away" = "answers";
  onWrite?: (name: string) => void;
  readonly metrics = new Metrics(() => this.now);
  readonly counts: ReplicaCounts;
  readonly idler: Idler;

  constructor() {
    const engine = {
      findService: async (name: string) => (name === "gone" ? undefined : this.service(name)),
      updateService: async ({ Spec: { Name } }: ServiceRecord, { Mode }: ServiceRecord["Spec"]) => {
        this.replicas.set(Name!, Mode!.Replicated!.Replicas!);
        this.written.push(`${Name} ${Mode!.Replicated!.Replicas}`);
        this.onWrite?.(Name!);
      },
      listTasks: async () => [],
    } as unknown as Engine;
    this.counts = new ReplicaCounts(engine, new Changes(engine), () => this.now);
    const scalable = async () => [...this.replicas.keys()].map((name) => this.service(name));
    const log = { info: () => undefined, warn: (_: object, text: string) => void this.warnings.push(text) };
    const elsewhere = async () => {
      if (this.gateway === "is away") throw new Error("connect ECONNREFUSED");
      return structuredClone(this.called);
    };
    const options = { idleMs: 15 * MINUTE, intervalMs: 1000, longestCallMs: 5 * MINUTE, elsewhere, log };
    this.idler = new Idler({ scalable, counts: this.counts }, this.metrics, options, () => this.now);
  }

  private service(name: string): ServiceRecord {
    const Labels = {
      "com.openfaas.function": name,
      "com.openfaas.scale.zero": "true",
      ...this.labels.get(name),
    };
    const Spec = { Name: name, Labels, Mode: { Replicated: { Replicas: this.replicas.get(name) } } };
    return { ID: name, Version: { Index: 1 }, CreatedAt: "", Spec };
  }

  add(name: string, labels: Record<string, string> = {}): void {
    this.replicas.set(name, 1);
    this.labels.set(name, labels);
    this.called.set(name, { started: 7, ended: 7 });
  }

  call(name: string): void {
    const { started, ended } = this.called.get(name)!;
    this.called.set(name, { started: started + 1, ended: ended + 1 });
  }

  /** Looks every minute, for so many of them; gives the minute at which something was scaled to zero. */
  async watch(minutes: number): Promise<number | undefined> {
    for (let minute = 0; minute <= minutes; minute++, this.now += MINUTE)
      if ((await this.idler.look()).length > 0) return minute;
    return undefined;
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});

test("an idle function is scaled to zero after its time", async () => {
  world.add("f");
  expect(await world.watch(60)).toBe(15);
  expect(world.replicas.get("f")).toBe(0);
  expect(await world.metrics.text()).toContain('provider_idler_scalings_total{direction="down"} 1');
});

test("one that cannot be scaled does not keep the others awake", async () => {
  world.add("gone");
  world.add("f");
  expect(await world.watch(60)).toBe(15);
  expect(world.replicas.get("f")).toBe(0);
  expect(world.warnings).toEqual(["idle, but could not be scaled to zero"]);
});

test("its label says how long", async () => {
  world.add("f", { "com.openfaas.scale.zero-duration": "3m" });
  expect(await world.watch(60)).toBe(3);
});

test("a call through the gateway starts its time anew", async () => {
  world.add("f");
  expect(await world.watch(10)).toBeUndefined();
  world.call("f");
  expect(await world.watch(60)).toBe(15);
});

test("so does one through the provider, from its end on", async () => {
  world.add("f");
  const end = world.metrics.callBegins("f");
  expect(await world.watch(40)).toBeUndefined();
  end(200);
  expect(await world.watch(60)).toBe(15);
});

test("a call that the gateway has begun and not ended counts for as long as a call can take", async () => {
  world.add("f", { "com.openfaas.scale.zero-duration": "3m" });
  world.called.set("f", { started: 8, ended: 7 });
  // Seen first at 0, believed until before 5, then three minutes without a call.
  expect(await world.watch(60)).toBe(7);
});

test("a gateway that started anew has been called as far as anybody knows", async () => {
  world.add("f");
  await world.watch(10);
  world.called.set("f", { started: 0, ended: 0 });
  expect(await world.watch(60)).toBe(15);
});

test("nothing is scaled while the gateway's counts cannot be had, nor for its time after that", async () => {
  world.add("f");
  await world.watch(14);
  world.gateway = "is away";
  expect(await world.watch(30)).toBeUndefined();
  expect(world.warnings[0]).toContain("cannot be read: nothing is scaled to zero");
  world.gateway = "answers";
  expect(await world.watch(60)).toBe(15);
});

test("a function that comes back from zero gets its time", async () => {
  world.add("f");
  await world.watch(60);
  world.replicas.set("f", 1);
  world.now += 60 * MINUTE;
  expect(await world.watch(60)).toBe(15);
});

test("one that is called at the moment of its scaling is started again", async () => {
  world.add("f");
  await world.watch(14);
  const looked = world.watch(60);
  while (world.replicas.get("f") !== 0) await sleep(10);
  world.call("f");
  await looked;
  expect(world.written).toEqual(["f 0", "f 1"]);
});

test.each([
  ["one that a caller asks for while it is reported to be at zero", () => world.counts.wake("f")],
  ["one that is still called by who took it for available", async () => world.call("f")],
])("%s is not scaled", async (_what, want) => {
  world.add("f");
  await world.watch(14);
  const looked = world.watch(0);
  while (!world.counts.isFallingAsleep("f")) await sleep(10);
  await want();
  expect(await looked).toBeUndefined();
  expect([world.written, world.counts.isFallingAsleep("f")]).toEqual([[], false]);
});

test("one that is asked for in the moment of its scaling is started again", async () => {
  world.add("f");
  let waking: Promise<void> | undefined;
  world.onWrite = (name) => (waking ??= world.counts.wake(name));
  expect(await world.watch(60)).toBe(15);
  await waking;
  expect(world.written).toEqual(["f 0", "f 1"]);
});

test("one that somebody waits for is not scaled, however long nobody called it", async () => {
  world.add("f");
  await world.watch(14);
  await world.counts.answer("f", async () => ({ replicas: 1, availableReplicas: 0 }));
  expect(await world.watch(0)).toBeUndefined();
  expect(await world.watch(0)).toBe(0);
});

describe("a function that is about to sleep", () => {
  test("is reported at zero until a caller asks for a replica, and is then left as it is", async () => {
    const fake = await new FakeEngine().start();
    const options = { network: "openfaas-fn", port: 8080, stopGraceMs: 1, deleteTimeoutMs: 1, settleMs: 1 };
    const readiness = new Readiness("openfaas-fn", 8080, async () => true);
    const functions = new Functions(new Engine(fake.socket, 1000), options, readiness);
    fake.addService("f", { Mode: { Replicated: { Replicas: 3 } } });
    const NetworksAttachments = [{ Network: { Spec: { Name: "openfaas-fn" } }, Addresses: ["10.0.1.5/24"] }];
    const Status = { State: "running" };
    const Spec = fake.services[0].Spec.TaskTemplate;
    fake.tasks = [{ ID: "t", ServiceID: "id-f", DesiredState: "running", Status, Spec, NetworksAttachments }];
    const counts = async () => {
      const { replicas, availableReplicas } = await functions.status("f");
      return [replicas, availableReplicas];
    };
    expect(await counts()).toEqual([3, 1]);
    functions.counts.announceZero("f");
    expect(await counts()).toEqual([0, 0]);
    // The gateway asks for the least number.
    expect(await functions.scale("f", 1)).toBe(3);
    expect(fake.changes()).toEqual([]);
    expect(await counts()).toEqual([3, 1]);
    // At zero nobody is sent to a replica that has not ended yet.
    await functions.scale("f", 0);
    expect(await counts()).toEqual([0, 0]);
    await fake.stop();
  });
});

test("labels that mean nothing are refused", () => {
  const labels = { "com.openfaas.scale.zero": "yes", "com.openfaas.scale.zero-duration": "soon" };
  expect(() => parseDeployment({ service: "f", image: "a:1", labels }, "openfaas-fn")).toThrow(
    'labels.com.openfaas.scale.zero: "yes" is neither true nor false\n' +
      'labels.com.openfaas.scale.zero-duration: "soon" is not a duration such as 15m or 90s',
  );
});

describe("the gateway's metrics", () => {
  const text = [
    "# TYPE gateway_function_invocation_started counter",
    'gateway_function_invocation_started{function_name="f.openfaas-fn"} 12',
    'gateway_function_invocation_started{function_name="g"} 1.5e+06',
    'gateway_function_invocation_total{code="200",function_name="f.openfaas-fn"} 9',
    'gateway_function_invocation_total{code="502",function_name="f.openfaas-fn"} 2',
    'gateway_service_count{function_name="f.openfaas-fn"} 1',
  ].join("\n");

  test("say what was begun and what ended, whatever it ended with", () => {
    expect([...parseInvocations(text, "openfaas-fn")]).toEqual([
      ["f", { started: 12, ended: 11 }],
      ["g", { started: 1_500_000, ended: 0 }],
    ]);
  });

  test("are fetched, and an invalid answer is an error", async () => {
    const server: Server = createServer((request, response) => {
      response.statusCode = request.url === "/metrics" ? 200 : 404;
      response.end(text);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect((await readInvocations(`${url}/metrics`, "openfaas-fn")).get("f")).toEqual({
      started: 12,
      ended: 11,
    });
    await expect(readInvocations(`${url}/other`, "openfaas-fn")).rejects.toThrow("the gateway answered 404");
    await new Promise((done) => server.close(done));
    await expect(readInvocations(`${url}/metrics`, "openfaas-fn")).rejects.toThrow("ECONNREFUSED");
  });
});
