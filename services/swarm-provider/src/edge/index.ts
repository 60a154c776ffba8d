/**
 * Tells the edge, a HAProxy in the functions' network, where replicas are, so that it calls them without the gateway. What it is not
 * told of, it sends to the gateway: functions at zero, and all of them while this provider is away.
 *
 * Swarm hands out the network's addresses in turn, and takes a replica out of service two seconds before it tells it to end. An entry
 * that is a second old therefore never names another function's replica, nor one that ends.
 */
import { AS_OF, CALL_TABLE, REPLICA_MAP } from "../../../../shared/edge";
import type { Engine } from "../engine";
import type { Invocations } from "../gatewayCalls";
import type { Readiness } from "../readiness";
import type { ReplicaCounts } from "../replicaCounts";
import { isActive } from "../rollout";
import { byService, isFunction } from "../status";
import { addressIn, replicasOf, type ServiceRecord, type TaskRecord } from "../records";
import { accessMaps, AccessTeller } from "./access";
import { ask, parseTable, replaceMap } from "./haproxy";

export interface EdgeOptions {
  /** HAProxy's socket for commands. */
  socket: string;
  /** HAProxy's map of replicas. Default: where its configuration has it. */
  map?: string;
  /** The maps of who may call, which are files as well. Default: where its configuration has them. */
  accessMaps?: { access: string; networks: string };
  /** The functions' network. */
  network: string;
  log: { info(details: object, text: string): void; warn(details: object, text: string): void };
}

/** While replicas come and go, and for a while after. */
const BUSY_MS = 500;
const CALM_AFTER_MS = 5000;
/** Otherwise. The edge trusts what it was told for half a minute. */
const CALM_MS = 2000;

export class Edge {
  private timer?: NodeJS.Timeout;
  private closed = false;
  private busyUntil = 0;
  private told = "";
  private isAway = false;
  private telling: Promise<void> = Promise.resolve();
  /** Functions that are being made. */
  private readonly begun = new Set<string>();
  private readonly access: AccessTeller;

  constructor(
    private readonly engine: Pick<Engine, "listFunctions" | "listRunningTasks">,
    private readonly readiness: Pick<Readiness, "ready">,
    private readonly counts: Pick<ReplicaCounts, "asReported">,
    private readonly options: EdgeOptions,
    private readonly now: () => number = Date.now,
  ) {
    this.access = new AccessTeller(options.socket, options.accessMaps);
  }

  /** Writes what an edge starts with. @throws Error when the engine does not answer and an earlier provider left nothing either */
  async prepare(): Promise<void> {
    try {
      this.access.save(accessMaps((await this.engine.listFunctions()).filter(isFunction)));
    } catch (error) {
      if (!this.access.isThere) throw error;
    }
  }

  /**
   * Closes a function that is about to be made to the outside, until the engine can be asked who may call it.
   * @returns to be called when it is made, or when it is not
   * @throws Error when that cannot be written
   */
  async begin(name: string): Promise<() => Promise<void>> {
    this.begun.add(name);
    await this.tell().catch((error: unknown) => {
      // An edge that is away reads what was written when it starts.
      if (!this.isAway) throw error;
    });
    return async () => {
      this.begun.delete(name);
      this.stir();
      await this.tell().catch(() => undefined);
    };
  }

  start(): void {
    if (this.closed) return;
    clearTimeout(this.timer);
    const wait = this.now() < this.busyUntil ? BUSY_MS : CALM_MS;
    this.timer = setTimeout(
      () =>
        void this.tell()
          .catch(() => undefined)
          .finally(() => this.start()),
      wait,
    ).unref();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /** Replicas are about to come or go: look more often. */
  stir(): void {
    this.busyUntil = this.now() + CALM_AFTER_MS;
    if (this.timer) this.start();
  }

  /**
   * Brings the edge up to date.
   * @throws Error when it cannot be told; it may then still call replicas that it was told of before
   */
  tell(): Promise<void> {
    // One after another: an older look must not undo what a newer one told.
    const next = this.telling.catch(() => undefined).then(() => this.look());
    this.telling = next;
    return next;
  }

  /** Calls that the edge made, by function. @throws Error */
  async invocations(): Promise<Map<string, Invocations>> {
    const counted = parseTable(await ask(this.options.socket, `show table ${CALL_TABLE}`));
    return new Map(
      [...counted].map(([name, { started, underWay }]) => [name, { started, ended: started - underWay }]),
    );
  }

  /** Calls begun, under the gateway's own name; nothing while HAProxy does not answer. */
  async metrics(): Promise<string> {
    const calls = await this.invocations().catch(() => undefined);
    if (!calls) return "";
    const name = "gateway_function_invocation_started";
    const lines = [...calls].map(
      ([key, { started }]) => `${name}{function_name="${key}.${this.options.network}"} ${started}\n`,
    );
    const help = `# HELP ${name} Calls of functions past the gateway that were begun.\n`;
    return [help, `# TYPE ${name} counter\n`, ...lines].join("");
  }

  private async look(): Promise<void> {
    const begun = [...this.begun];
    const [services, tasks] = await Promise.all([
      this.engine.listFunctions(),
      this.engine.listRunningTasks(),
    ]);
    const functions = services.filter(isFunction);
    const access = accessMaps(functions, begun);
    this.access.save(access);
    const running = byService(tasks);
    const ready = await this.readiness.ready(functions.flatMap(({ ID }) => running.get(ID) ?? []));
    // Looked at last: nothing is called that was announced to be at zero while replicas were asked.
    const entries = this.entries(functions, byService(ready));
    try {
      // Nobody is let through to a replica before it is known who may be.
      await this.access.tell(access);
      await this.write(entries);
      if (this.isAway) this.options.log.info({}, "the edge is told of replicas again");
      this.isAway = false;
    } catch (error) {
      if (!this.isAway)
        this.options.log.warn({ err: (error as Error).message }, "the edge cannot be told of replicas");
      this.isAway = true;
      throw error;
    }
  }

  private entries(functions: ServiceRecord[], tasks: Map<string, TaskRecord[]>): Map<string, string> {
    const entries = new Map<string, string>();
    for (const service of functions) {
      const ready = tasks.get(service.ID) ?? [];
      const wanted = replicasOf(this.counts.asReported(service));
      if (ready.length !== wanted || isActive(service.UpdateStatus?.State))
        this.busyUntil = this.now() + CALM_AFTER_MS;
      const addresses =
        wanted === 0 ? [] : ready.flatMap((task) => addressIn(task, this.options.network) ?? []);
      if (addresses.length === 0) continue;
      const name = service.Spec.Name!;
      entries.set(name, String(addresses.length));
      addresses.sort().forEach((address, at) => entries.set(`${name}:${at}`, address));
    }
    return entries;
  }

  private async write(entries: Map<string, string>): Promise<void> {
    const { socket, map = REPLICA_MAP } = this.options;
    const time = String(Math.floor(this.now() / 1000));
    const text = JSON.stringify([...entries]);
    if (text === this.told) {
      // A HAProxy that was started meanwhile has no such entry.
      const answer = await ask(socket, `set map ${map} ${AS_OF} ${time}`);
      if (answer === "") return;
    }
    this.told = "";
    await replaceMap(socket, map, [...entries, [AS_OF, time]]);
    this.told = text;
  }
}
