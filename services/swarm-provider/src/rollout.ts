/** How far a function's present version is, from the engine's service and tasks. */
import { replicasOf, type ServiceRecord, type TaskRecord } from "./records";

/** Of the wanted replicas: those of the present version that run, and those whose image is being fetched. */
export interface Rollout {
  running: number;
  preparing: number;
}

const WAITING = ["new", "pending"];
const PREPARING = ["assigned", "accepted", "preparing"];

/** Undefined when every wanted replica is there in the present version. */
export function rolloutOf(service: ServiceRecord, tasks: TaskRecord[]): Rollout | undefined {
  const present = tasks.filter((task) => isMeantToRun(task) && isPresent(task, service));
  const count = (states: string[]) => present.filter(({ Status }) => states.includes(Status.State)).length;
  const running = count(["running"]);
  return running < replicasOf(service) ? { running, preparing: count(PREPARING) } : undefined;
}

/** Of the version that the service has now. Both texts are the engine's. */
export function isPresent(task: TaskRecord, service: ServiceRecord): boolean {
  return versionOf(task.Spec) === versionOf(service.Spec.TaskTemplate);
}

/** Not its placement: a replica that is where the new constraints want it stays as it is. */
export function versionOf(spec?: TaskRecord["Spec"]): string {
  return JSON.stringify([spec?.ContainerSpec ?? {}, spec?.Resources ?? {}, spec?.ForceUpdate ?? 0]);
}

/** The engine has found no node for it, and says why. */
export function isUnplaced({ Status, ...task }: TaskRecord): boolean {
  return isMeantToRun(task) && WAITING.includes(Status.State) && Boolean(Status.Err);
}

/**
 * Whether the engine is at work on an update or its rollback, or is about to begin: just after a change it says nothing yet, and
 * the replicas that run are still of the version before. A rollback that finds no node either has no end to wait for.
 */
export async function isUnderWay(
  service: ServiceRecord,
  tasksOf: (service: ServiceRecord) => Promise<TaskRecord[]>,
): Promise<boolean> {
  const { State } = service.UpdateStatus ?? {};
  if (replicasOf(service) === 0 || (State && !isActive(State))) return false;
  if (State === "updating") return true;
  const tasks = (await tasksOf(service)).filter(isMeantToRun);
  return State
    ? !tasks.some((task) => isPresent(task, service) && isUnplaced(task))
    : tasks.some((task) => !isPresent(task, service));
}

/** The engine's words for an update, and for its rollback, that are not over. */
export function isActive(state = ""): boolean {
  return state === "updating" || state === "rollback_started";
}

function isMeantToRun({ DesiredState }: Pick<TaskRecord, "DesiredState">): boolean {
  return DesiredState === "running" || DesiredState === "ready";
}
