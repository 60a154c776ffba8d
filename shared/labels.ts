/** OpenFaaS's labels of a function, as this platform understands them: names, defaults and ranges. */
import { isAccessAnnotation } from "./access";
import { MAX_CONCURRENT, maxConcurrentProblem } from "./concurrency";
import { parseDuration } from "./duration";
import { isHealthAnnotation } from "./health";
import { isQueueAnnotation, queueProblem } from "./queueSettings";
import { isSandboxAnnotation, sandboxProblem } from "./sandbox";
import { isTriggerLabel } from "./triggers";

/** Fewest replicas. */
export const SCALE_MIN = "com.openfaas.scale.min";
/** Most replicas. */
export const SCALE_MAX = "com.openfaas.scale.max";
/** By how many per cent of the most replicas an alert scales up; 0 never. */
export const SCALE_FACTOR = "com.openfaas.scale.factor";
/** `true`: the function may be scaled to zero, and a call wakes it. */
export const SCALE_ZERO = "com.openfaas.scale.zero";
/** How long nobody must have called it, such as 15m. */
export const SCALE_ZERO_DURATION = "com.openfaas.scale.zero-duration";
const SCALE_PREFIX = "com.openfaas.scale.";
const SCALE_LABELS = [SCALE_MIN, SCALE_MAX, SCALE_FACTOR, SCALE_ZERO, SCALE_ZERO_DURATION];

/** What the gateway takes for a function that names none. */
export const DEFAULT_SCALE_MIN = 1;
export const DEFAULT_SCALE_MAX = 20;

/** On every service that is a function, with the function's name. */
export const FUNCTION_LABEL = "com.openfaas.function";
/** Upstream's older mark of the same. */
export const LEGACY_LABEL = "function";
/** Of the provider `openfaas`: whether a function of that name may be taken over. */
export const MANAGED_LABEL = "com.oslo-faas.managed";
/** Annotations, which Swarm does not have, are labels with this before their name. */
export const ANNOTATION_PREFIX = "com.openfaas.annotations.";
/** Limits and requests as they were written, so that reading back gives the same words. */
export const RESOURCE_PREFIX = "com.openfaas.resources.";

/** How long the `up` waits for this function, in whole seconds. An annotation that is not deployed. */
export const WAIT_ANNOTATION = "com.oslo-faas.wait-seconds";
export const WAIT_SECONDS = { least: 5, most: 1800, default: 120 } as const;

type Texts = Readonly<Record<string, string>>;
/** By the name of a label or annotation: what is wrong with it. */
export type Wrong = [name: string, problem: string];

export const scalesToZero = (labels: Texts = {}): boolean => labels[SCALE_ZERO] === "true";

/** @param name the function's, where it is known */
export function labelProblems(labels: Texts, name?: string): Wrong[] {
  const wrong = Object.entries(labels).flatMap(([key, value]): Wrong[] => {
    const problem = labelProblem(key, value, name);
    return problem === undefined ? [] : [[key, problem]];
  });
  const [min, max] = [labels[SCALE_MIN], labels[SCALE_MAX]];
  const areRight =
    min !== undefined && max !== undefined && !wrong.some(([key]) => SCALE_LABELS.includes(key));
  if (areRight && Number(min) > Number(max)) wrong.push([SCALE_MIN, `${min} is above ${SCALE_MAX}, ${max}`]);
  return wrong;
}

function labelProblem(key: string, value: string, name?: string): string | undefined {
  if (key.trim() === "") return "has no name";
  if (isReserved(key, value, name)) return "is the platform's own; choose another";
  if (
    [isHealthAnnotation, isSandboxAnnotation, isAccessAnnotation, isQueueAnnotation].some((is) => is(key)) ||
    key === WAIT_ANNOTATION ||
    key === MAX_CONCURRENT ||
    isTriggerLabel(key, value)
  )
    return "does nothing here: it belongs under annotations";
  const check = SCALE_CHECKS[key];
  return check ? check(value) : nothingDone(key);
}

/** Whether the platform would overwrite it, or take it for a mark of its own. */
function isReserved(key: string, value: string, name?: string): boolean {
  if (key === FUNCTION_LABEL) return name !== undefined && value !== name;
  if (key === LEGACY_LABEL || key === MANAGED_LABEL) return value !== "true";
  return key.startsWith(ANNOTATION_PREFIX) || key.startsWith(RESOURCE_PREFIX);
}

const whole = (least: number, most = Infinity) => {
  const range = most === Infinity ? `${least} or more` : `from ${least} to ${most}`;
  return (value: string) =>
    /^\d{1,6}$/.test(value) && Number(value) >= least && Number(value) <= most
      ? undefined
      : `"${value}" must be a whole number, ${range}`;
};

const SCALE_CHECKS: Readonly<Record<string, (value: string) => string | undefined>> = {
  [SCALE_MIN]: whole(0),
  [SCALE_MAX]: whole(1),
  [SCALE_FACTOR]: whole(0, 100),
  [SCALE_ZERO]: (value) =>
    /^(true|false)$/.test(value) ? undefined : `"${value}" is neither true nor false`,
  [SCALE_ZERO_DURATION]: (value) =>
    (parseDuration(value) ?? 0) > 0 ? undefined : `"${value}" is not a duration such as 15m or 90s`,
};

/** Words of OpenFaaS that nothing here reads, with what works instead. */
function nothingDone(key: string): string | undefined {
  if (key === "com.openfaas.profile")
    return "does nothing here: profiles are OpenFaaS Pro's; use constraints, limits and requests";
  if (!key.startsWith(SCALE_PREFIX)) return undefined;
  return `does nothing here: functions are scaled by their calls a second; there is ${SCALE_LABELS.join(", ")}`;
}

function waitProblem(value: string): string | undefined {
  const { least, most } = WAIT_SECONDS;
  const isRight = /^\d{1,4}$/.test(value) && Number(value) >= least && Number(value) <= most;
  return isRight ? undefined : `"${value}" is not whole seconds from ${least} to ${most}, such as 600`;
}

/** What is wrong with annotations, each by itself. */
export function annotationProblems(annotations: Texts): Wrong[] {
  return Object.entries(annotations).flatMap(([key, value]): Wrong[] => {
    const problem = annotationProblem(key, value);
    return problem === undefined ? [] : [[key, problem]];
  });
}

function annotationProblem(key: string, value: string): string | undefined {
  if (key.trim() === "") return "has no name";
  if (key === WAIT_ANNOTATION) return waitProblem(value);
  if (key === MAX_CONCURRENT) return maxConcurrentProblem(value);
  if (isSandboxAnnotation(key)) return sandboxProblem(key, value);
  if (isQueueAnnotation(key)) return queueProblem(key, value);
  if (SCALE_LABELS.includes(key)) return "does nothing here: it belongs under labels";
  return nothingDone(key);
}
