/** What can be done with functions. Services that are not functions are neither shown nor touched. */
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { registryOf } from "./auth";
import { Changes, taken } from "./changes";
import { type Deployment, scalesToZero } from "./deployment";
import { type Engine, OWNER_LABEL, OWNER_VALUE } from "./engine";
import type { RegistryAuth, SecretRecord } from "./records";
import { ApiError, EngineError, invalid } from "./errors";
import { readHealthCheck } from "../../../shared/health";
import type { LogRequest } from "./logs";
import { byName } from "./secretVersions";
import { renderSpec } from "./spec";
import { Failures, findProblem, type Finding, type Problem } from "./problems";
import type { Readiness } from "./readiness";
import { ReplicaCounts } from "./replicaCounts";
import { isActive, rolloutOf } from "./rollout";
import { byService, type FunctionStatus, isFunction, secretsOf, toStatus } from "./status";
import { replicasOf, type ServiceRecord } from "./records";
import { type Usage, UsageMeter } from "./usage";

export interface FunctionsOptions {
  network: string;
  /** Where functions listen. */
  port: number;
  /** Volume with the program for health checks. Without it, a function that wants a check is refused. */
  probeVolume?: string;
  /** How long a replica that is told to end may finish its requests. */
  stopGraceMs: number;
  /** How long a client that removes a function may wait for its last replica to end. */
  deleteTimeoutMs: number;
  /** How long an update, or a secret's new value, waits for the end of the update before it. */
  settleMs: number;
}

export interface Question {
  withUsage?: boolean;
  isForCall?: boolean;
}

/** Another call, or a person, may scale a function to zero as often as it is woken. */
const WAKE_ATTEMPTS = 3;

const NO_USAGE: Usage = { cpu: 0, totalMemoryBytes: 0 };

export class Functions {
  readonly counts: ReplicaCounts;
  private readonly changes: Changes;
  private readonly failures: Failures;
  private readonly usage: UsageMeter;

  constructor(
    private readonly engine: Engine,
    private readonly options: FunctionsOptions,
    private readonly readiness: Readiness,
  ) {
    this.changes = new Changes(engine);
    this.counts = new ReplicaCounts(engine, this.changes);
    this.failures = new Failures(engine);
    this.usage = new UsageMeter(engine);
  }

