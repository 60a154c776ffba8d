/** What is wrong with a function, in words, from the engine's tasks: it keeps crashing, cannot start, or was rolled back. */
import { formatCpu, formatMemory, givenAmount, isRaised } from "../../../shared/size";
import { RESOURCE_PREFIX } from "./deployment";
import type { Engine } from "./engine";
import { readLines } from "./logs";
import { isPresent, isUnplaced, versionOf } from "./rollout";
import { replicasOf, type ServiceRecord, type TaskRecord } from "./records";

export interface Problem {
  /**
   * crashing: replicas of the present version end by themselves again and again.
   * cannot start: the engine finds no image, no node or no room.
   * rolled back: the last update failed, and the version before it serves.
   * adjusted: it runs, with other values than those of the deployment.
   */
  kind: "crashing" | "cannot start" | "rolled back" | "adjusted";
  /** One line: what happened, how often, in the engine's words where it has some. */
  message: string;
  /** When it happened last. */
  at: string;
  /** The last lines that the failed replica printed. Left out in a list. */
  log?: string[];
}

/** A problem and the task whose log says more. */
export interface Finding {
  problem: Problem;
  task?: TaskRecord;
  /** The engine has just refused to start a replica, as it does when it cannot pull the image. */
  isRefused?: boolean;
}

const WINDOW_MS = 5 * 60_000;
/** One end may be an accident. */
const LEAST_CRASHES = 2;
/** A function that has stayed up for so long since is not crashing any more. */
const CALM_MS = 60_000;

/** An engine that refuses a replica tries again within this time. */
const REFUSED_MS = 15_000;

const LOG_LINES = 20;
const LOG_LIMIT_MS = 3000;
const KEPT = 200;

/**
 * @param tasks every task of the service that the engine remembers (the last five of each replica)
 * @param available how many replicas can be called
 */
export function findProblem(
  service: ServiceRecord,
  tasks: TaskRecord[],
  available: number,
  now = Date.now(),
): Finding | undefined {
  const latest = [...tasks].sort((a, b) => at(b) - at(a));
  return (
    findCrash(service, latest, available, now) ??
    findObstacle(service, latest, available, now) ??
    findRollback(service, latest) ??
    (available >= replicasOf(service) ? findAdjustment(service) : undefined)
  );
}

function findCrash(
  service: ServiceRecord,
  tasks: TaskRecord[],
  available: number,
  now: number,
): Finding | undefined {
  const ended = tasks.filter(
    (task) => endedByItself(task) && isPresent(task, service) && now - at(task) < WINDOW_MS,
  );
  const [last] = ended;
  if (!last || ended.length < LEAST_CRASHES) return undefined;
  if (available >= (service.Spec.Mode?.Replicated?.Replicas ?? 0) && now - at(last) > CALM_MS)
    return undefined;
  const minutes = Math.max(1, Math.ceil((now - at(ended.at(-1)!)) / 60_000));
  const message = `${ended.length} replicas ended within ${minutes} min, the last one with: ${reason(last)}`;
  return { problem: { kind: "crashing", message, at: last.Status.Timestamp! }, task: last };
}

/**
 * What the engine refuses (no such image) or waits for (a node with room), as long as it does. A new version that finds no node is
 * told also while the one before it serves with every replica: the update would otherwise go on without an end or a reason.
 */
function findObstacle(
  service: ServiceRecord,
  tasks: TaskRecord[],
  available: number,
  now: number,
): Finding | undefined {
  const isShort = available < (service.Spec.Mode?.Replicated?.Replicas ?? 0);
  const stuck = tasks.find(
    (task) => isPresent(task, service) && (isUnplaced(task) || (isShort && task.Status.State === "rejected")),
  );
  if (!stuck) return undefined;
  const isRefused = stuck.Status.State === "rejected" && now - at(stuck) < REFUSED_MS;
  const problem = { kind: "cannot start" as const, message: reason(stuck), at: stuck.Status.Timestamp ?? "" };
  return { problem, isRefused };
}

