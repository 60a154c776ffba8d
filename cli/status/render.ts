/** The report as one screen of text. The verdict and the remedies come first. */
import { colors as pc } from "../colors";
import { SCALING_ALERT } from "../../components/openfaas/alerts";
import { remedyFor } from "./remedies";
import type { FunctionStatus, QueueStatus, Report, ServiceStatus } from "./report";

const LABEL = 13;
/** The usual width of a terminal. */
const WIDTH = 80;
/** An image keeps so much of its name, however narrow the terminal is. */
const LEAST = 16;

export function render(report: Report): string {
  const blocks = [
    [`${report.environment} (${report.address}), ${report.at}`, ...verdict(report)],
    [
      ...host(report),
      ...door(report),
      ...latency(report),
      ...queue(report),
      ...alerts(report),
      ...drift(report),
    ],
    report.services ? table(["service", "running", "image"], report.services.map(serviceRow)) : [],
    report.functions ? table(FUNCTION_HEAD, report.functions.map(functionRow)) : [],
    schedules(report.functions ?? []),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => line.trimEnd()).join("\n"))
    .join("\n\n")
    .concat("\n");
}

function verdict({ problems, environment }: Report): string[] {
  if (problems.length === 0) return [pc.green("healthy")];
  const findings = problems.flatMap((problem) => {
    const remedy = remedyFor(problem, environment);
    return [
      ...wrapped(problem, "  - ", "    "),
      ...(remedy ? wrapped(remedy, "    → ", "      ").map(pc.dim) : []),
    ];
  });
  return [pc.red(`UNHEALTHY: ${problems.length}`), ...findings];
}

/** A long value goes on below itself. */
const row = (name: string, value: string): string =>
  wrapped(value, name.padEnd(LABEL), " ".repeat(LABEL)).join("\n");

