/** What scripts/status.sh printed, as values. */
import { queueState } from "../../shared/queueState";
import { parseKeyValues } from "../../providers/host/src/scripts";
import type { AlertStatus, HostStatus, QueueStatus, ServiceStatus } from "./report";

export interface Part {
  code: number;
  out: string;
  err: string;
}

/** @throws an Error if the last line is missing, because the connection was cut */
export function parseParts(output: string): Map<string, Part> {
  const lines = output.split("\n").filter((line) => line !== "");
  if (lines.at(-1) !== "end 0") throw new Error("the host's answer is incomplete");
  const text = (base64 = "") => Buffer.from(base64, "base64").toString("utf8");
  return new Map(
    lines.slice(0, -1).map((line): [string, Part] => {
      // A part without output has two blanks in a row.
      const [name = "", code, out, err] = line.split(" ");
      return [name, { code: Number(code), out: text(out), err: text(err).trim() }];
    }),
  );
}

const mebi = (kibibytes: string | undefined) => Math.floor(Number(kibibytes ?? 0) / 1024);

export function parseHost(text: string): HostStatus {
  const values = parseKeyValues(text);
  const disks = Object.entries(values).flatMap(([key, value]) => {
    if (!key.startsWith("disk.")) return [];
    const [total, free] = value.split(" ");
    return [{ mount: key.slice("disk.".length), totalMiB: mebi(total), freeMiB: mebi(free) }];
  });
  const [one = 0, five = 0, fifteen = 0] = (values.load ?? "").split(" ").map(Number);
  return {
    hostname: values.hostname ?? "",
    os: values.os ?? "",
    kernel: values.kernel ?? "",
    uptimeSeconds: Math.floor(Number(values.uptime ?? 0)),
    cpus: Number(values.cpus ?? 0),
    load: [one, five, fifteen],
    memoryMiB: mebi(values.memoryKiB),
    memoryAvailableMiB: mebi(values.availableKiB),
    disks,
  };
}

/** Milliseconds by address; undefined for one that was not reached. */
export function parseTargets(text: string): Record<string, number | undefined> {
  const lines = text.split("\n").filter((line) => line.includes("="));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf("=");
      const took = line.slice(at + 1).trim();
      return [line.slice(0, at), took === "" ? undefined : Number(took)];
    }),
  );
}

export interface Services {
  stack: ServiceStatus[];
  functions: ServiceStatus[];
}

/** Services of the platform, and functions, without the swarm's other services. */
export function parseServices(text: string): Services {
  const result: Services = { stack: [], functions: [] };
  for (const line of text.split("\n")) {
    const [name, replicas, image = "", part, fn, ...why] = line.split("|");
    const counts = /^(\d+)\/(\d+)/.exec(replicas ?? "");
    if (!name || !counts) continue;
    const lastError = why.join("|").trim();
    const service = {
      name,
      running: Number(counts[1]),
      desired: Number(counts[2]),
      image: image.split("@")[0]!,
      ...(lastError ? { lastError } : {}),
    };
    if (part) result.stack.push(service);
    else if (fn) result.functions.push(service);
  }
  const byName = (a: ServiceStatus, b: ServiceStatus) => (a.name < b.name ? -1 : 1);
  result.stack.sort(byName);
  result.functions.sort(byName);
  return result;
}

/**
 * The problems of functions in the provider's words: "rolled back: the last update failed…". A function that runs with adjusted values
 * has none.
 */
export function parseProblems(text: string): Map<string, string> {
  const functions = JSON.parse(text) as { name: string; problem?: { kind: string; message: string } }[];
  return new Map(
    functions.flatMap(({ name, problem }) =>
      problem && problem.kind !== "adjusted" ? [[name, `${problem.kind}: ${problem.message}`]] : [],
    ),
  );
}

/** The answers of NATS's monitoring. */
export function parseQueue(text: string): QueueStatus {
  const { depth, underWay, workers, bytes, maxBytes, dead, counts } = queueState(
    JSON.parse(text) as Parameters<typeof queueState>[0],
  );
  // What is missing is asked of Prometheus: in one look, a call on its way out is too.
  const totals = counts && { accepted: counts.accepted, done: counts.done, died: counts.died };
  return { depth, underWay, workers, bytes, maxBytes, dead, ...totals };
}

export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** The samples of an instant query. Throws with Prometheus's own message where it refused. */
export function parseSamples(text: string): Sample[] {
  const answer = JSON.parse(text) as {
    status: string;
    error?: string;
    data?: { result?: { metric: Record<string, string>; value: [number, string] }[] };
  };
  if (answer.status !== "success") throw new Error(answer.error ?? "Prometheus refused the query");
  return (answer.data?.result ?? []).map(({ metric, value }) => ({
    labels: metric,
    value: Number(value[1]),
  }));
}

export function parseAlerts(text: string): AlertStatus[] {
  const answer = JSON.parse(text) as {
    data?: {
      alerts?: {
        state: string;
        labels: Record<string, string>;
        annotations: Record<string, string>;
      }[];
    };
  };
  return (answer.data?.alerts ?? []).map(({ state, labels, annotations }) => ({
    name: labels.alertname ?? "",
    state: state === "firing" ? "firing" : "pending",
    severity: labels.severity ?? "",
    summary: annotations.summary ?? "",
  }));
}
