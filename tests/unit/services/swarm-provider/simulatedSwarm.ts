/** An engine without HTTP, on the clock of the test: it answers late, or never, and its replicas start and end when they like. */
import type { Engine } from "../../../../services/swarm-provider/src/engine";
import { EngineError } from "../../../../services/swarm-provider/src/errors";
import type { FunctionSpec } from "../../../../services/swarm-provider/src/spec";
import type { ServiceRecord, TaskRecord } from "../../../../services/swarm-provider/src/records";

export const NETWORK = "openfaas-fn";
/** How long the provider waits for an answer of the engine. */
export const ENGINE_LIMIT_MS = 3000;

export const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/** Numbers from 0 to 1, the same ones for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Replica extends TaskRecord {
  address: string;
  /** Whether Docker's DNS has it. */
  isNamed: boolean;
  /** Whether it takes connections. */
  listens: boolean;
}

type Used =
  | "listFunctions"
  | "findService"
  | "listRunningTasks"
  | "listTasks"
  | "createService"
  | "updateService"
  | "removeService"
  | "countRemaining";

export class SimulatedSwarm implements Pick<Engine, Used> {
  private services = new Map<string, ServiceRecord>();
  private replicas: Replica[] = [];
  private index = 10;
  private nextId = 1;
  /** Until when the engine answers nobody. */
  private silentUntil = 0;

  /** @param answerMs the usual time of an answer, which takes up to ten times as long now and then */
  constructor(
    private readonly random: () => number,
    private readonly answerMs: number,
  ) {}

  beSilent(ms: number): void {
    this.silentUntil = Date.now() + ms;
  }

  /** A replica that Docker's DNS names at this moment. */
  named(name: string): Replica | undefined {
    const id = this.services.get(name)?.ID;
    const all = this.replicas.filter(({ ServiceID, isNamed }) => ServiceID === id && isNamed);
    return all[Math.floor(this.random() * all.length)];
  }

  async accepts(address: string): Promise<boolean> {
    await pause(1);
    return this.replicas.some((replica) => replica.address === address && replica.listens);
  }

  listFunctions = () => this.answer("list services", () => [...this.services.values()]);
  findService = (name: string) => this.answer("find service", () => this.services.get(name));
  listTasks = (id?: string) =>
    this.answer("list tasks", () => this.replicas.filter(({ ServiceID }) => !id || ServiceID === id));
  listRunningTasks = (id?: string) =>
    this.answer("list tasks", () =>
      this.replicas.filter((each) => (!id || each.ServiceID === id) && each.DesiredState === "running"),
    );
  countRemaining = async () => 0;

  createService = (spec: FunctionSpec) =>
    this.answer("create service", () => {
      if (this.services.has(spec.Name)) throw new EngineError(409, "create service", "name conflicts");
      const ID = `service-${this.nextId++}`;
      const Version = { Index: ++this.index };
      this.services.set(spec.Name, { ID, Version, CreatedAt: "2026-01-01T00:00:00Z", Spec: spec });
      this.reconcileSoon(spec.Name);
    });

  updateService = (service: ServiceRecord, spec: ServiceRecord["Spec"]) =>
    this.answer("update service", () => {
      const name = service.Spec.Name!;
      const known = this.services.get(name);
      if (known?.ID !== service.ID) throw new EngineError(404, "update service", "not found");
      if (known.Version.Index !== service.Version.Index)
        throw new EngineError(409, "update service", "update out of sequence");
      this.services.set(name, {
        ...known,
        Version: { Index: ++this.index },
        PreviousSpec: known.Spec,
        UpdateStatus: undefined,
        Spec: structuredClone(spec),
      });
      this.reconcileSoon(name);
    });

  removeService = (id: string) =>
    this.answer("remove service", () => {
      const found = [...this.services.values()].find(({ ID }) => ID === id);
      if (!found) throw new EngineError(404, "remove service", "not found");
      this.services.delete(found.Spec.Name!);
      for (const replica of this.replicas) if (replica.ServiceID === id) this.end(replica);
    });

