/**
 * OpenFaaS's annotations for health checks. Swarm knows one check for what Kubernetes has two: a replica gets no call and no
 * update goes on before it succeeds (readiness), and one that fails later is replaced (liveness). `com.openfaas.health.http.*`
 * counts; `com.openfaas.ready.http.*` where the first is not given.
 */
import { parseDuration } from "./duration";

export interface HealthCheck {
  /** What has to be answered with 200 to 399; without it an open port is enough. */
  path?: string;
  periodMs: number;
  timeoutMs: number;
  /** So many in a row, after the start, and the replica is replaced. */
  failures: number;
  /** Failures in the beginning that do not count. */
  startMs: number;
}

type Texts = Readonly<Record<string, string>>;

const PREFIXES = ["com.openfaas.health.http.", "com.openfaas.ready.http."] as const;
/** `true`: the port is asked to accept a connection, and nothing else. Of this project. */
const TCP = "com.openfaas.health.tcp";

/** As Kubernetes' provider of OpenFaaS has them, but for the start: there a replica that is slow to start is not replaced at all. */
const DEFAULTS = { path: "/_/health", periodMs: 2000, timeoutMs: 1000, failures: 3, startMs: 15_000 };

const time = (leastMs: number) => (value: string) => {
  const ms = parseDuration(value);
  return ms !== undefined && ms >= leastMs && ms <= 3_600_000
    ? undefined
    : `"${value}" is not a time such as 5, 500ms or 1m`;
};
const count = (value: string) =>
  /^[1-9]\d{0,2}$/.test(value) ? undefined : `"${value}" must be a whole number, 1 or more`;

/** Each counts by itself: what is not given has its default. */
const CHECKS: Readonly<Record<string, (value: string) => string | undefined>> = {
  path: (value) =>
    /^\/[\x21-\x7e]*$/.test(value) ? undefined : `"${value}" is not a path such as /_/health`,
  initialDelay: time(0),
  initialDelaySeconds: time(0),
  periodSeconds: time(1),
  timeoutSeconds: time(1),
  failureThreshold: count,
  successThreshold: count,
};

export const isHealthAnnotation = (key: string): boolean => /^com\.openfaas\.(health|ready)\./.test(key);

/** @returns undefined when none is asked for: then the image's own check holds, where it has one. */
export function readHealthCheck(annotations: Texts): HealthCheck | undefined {
  const given = (key: string) =>
    PREFIXES.map((prefix) => annotations[prefix + key]).find((value) => value !== undefined);
  const isTcp = annotations[TCP] === "true";
  const isHttp = Object.keys(annotations).some((key) => PREFIXES.some((prefix) => key.startsWith(prefix)));
  if (!isTcp && !isHttp) return undefined;
  const path = given("path") ?? (isTcp ? undefined : DEFAULTS.path);
  const ms = (key: string) => parseDuration(given(key) ?? "");
  return {
    ...(path === undefined ? {} : { path }),
    periodMs: ms("periodSeconds") ?? DEFAULTS.periodMs,
    timeoutMs: ms("timeoutSeconds") ?? DEFAULTS.timeoutMs,
    failures: Number(given("failureThreshold") ?? DEFAULTS.failures),
    startMs: ms("initialDelay") ?? ms("initialDelaySeconds") ?? DEFAULTS.startMs,
  };
}

/** By the annotation's name, what is wrong with it. */
export function healthProblems(annotations: Texts): [name: string, problem: string][] {
  return Object.entries(annotations).flatMap(([key, value]): [string, string][] => {
    const problem = isHealthAnnotation(key) ? healthProblem(key, value) : undefined;
    return problem === undefined ? [] : [[key, problem]];
  });
}

function healthProblem(key: string, value: string): string | undefined {
  if (key === TCP) return /^(true|false)$/.test(value) ? undefined : `"${value}" is neither true nor false`;
  const prefix = PREFIXES.find((each) => key.startsWith(each));
  const check = prefix && CHECKS[key.slice(prefix.length)];
  const known = `${TCP}, ${PREFIXES[0]}NAME and ${PREFIXES[1]}NAME, with ${Object.keys(CHECKS).join(", ")}`;
  return check ? check(value) : `is not known; known are ${known}`;
}
