/** Finds what is unhealthy in a report. */
import { SCALING_ALERT } from "../../components/openfaas/alerts";
import type { FunctionStatus, Report, ServiceStatus } from "./report";

export interface Limits {
  /** Expected services. */
  services: readonly string[];
  /** Expected functions. */
  functions: readonly string[];
  /** Minimum free part of a disk, 0 to 1. */
  diskFree: number;
  /** Minimum synchronous writes a second; 0: not checked. */
  fsyncPerSecond: number;
  /** Maximum age of the oldest call that is not done. */
  queueSeconds: number;
  certificateDays: number;
  /** Whether an authority is to have signed it. */
  certificateOrdered: boolean;
  /** Longest round trips in milliseconds: to the host, and from it to each target. Default: not judged. */
  latency?: { host: number; targets: Record<string, number> };
}

/** Available memory below which the kernel soon ends something. */
const MEMORY_FREE = 0.05;

/** One sentence per problem, the most serious first: what cannot be asked, what does not run, what will soon fail. */
export function judge(report: Report, limits: Limits): string[] {
  return [
    ...Object.entries(report.missing).map(([part, why]) => `${part}: cannot be asked: ${why}`),
    ...frontDoor(report),
    ...running("service", report.services, limits.services),
    ...running("function", report.functions, limits.functions),
    ...host(report, limits),
    ...queue(report, limits),
    ...certificate(report, limits),
    ...latency(report, limits),
    ...(report.alerts ?? [])
      .filter(({ state, name }) => state === "firing" && name !== SCALING_ALERT)
      .map(({ name, summary }) => `alert ${name}: ${summary}`),
    ...(report.drift?.length ? [`drift: ${report.drift.length} to change by \`pulumi up --refresh\``] : []),
  ];
}

function frontDoor({ frontDoor: door, units, closedPorts }: Report): string[] {
  const open = Object.entries(closedPorts ?? {}).filter(([, state]) => state !== "closed");
  const stopped = Object.entries(units ?? {}).filter(([, state]) => state !== "active");
  return [
    ...open.map(([port]) => `port ${port} of the host answers, which has to be closed`),
    ...stopped.map(([unit, state]) => `${unit} is ${state}`),
    ...(door && door.status !== 200 ? [`/healthz through Nginx answers ${door.status || "nothing"}`] : []),
  ];
}

function running(
  kind: string,
  all: (ServiceStatus & Pick<FunctionStatus, "problem">)[] | undefined,
  wanted: readonly string[],
): string[] {
  if (!all) return [];
  const short = all.flatMap((one) => {
    const why = one.problem ?? one.lastError;
    // A function may be scaled to zero; a service of the platform with no replicas was switched off by hand.
    if (one.running < one.desired || (kind === "service" && one.desired === 0))
      return [`${kind} ${one.name} runs ${one.running} of ${one.desired}${why ? `: ${why}` : ""}`];
    // After a rolled-back update all replicas run, of the earlier version.
    return one.problem ? [`${kind} ${one.name}: ${one.problem}`] : [];
  });
  const absent = wanted.filter((name) => !all.some((one) => one.name === name));
  return [...absent.map((name) => `${kind} ${name} is not there`), ...short];
}

function host({ host: found, fsyncPerSecond }: Report, limits: Limits): string[] {
  const problems: string[] = [];
  for (const { mount, totalMiB, freeMiB } of found?.disks ?? [])
    if (freeMiB < totalMiB * limits.diskFree)
      problems.push(`disk ${mount}: ${freeMiB} of ${totalMiB} MiB free`);
  if (found && found.memoryAvailableMiB < found.memoryMiB * MEMORY_FREE)
    problems.push(`memory: ${found.memoryAvailableMiB} of ${found.memoryMiB} MiB available`);
  if (fsyncPerSecond !== undefined && fsyncPerSecond < limits.fsyncPerSecond)
    problems.push(
      `disk: ${fsyncPerSecond} synchronous writes a second, and preflight.minFsyncPerSecond is ${limits.fsyncPerSecond}`,
    );
  return problems;
}

function queue(report: Report, limits: Limits): string[] {
  const missing = report.queue?.missing ?? 0;
  return [
    ...waiting(report, limits),
    ...(missing > 0
      ? [`queue: ${missing} accepted calls are missing: neither done, nor dead, nor waiting`]
      : []),
  ];
}

function waiting({ queue: state }: Report, limits: Limits): string[] {
  if (!state || state.depth === 0) return [];
  if (state.workers === 0) return [`queue: ${state.depth} calls wait and no worker is connected`];
  const { oldestSeconds: oldest } = state;
  if (oldest === undefined || oldest < limits.queueSeconds) return [];
  return [`queue: the oldest of ${state.depth} calls has waited for ${Math.round(oldest)} s`];
}

function certificate({ certificate: found, order }: Report, limits: Limits): string[] {
  const failed = order ? [`certificate: the order of ${order.at} failed: ${order.error}`] : [];
  if (!found) return failed;
  if (limits.certificateOrdered && found.selfSigned)
    return [...failed, "certificate: Nginx serves a self-signed placeholder"];
  if (found.days >= limits.certificateDays) return failed;
  return [...failed, found.days < 0 ? "certificate: expired" : `certificate: expires in ${found.days} days`];
}

function latency({ latency: found }: Report, { latency: most }: Limits): string[] {
  if (!found || !most) return [];
  const far = (what: string, took: number | undefined, limit: number): string[] =>
    took !== undefined && took > limit ? [`latency: ${took} ms ${what}, above ${limit} ms`] : [];
  return [
    ...far("to the host", found.host, most.host),
    ...Object.entries(most.targets).flatMap(([address, limit]) => {
      const took = found.targets[address];
      return took === undefined
        ? [`latency: ${address} cannot be reached from the host`]
        : far(`from the host to ${address}`, took, limit);
    }),
  ];
}