  /** What was asked is done at some moment before the answer arrives; in silence later, or never. */
  private async answer<T>(step: string, effect: () => T): Promise<T> {
    await pause(this.delay());
    if (Date.now() < this.silentUntil) {
      if (this.random() < 0.5) setTimeout(() => attempt(effect), this.random() * 2 * ENGINE_LIMIT_MS);
      await pause(ENGINE_LIMIT_MS);
      throw new EngineError(0, step, `${step}: the engine did not answer`);
    }
    const result = structuredClone(effect());
    await pause(this.delay());
    return result;
  }

  private delay(): number {
    const factor = this.random() < 0.1 ? 10 : 1;
    return this.random() * this.answerMs * factor;
  }

  private reconcileSoon(name: string): void {
    setTimeout(() => this.reconcile(name), 1 + this.random() * 50);
  }

  private reconcile(name: string): void {
    const service = this.services.get(name);
    if (!service) return;
    const running = this.replicas.filter(
      ({ ServiceID, DesiredState }) => ServiceID === service.ID && DesiredState === "running",
    );
    const isPresent = (replica: Replica) =>
      JSON.stringify(replica.Spec) === JSON.stringify(service.Spec.TaskTemplate);
    const wanted = service.Spec.Mode!.Replicated!.Replicas!;
    const present = running.filter(isPresent);
    const older = running.filter((each) => !isPresent(each));
    for (let count = present.length; count < wanted; count++) this.begin(service, older.length > 0);
    present.slice(wanted).forEach((replica) => this.end(replica));
    // The new version's replicas come first, and end the old ones when they listen.
    if (wanted === 0) older.forEach((replica) => this.end(replica));
    else if (older.length > 0) this.report(service, "updating");
  }

  private report(service: ServiceRecord, State: string): void {
    const Version = { Index: ++this.index };
    this.services.set(service.Spec.Name!, { ...service, Version, UpdateStatus: { State } });
  }

  private begin(service: ServiceRecord, isUpdate: boolean): void {
    const number = this.nextId++;
    const address = `10.0.${number >> 8}.${number & 255}`;
    const replica: Replica = {
      ID: `task-${number}`,
      ServiceID: service.ID,
      DesiredState: "running",
      CreatedAt: new Date().toISOString(),
      Spec: structuredClone(service.Spec.TaskTemplate),
      Status: { State: "preparing", Timestamp: new Date().toISOString() },
      NetworksAttachments: [{ Network: { Spec: { Name: NETWORK } }, Addresses: [`${address}/24`] }],
      address,
      isNamed: false,
      listens: false,
    };
    this.replicas.push(replica);
    setTimeout(
      () => {
        if (replica.DesiredState !== "running") return;
        Object.assign(replica, { isNamed: true, Status: { State: "running" } });
        setTimeout(() => this.listen(replica, isUpdate), this.random() * 300);
      },
      200 + this.random() * 3000,
    );
  }

  private listen(replica: Replica, isUpdate: boolean): void {
    replica.listens = replica.DesiredState === "running";
    if (!isUpdate || !replica.listens) return;
    const isOld = (each: Replica) =>
      each.ServiceID === replica.ServiceID && JSON.stringify(each.Spec) !== JSON.stringify(replica.Spec);
    for (const each of this.replicas) if (isOld(each)) this.end(each);
    const service = [...this.services.values()].find(({ ID }) => ID === replica.ServiceID);
    if (service?.UpdateStatus?.State === "updating") this.report(service, "completed");
  }

  /** As Swarm does it: out of DNS first, and told to end two seconds later. */
  private end(replica: Replica): void {
    if (replica.DesiredState !== "running") return;
    Object.assign(replica, { DesiredState: "shutdown", isNamed: false });
    setTimeout(() => Object.assign(replica, { listens: false, Status: { State: "shutdown" } }), 2000);
  }
}

function attempt(effect: () => unknown): void {
  try {
    effect();
  } catch {
    // Nobody hears of it.
  }
}
