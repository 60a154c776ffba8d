/** What a platform takes that nobody calls: CPU time and memory of the whole host, and of each program on it. */
import { connect } from "../lab/docker";
import { summary } from "./measure";
import { platformOfLab } from "./queue";
import type { Report } from "./report";

const ROUNDS = 3;
const SECONDS = 60;
/** What is promised: percent of one core, MiB. */
const MOST_CPU = 2;
const MOST_MEMORY = 400;

/** Per process: pid, jiffies of CPU time, KiB of memory (shared pages in proportion), name. */
const PROCESSES = `hz=$(getconf CLK_TCK); echo "hz $hz"
for p in /proc/[0-9]*; do
  read -r line 2>/dev/null <$p/stat || continue
  rest=\${line##*) }; set -- $rest
  pss=$(sed -n 's/^Pss: *\\([0-9]*\\) kB/\\1/p' $p/smaps_rollup 2>/dev/null)
  name=$(tr '\\0' ' ' <$p/cmdline 2>/dev/null | cut -c1-60)
  [ -n "$name" ] && echo "process \${p#/proc/} $((\${12} + \${13})) \${pss:-0} $name"
done; true`;

interface Process {
  ticks: number;
  kib: number;
  name: string;
}

/** Needs the lab up (`npm run up`) and nothing that calls it. Takes three minutes. */
export async function idle(): Promise<Report> {
  const { lab, session } = await platformOfLab();
  try {
    const docker = await connect();
    const container = docker.getContainer(lab.container);
    /** Nanoseconds of all that ever ran on the host, health checks that have ended among them. */
    const spent = async () =>
      (await container.stats({ stream: false, "one-shot": true })).cpu_stats.cpu_usage.total_usage;
    const look = async () => {
      const { stdout } = await session.run(PROCESSES, { step: "look at the processes", timeoutSeconds: 60 });
      return parse(stdout);
    };
    const shares: number[] = [];
    const before = await look();
    for (let round = 0; round < ROUNDS; round++) {
      const [start, startMs] = [await spent(), performance.now()];
      await new Promise((next) => setTimeout(next, SECONDS * 1000));
      shares.push(((await spent()) - start) / (performance.now() - startMs) / 1e4);
    }
    return reportOf(shares, before, await look());
  } finally {
    await session.close();
  }
}

function parse(text: string): { hz: number; processes: Map<string, Process> } {
  const processes = new Map<string, Process>();
  let hz = 100;
  for (const line of text.split("\n")) {
    const [kind, first = "", ticks, kib, ...name] = line.split(" ");
    if (kind === "hz") hz = Number(first);
    if (kind === "process")
      processes.set(first, { ticks: Number(ticks), kib: Number(kib), name: named(name) });
  }
  return { hz, processes };
}

/** The program, and the script that an interpreter runs. */
function named([program = "", ...args]: string[]): string {
  const short = program.split("/").at(-1)!;
  return short === "node" ? [short, ...args.map((arg) => arg.split("/").at(-1))].join(" ").trim() : short;
}

function reportOf(
  shares: number[],
  before: ReturnType<typeof parse>,
  after: ReturnType<typeof parse>,
): Report {
  const programs = new Map<string, { cpu: number; mib: number }>();
  for (const [pid, { ticks, kib, name }] of after.processes) {
    const found = programs.get(name) ?? { cpu: 0, mib: 0 };
    const since = ticks - (before.processes.get(pid)?.ticks ?? 0);
    found.cpu += (100 * since) / before.hz / (ROUNDS * SECONDS);
    found.mib += kib / 1024;
    programs.set(name, found);
  }
  const memory = [...programs.values()].reduce((sum, { mib }) => sum + mib, 0);
  const cpu = summary("CPU of the whole host, of one core", shares, "%");
  return {
    title: "A platform that nobody calls",
    rows: [
      cpu,
      summary("memory of all its programs", [memory], "MiB"),
      ...[...programs]
        .filter(([, { cpu: own, mib }]) => own >= 0.05 || mib >= 10)
        .sort(([, a], [, b]) => b.cpu - a.cpu)
        .flatMap(([name, { cpu: own, mib }]) => [
          summary(`CPU: ${name}`, [own], "%"),
          summary(`memory: ${name}`, [mib], "MiB"),
        ]),
    ],
    ratios: {
      "CPU to what is promised": cpu.median / MOST_CPU,
      "memory to what is promised": memory / MOST_MEMORY,
    },
    missed: [
      ...(cpu.median > MOST_CPU
        ? [`it takes ${cpu.median.toFixed(1)} % of a core, and ${MOST_CPU} % are promised`]
        : []),
      ...(memory > MOST_MEMORY
        ? [`it takes ${memory.toFixed(0)} MiB, and ${MOST_MEMORY} MiB are promised`]
        : []),
    ],
  };
}
