/**
 * OpenFaaS's annotations for health checks. Swarm knows one check for what Kubernetes has two: a replica gets no call and no
 * update goes on before it succeeds (readiness), and one that fails later is replaced (liveness). `com.openfaas.health.http.*`
 * counts; `com.openfaas.ready.http.*` where the first is not given.
 */
import { parseDuration } from "../../../shared/duration";

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

const PREFIXES = ["com.openfaas.health.http.", "com.openfaas.ready.http."] as const;
/** `true`: the port is asked to accept a connection, and nothing else. Ours. */
const TCP = "com.openfaas.health.tcp";

/** As Kubernetes' provider of OpenFaaS has them, but for the start: there a replica that is slow to start is not replaced at all. */
const DEFAULTS = { periodMs: 2000, timeoutMs: 1000, failures: 3, startMs: 15_000 };
const KNOWN = [
  "path",
  "initialDelay",
  "initialDelaySeconds",
  "periodSeconds",
  "timeoutSeconds",
  "failureThreshold",
  "successThreshold",
];

/** @returns undefined when none is asked for: then the image's own check holds, where it has one. */
export function readHealthCheck(annotations: Record<string, string>): HealthCheck | undefined {
  const given = (key: string) =>
    PREFIXES.map((prefix) => annotations[prefix + key]).find((value) => value !== undefined);
  const path = given("path");
  if (path === undefined && annotations[TCP] !== "true") return undefined;
  const ms = (key: string) => parseDuration(given(key) ?? "");
  return {
    ...(path === undefined ? {} : { path }),
    periodMs: ms("periodSeconds") ?? DEFAULTS.periodMs,
    timeoutMs: ms("timeoutSeconds") ?? DEFAULTS.timeoutMs,
    failures: Number(given("failureThreshold") ?? DEFAULTS.failures),
    startMs: ms("initialDelay") ?? ms("initialDelaySeconds") ?? DEFAULTS.startMs,
  };
}

/** Everything wrong with the annotations, one line each. */
export function checkHealth(annotations: Record<string, string>): string[] {
  return Object.entries(annotations).flatMap(([key, value]) => {
    const problem = key === TCP ? checkTcp(value) : checkOne(key, value, annotations);
    return problem ? [`annotations.${key}: ${problem}`] : [];
  });
}

function checkTcp(value: string): string | undefined {
  return ["true", "false"].includes(value) ? undefined : `"${value}" is neither true nor false`;
}

function checkOne(key: string, value: string, all: Record<string, string>): string | undefined {
  const prefix = PREFIXES.find((each) => key.startsWith(each));
  if (!prefix) return undefined;
  const what = key.slice(prefix.length);
  if (!KNOWN.includes(what)) return `is not known; known are ${KNOWN.join(", ")}`;
  if (PREFIXES.every((each) => all[`${each}path`] === undefined) && all[TCP] !== "true")
    return `needs ${prefix}path as well`;
  if (what === "path")
    return /^\/[\x21-\x7e]*$/.test(value) ? undefined : `"${value}" is not a path such as /_/health`;
  if (what === "failureThreshold" || what === "successThreshold")
    return /^[1-9]\d{0,2}$/.test(value) ? undefined : `"${value}" must be a whole number, 1 or more`;
  const ms = parseDuration(value);
  const least = what.startsWith("initialDelay") ? 0 : 1;
  return ms !== undefined && ms >= least && ms <= 3_600_000
    ? undefined
    : `"${value}" is not a time such as 5, 500ms or 1m`;
}