  /**
   * Two calls to the engine, however many functions there are; one more while not every replica is available or an update is under way,
   * to say why.
   * @param withUsage what each uses as well: a call to the engine for every replica on this node
   */
  async list(withUsage = false): Promise<FunctionStatus[]> {
    const [services, running] = await Promise.all([
      this.engine.listFunctions(),
      this.engine.listRunningTasks(),
    ]);
    const functions = services.filter(isFunction);
    const tasks = byService(running);
    const ready = byService(await this.readiness.ready(functions.flatMap(({ ID }) => tasks.get(ID) ?? [])));
    this.readiness.keep(running);
    const availableOf = ({ ID }: ServiceRecord) => ready.get(ID)?.length ?? 0;
    const isWhole = functions.every(
      (service) => availableOf(service) >= replicasOf(service) && !isActive(service.UpdateStatus?.State),
    );
    const history = isWhole ? tasks : byService(await this.engine.listTasks());
    const usage = withUsage ? await this.usage.measure([...ready.values()].flat()) : undefined;
    return functions
      .map((service) => ({
        ...withListLabel(this.toStatus(this.counts.asReported(service), availableOf(service))),
        ...(usage ? { usage: usage.get(service.ID) ?? NO_USAGE } : {}),
        ...problemOf(findProblem(service, history.get(service.ID) ?? [], availableOf(service))),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * With the last lines of a replica that failed.
   * @param isForCall the gateway asks, for a call that waits: a function at zero is woken
   * @throws ApiError 404; 503 for a call when the engine refuses to start a replica
   */
  async status(
    name: string,
    { withUsage = false, isForCall = false }: Question = {},
  ): Promise<FunctionStatus> {
    for (let attempt = 1; ; attempt++) {
      const found = await this.counts.answer(name, () => this.look(name, withUsage, isForCall));
      if (!isForCall || found.replicas > 0 || attempt === WAKE_ATTEMPTS) return found;
      // Where it cannot be woken, the gateway gets to know what is there, and tries by itself.
      await this.wake(name).catch(() => undefined);
    }
  }

  private async look(name: string, withUsage: boolean, isForCall: boolean): Promise<FunctionStatus> {
    const service = await this.changes.find(name);
    const seenAt = Date.now();
    const tasks = await this.engine.listTasks(service.ID);
    const ready = await this.readiness.ready(tasks);
    const usage = withUsage ? await this.usage.measure(ready) : undefined;
    const found = findProblem(service, tasks, ready.length);
    const problem = found && (await this.failures.explain(found));
    // Nothing is waited for from here to the answer: what is reported is what holds then.
    const current = this.counts.asReported(service);
    const available = this.counts.areThere(name, seenAt) ? ready.length : 0;
    const rollout = rolloutOf(current, tasks);
    // A call would wait for nothing until the gateway gives up.
    if (isForCall && found?.isRefused && available === 0 && replicasOf(current) > 0)
      throw new ApiError(503, `${name} cannot start: ${found.problem.message}`);
    return {
      ...this.toStatus(current, available),
      ...(rollout ? { rollout } : {}),
      ...(usage ? { usage: usage.get(service.ID) ?? NO_USAGE } : {}),
      ...(problem ? { problem } : {}),
    };
  }

  private toStatus(service: ServiceRecord, ready: number): FunctionStatus {
    return toStatus(service, replicasOf(service) === 0 ? 0 : ready, this.options.network);
  }

  /** @throws ApiError 400 when the function is there (as upstream), 409 when the name is another service's */
  async create(deployment: Deployment, auth?: RegistryAuth): Promise<void> {
    const existing = await this.engine.findService(deployment.service);
    if (existing && !isFunction(existing)) throw taken(deployment.service);
    const exists = new ApiError(
      400,
      `Deployment error: function ${deployment.service} already exists; PUT changes it`,
    );
    if (existing) throw exists;
    try {
      await this.engine.createService(await this.render(deployment), auth);
    } catch (error) {
      throw error instanceof EngineError && error.status === 409 ? exists : error;
    }
  }

  /** @throws ApiError 404 for an unknown function, 409 if the name is another service's or the earlier update does not end */
  async update(deployment: Deployment, auth?: RegistryAuth): Promise<void> {
    const how = { sayTaken: true, settledUntil: Date.now() + this.options.settleMs };
    await this.changes.change(deployment.service, how, async (service) => {
      const spec = await this.render(deployment, service);
      await this.engine.updateService(service, spec, auth ?? loginToForget(service, deployment));
      this.counts.noteWritten(service, spec.Mode.Replicated.Replicas);
    });
  }

  /** @returns the number of replicas it was set to; see ReplicaCounts */
  async scale(name: string, replicas: number): Promise<number> {
    return this.counts.set(name, replicas);
  }

  /** Functions whose labels let them scale to zero. */
  async scalable(): Promise<ServiceRecord[]> {
    const services = await this.engine.listFunctions();
    return services.filter((each) => isFunction(each) && scalesToZero(each.Spec.Labels));
  }

  /** Gives a function at zero its least number of replicas; another it leaves alone. @throws ApiError 404 */
  async wake(name: string): Promise<void> {
    await this.counts.wake(name);
  }

  /**
   * Waits until no function that uses one of these secrets is being updated.
   * @throws ApiError 409 when it takes too long
   */
  async settleUsers(secrets: SecretRecord[]): Promise<void> {
    const until = Date.now() + this.options.settleMs;
    for (const { Spec } of await this.usersOf(secrets)) await this.changes.settled(Spec.Name!, until);
  }

  /**
   * Gives every function that uses one of `older` the secret `newest` in its place, which rolls it. The file keeps its name.
   * @returns the functions' names
   */
  async replaceSecret(older: SecretRecord[], newest: SecretRecord): Promise<string[]> {
    const users = await this.usersOf(older);
    const how = { settledUntil: Date.now() + this.options.settleMs };
    const ids = new Set(older.map(({ ID }) => ID));
    for (const { Spec } of users)
      await this.changes.change(Spec.Name!, how, async (service) => {
        if (usesOne(service, ids))
          await this.engine.updateService(service, withSecret(service.Spec, ids, newest));
      });
    return users.map(({ Spec }) => Spec.Name!);
  }

  private async usersOf(secrets: SecretRecord[]): Promise<ServiceRecord[]> {
    const ids = new Set(secrets.map(({ ID }) => ID));
    return (await this.engine.listFunctions()).filter((each) => isFunction(each) && usesOne(each, ids));
  }

  /** @returns the service's id, for `hasEnded` */
  async remove(name: string): Promise<string> {
    const service = await this.changes.find(name);
    await this.engine.removeService(service.ID);
    this.counts.forget(name);
    return service.ID;
  }

  /** Waits for the last replica. @returns false when some still finish their requests */
  async hasEnded(serviceId: string): Promise<boolean> {
    const until = Date.now() + this.options.deleteTimeoutMs;
    for (;;) {
      if ((await this.engine.countRemaining(serviceId)) === 0) return true;
      if (Date.now() >= until) return false;
      await sleep(200);
    }
  }

  /** The engine's log stream, and what keeps the function from starting, for `renderLogs`. @throws ApiError 404 */
  async logs(request: LogRequest): Promise<{ stream: Readable; obstacle?: Problem }> {
    const service = await this.changes.find(request.name);
    const problem = findProblem(service, await this.engine.listTasks(service.ID), 0)?.problem;
    const { follow, tail, since } = request;
    const query = {
      follow,
      ...(tail ? { tail } : {}),
      ...(since ? { since: Math.floor(since.getTime() / 1000) } : {}),
    };
    const stream = await this.engine.serviceLogs(service.ID, query);
    return { stream, ...(problem?.kind === "cannot start" ? { obstacle: problem } : {}) };
  }

  private async render(deployment: Deployment, service?: ServiceRecord) {
    const { network, port, probeVolume } = this.options;
    if (!probeVolume && readHealthCheck(deployment.annotations))
      throw invalid([
        "annotations: a health check needs the volume for its program; start the provider with probe_volume",
      ]);
    return renderSpec(deployment, {
      network,
      ...(probeVolume ? { probe: { volume: probeVolume, port } } : {}),
      stopGraceMs: this.options.stopGraceMs,
      secrets: await this.secrets(deployment.secrets),
      current: service && {
        replicas: keptReplicas(service, deployment),
        forceUpdate: service.Spec.TaskTemplate?.ForceUpdate ?? 0,
      },
    });
  }

  /** The newest version of each, of OpenFaaS's own secrets only: a swarm has others, such as those of this very stack. */
  private async secrets(names: string[]): Promise<Record<string, SecretRecord>> {
    if (names.length === 0) return {};
    const versions = byName(await this.engine.listSecrets(`${OWNER_LABEL}=${OWNER_VALUE}`));
    const secrets = Object.fromEntries([...versions].map(([name, [newest]]) => [name, newest!]));
    const missing = names.filter((name) => !secrets[name]);
    if (missing.length > 0)
      throw invalid(
        missing.map(
          (name) =>
            `secrets[${names.indexOf(name)}]: there is no secret ${name} for functions; create it with ` +
            `\`faas-cli secret create ${name}\`, or with the label ${OWNER_LABEL}=${OWNER_VALUE}`,
        ),
      );
    return secrets;
  }
}

/** As many as there are; but one that sleeps, and by its new labels may not, begins anew. */
function keptReplicas(service: ServiceRecord, { labels }: Deployment): number | undefined {
  const sleeps = replicasOf(service) === 0 && scalesToZero(service.Spec.Labels);
  return sleeps && !scalesToZero(labels) ? undefined : replicasOf(service);
}

function usesOne(service: ServiceRecord, ids: Set<string>): boolean {
  return secretsOf(service.Spec).some((id) => ids.has(id));
}

/** The engine keeps a function's login where none is sent, and would show one registry's to another: no login, in its own words, ends that. */
function loginToForget({ Spec }: ServiceRecord, { image }: Deployment): RegistryAuth | undefined {
  const before = Spec.TaskTemplate?.ContainerSpec?.Image;
  return before && registryOf(before) !== registryOf(image) ? {} : undefined;
}

/** The spec as it is, but for one secret. */
function withSecret(spec: ServiceRecord["Spec"], older: Set<string>, newest: SecretRecord) {
  const container = spec.TaskTemplate!.ContainerSpec!;
  const Secrets = container.Secrets!.map((secret) =>
    older.has(secret.SecretID ?? "")
      ? { ...secret, SecretID: newest.ID, SecretName: newest.Spec.Name }
      : secret,
  );
  return { ...spec, TaskTemplate: { ...spec.TaskTemplate, ContainerSpec: { ...container, Secrets } } };
}

/** Clients of OpenFaaS tell functions by this label. In the answer about one function labels are those of the deployment. */
function withListLabel(status: FunctionStatus): FunctionStatus {
  return { ...status, labels: { ...status.labels, faas_function: status.name } };
}

function problemOf(found: Finding | undefined) {
  return found ? { problem: found.problem } : {};
}
