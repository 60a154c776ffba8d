/** What starts a call of a function besides HTTP: OpenFaaS's annotations `topic` and `schedule`. */
import { scheduleProblem } from "./schedule";

export const TOPIC = "topic";
export const SCHEDULE = "schedule";
/** The topic of functions that are called by the clock. */
export const CRON_TOPIC = "cron-function";
const TOPICS = [CRON_TOPIC];

type Texts = Readonly<Record<string, string>>;

/** By the function's name; what the Swarm provider answers to GET /queue/triggers. */
export type TriggersByFunction = Record<string, { annotations: Texts; createdMs: number }>;

const isTrigger = (key: string): boolean => key === TOPIC || key === SCHEDULE;

export const triggerAnnotations = (annotations: Texts): Texts =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => isTrigger(key)));

/** A label may be called like this for reasons of its own. */
export const isTriggerLabel = (key: string, value: string): boolean =>
  key === SCHEDULE || (key === TOPIC && topics(value).some((topic) => TOPICS.includes(topic)));

const topics = (text = ""): string[] => text.split(/[\s,]+/).filter(Boolean);

/** What the clock calls a function by; undefined for one that it does not call. */
export function readSchedule(annotations: Texts): string | undefined {
  const { [TOPIC]: topic, [SCHEDULE]: schedule } = annotations;
  if (schedule === undefined || !topics(topic).includes(CRON_TOPIC)) return undefined;
  return scheduleProblem(schedule) === undefined ? schedule : undefined;
}

/** By the annotation's name, what is wrong with it. */
export function triggerProblems(annotations: Texts): [name: string, problem: string][] {
  const { [TOPIC]: topic, [SCHEDULE]: schedule } = annotations;
  const found: [string, string][] = [];
  // Other topics may mean something elsewhere, where the same file is used.
  const isTimed = topics(topic).includes(CRON_TOPIC);
  if (schedule === undefined) {
    if (isTimed) found.push([SCHEDULE, `is required: ${TOPIC} is "${topic}", and it says when to call`]);
    return found;
  }
  const problem = scheduleProblem(schedule);
  if (problem !== undefined) found.push([SCHEDULE, problem]);
  else if (!isTimed) found.push([SCHEDULE, `does nothing here without ${TOPIC}: ${CRON_TOPIC}`]);
  return found;
}