/** Breaks a line at blanks. A word that is longer than a line stays whole: it can be a path to copy. */
function wrapped(text: string, first: string, others: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1) ?? ""} ${word}`;
    if (lines.length > 0 && longer.length <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(`${lines.length === 0 ? first : others}${word}`);
  }
  return lines;
}

function host({ host: found, units, fsyncPerSecond }: Report): string[] {
  const disk = fsyncPerSecond === undefined ? [] : [`${fsyncPerSecond} synchronous writes a second`];
  if (!found) return disk.length > 0 ? [row("disk", disk[0]!)] : [];
  const disks = found.disks.map(
    ({ mount, totalMiB, freeMiB }) => `${mount} ${gib(freeMiB)} of ${gib(totalMiB)} GiB free`,
  );
  return [
    row("host", `${found.hostname}, ${found.os}, ${found.kernel}, up ${age(found.uptimeSeconds)}`),
    row(
      "load",
      `${found.load.join(" ")} on ${found.cpus} CPUs; memory ${gib(found.memoryAvailableMiB)} of ${gib(found.memoryMiB)} GiB available`,
    ),
    row("disk", [...disks, ...disk].join("; ")),
    ...(units
      ? [
          row(
            "units",
            Object.entries(units)
              .map(([unit, state]) => `${unit} ${state}`)
              .join(", "),
          ),
        ]
      : []),
  ];
}

function door({ frontDoor, certificate }: Report): string[] {
  return [
    ...(frontDoor ? [row("front door", `/healthz ${frontDoor.status} in ${frontDoor.milliseconds} ms`)] : []),
    ...(certificate
      ? [
          row(
            "certificate",
            `${certificate.subject}${certificate.selfSigned ? ", self-signed" : ""}, ${certificate.days} days left (${certificate.expires.slice(0, 10)})`,
          ),
        ]
      : []),
  ];
}

function latency({ latency: found }: Report): string[] {
  if (!found) return [];
  const targets = Object.entries(found.targets).map(
    ([address, took]) => `${address} ${took === undefined ? "not reached" : `${took} ms`}`,
  );
  return [
    row(
      "latency",
      [...(found.host === undefined ? [] : [`${found.host} ms to the host`]), ...targets].join("; "),
    ),
  ];
}

function queue({ queue: state }: Report): string[] {
  if (!state) return [];
  const oldest = state.oldestSeconds === undefined ? "unknown" : age(state.oldestSeconds);
  const waiting =
    state.depth === 0
      ? "empty"
      : `${state.depth} calls, ${state.underWay} of them under way, oldest ${oldest}`;
  const mebi = (bytes: number) => (bytes / 1024 ** 2).toFixed(1);
  const size = `${mebi(state.bytes)} of ${mebi(state.maxBytes)} MiB`;
  const workers = `${state.workers} ${state.workers === 1 ? "worker" : "workers"}`;
  return [
    row("queue", `${waiting}; ${workers}; ${size}`),
    ...counts(state),
    ...dead(state.dead),
    ...oldQueue(state.oldDepth),
  ];
}

const counts = ({ accepted, done, died }: QueueStatus): string[] =>
  accepted === undefined
    ? []
    : [row("", `since the beginning ${accepted} accepted, ${done} done, ${died} dead`)];

const dead = (count: number): string[] =>
  count === 0 ? [] : [row("", `${count} failed for good and kept: npx oslo-faas queue list`)];

function oldQueue(depth: number | undefined): string[] {
  if (depth === undefined) return [];
  const what = depth === 0 ? "empty; set openfaas.queue.natsStreaming: false" : `${depth} calls to move`;
  return [row("", `NATS Streaming: ${what}`)];
}

function alerts({ alerts: all }: Report): string[] {
  if (!all) return [];
  // The alert that scales functions is not for people.
  const shown = all.filter(({ name }) => name !== SCALING_ALERT);
  return [
    row(
      "alerts",
      shown.length === 0 ? "none" : shown.map(({ name, state }) => `${name} ${state}`).join(", "),
    ),
  ];
}

function drift({ drift: changes }: Report): string[] {
  if (!changes) return [];
  if (changes.length === 0) return [row("drift", "none")];
  return changes.map((change, i) => row(i === 0 ? "drift" : "", change));
}

const serviceRow = (one: ServiceStatus) => [one.name, `${one.running}/${one.desired}`, one.image];

const minute = (time: string) => time.slice(0, 16).replace("T", " ");

function schedules(functions: FunctionStatus[]): string[] {
  const rows = functions.flatMap(({ name, schedule }) =>
    schedule ? [[name, schedule.last ? minute(schedule.last) : "-", minute(schedule.next)]] : [],
  );
  return rows.length > 0 ? table(["by the clock", "last (UTC)", "next (UTC)"], rows) : [];
}

const FUNCTION_HEAD = ["function", "running", "calls/s", "5xx/s", "p50 ms", "p99 ms", "image"];

function functionRow(one: FunctionStatus): string[] {
  const shown = (value: number | undefined, digits: number) => value?.toFixed(digits) ?? "-";
  return [
    one.name,
    `${one.running}/${one.desired}`,
    shown(one.rate, 2),
    shown(one.errorRate, 2),
    shown(one.p50Ms, 0),
    shown(one.p99Ms, 0),
    one.image,
  ];
}

function table(head: string[], rows: string[][]): string[] {
  if (rows.length === 0) return [`no ${head[0]}`];
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((cells) => cells[column]!.length)));
  // An image, whose end says the most, has what is left of the line.
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const left = Math.max(LEAST, WIDTH - before);
  return all.map((cells) =>
    cells
      .map((cell, column) => (column < head.length - 1 ? cell.padEnd(widths[column]!) : tail(cell, left)))
      .join("  "),
  );
}

const tail = (text: string, length: number): string =>
  text.length > length ? `…${text.slice(text.length - length + 1)}` : text;

const gib = (mebibytes: number) => (mebibytes / 1024).toFixed(1);

/** The two largest units: "3 d 4 h", "5 min 2 s", "12 s". */
export function age(seconds: number): string {
  const units: [string, number][] = [
    ["d", 86_400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ];
  let rest = Math.max(0, Math.round(seconds));
  const parts = units.flatMap(([name, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? [`${count} ${name}`] : [];
  });
  return parts.slice(0, 2).join(" ") || "0 s";
}