function findRollback(service: ServiceRecord, tasks: TaskRecord[]): Finding | undefined {
  const { State, Message, CompletedAt, StartedAt } = service.UpdateStatus ?? {};
  if (!State?.startsWith("rollback")) return undefined;
  // Of the version tried last. One that failed says more than one that ended well, which it may have done when it was told to.
  const newest = tasks
    .filter((task) => !isPresent(task, service))
    .sort((a, b) => Date.parse(b.CreatedAt ?? "") - Date.parse(a.CreatedAt ?? ""))[0];
  const others = tasks.filter((task) => newest && versionOf(task.Spec) === versionOf(newest.Spec));
  const failed =
    others.find(({ Status }) => Status.State === "failed" || Status.State === "rejected") ??
    others.find(endedByItself) ??
    // Never started: no node would have it.
    others.find(({ Status }) => Status.State === "pending" && Status.Err);
  const why = failed ? `: ${reason(failed)}` : Message ? ` (${Message})` : "";
  const message = `the last update failed and the version before it serves${why}`;
  const when = failed?.Status.Timestamp ?? CompletedAt ?? StartedAt ?? "";
  return { problem: { kind: "rolled back", message, at: when }, task: failed };
}

/** Less than the engine takes. */
function findAdjustment(service: ServiceRecord): Finding | undefined {
  const raised = (["limits", "requests"] as const).flatMap((kind) =>
    (["memory", "cpu"] as const).flatMap((what) => {
      const text = service.Spec.Labels?.[`${RESOURCE_PREFIX}${kind}.${what}`];
      if (!text || !isRaised(kind, what, text)) return [];
      const least = (what === "memory" ? formatMemory : formatCpu)(givenAmount(kind, what, text)!);
      return [`${kind}.${what}: ${text} is below ${least}, the least the engine takes; it has ${least}`];
    }),
  );
  if (raised.length === 0) return undefined;
  const when = service.UpdatedAt ?? service.CreatedAt;
  return { problem: { kind: "adjusted", message: raised.join("; "), at: when } };
}

/** Neither told to end by a scaling or an update, nor never started. */
function endedByItself({ Status }: TaskRecord): boolean {
  return Status.State === "failed" || Status.State === "complete";
}

/** All that the engine says when a registry refuses an image, has none, or is not there. */
const NO_IMAGE = /^No such image: /;

function reason({ Status }: TaskRecord): string {
  const text = (Status.Err ?? "").replace(/^task: /, "");
  if (NO_IMAGE.test(text))
    return `${text} (its registry has none, cannot be reached, or asks for a login: registryAuth)`;
  return (
    text || `exit code ${Status.ContainerStatus?.ExitCode ?? (Status.State === "complete" ? 0 : "unknown")}`
  );
}

function at({ Status }: TaskRecord): number {
  return Date.parse(Status.Timestamp ?? "") || 0;
}

/** What only the node of a replica that has ended can tell. Read once each, since it does not change any more. */
export class Failures {
  private readonly known = new Map<string, { log: string[]; unhealthy: boolean }>();

  constructor(private readonly engine: Pick<Engine, "taskLogs" | "isUnhealthy">) {}

  /** The problem with the last lines of the replica that failed, and with its health check when that is what it failed by. */
  async explain({ problem, task }: Finding): Promise<Problem> {
    if (!task) return { ...problem, log: [] };
    const { log, unhealthy } = await this.of(task);
    const message = unhealthy && !/unhealthy/.test(problem.message);
    return {
      ...problem,
      ...(message ? { message: `${problem.message}, after its health check failed` } : {}),
      log,
    };
  }

  private async of(task: TaskRecord) {
    const before = this.known.get(task.ID);
    if (before) return before;
    const container = task.Status.ContainerStatus?.ContainerID;
    const [log, unhealthy] = await Promise.all([
      this.read(task.ID).catch(() => undefined),
      // The engine tells nobody: a replica that it ends for this and that ends well counts as finished.
      container ? this.engine.isUnhealthy(container).catch(() => undefined) : false,
    ]);
    const found = { log: log ?? [], unhealthy: unhealthy ?? false };
    // What could not be read may be there the next time.
    if (log === undefined || unhealthy === undefined) return found;
    this.known.set(task.ID, found);
    if (this.known.size > KEPT) this.known.delete(this.known.keys().next().value!);
    return found;
  }

  /** Empty when the engine no longer has them. */
  private async read(id: string): Promise<string[]> {
    const stream = await this.engine.taskLogs(id, LOG_LINES);
    const limit = setTimeout(() => stream.destroy(), LOG_LIMIT_MS);
    const lines: string[] = [];
    try {
      for await (const { text } of readLines(stream)) lines.push(text);
    } finally {
      clearTimeout(limit);
    }
    return lines.slice(-LOG_LINES);
  }
}
