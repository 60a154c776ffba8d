/** What a platform takes that nobody calls: CPU time and memory of the whole host, and of each program on it. */
import { summary } from "./measure";
import { platformOfLab } from "./queue";
import type { Report } from "./report";

const ROUNDS = 3;
const SECONDS = 60;
/** What is promised: percent of one core, MiB. */
const MOST_CPU = 2;
const MOST_MEMORY = 400;

/**
 * Per process: pid, ticks of CPU time with those of the children that it has waited for (health checks among them), KiB of memory
 * (shared pages in proportion), name.
 */
const PROCESSES = `hz=$(getconf CLK_TCK); echo "hz $hz"
for p in /proc/[0-9]*; do
  read -r line 2>/dev/null <$p/stat || continue
  rest=\${line##*) }; set -- $rest
  pss=$(sed -n 's/^Pss: *\\([0-9]*\\) kB/\\1/p' $p/smaps_rollup 2>/dev/null)
  name=$(tr '\\0' ' ' <$p/cmdline 2>/dev/null | cut -c1-60)
  [ -n "$name" ] && echo "process \${p#/proc/} $((\${12} + \${13} + \${14} + \${15})) \${pss:-0} $name"
done; true`;

interface Process {
  ticks: number;
  kib: number;
  name: string;
}

interface Look {
  atMs: number;
  hz: number;
  processes: Map<string, Process>;
}

/** Needs the lab up (`npm run up`) and nothing that calls it. Takes three minutes. */
export async function idle(): Promise<Report> {
  const { session } = await platformOfLab();
  try {
    const looks: Look[] = [];
    const look = async () => {
      const { stdout } = await session.run(PROCESSES, { step: "look at the processes", timeoutSeconds: 60 });
      looks.push(parse(stdout));
    };
    await look();
    for (let round = 0; round < ROUNDS; round++) {
      await new Promise((next) => setTimeout(next, SECONDS * 1000));
      await look();
    }
    return reportOf(looks);
  } finally {
    await session.close();
  }
}

function parse(text: string): Look {
  const look: Look = { atMs: performance.now(), hz: 100, processes: new Map() };
  for (const line of text.split("\n")) {
    const [kind, first = "", ticks, kib, ...name] = line.split(" ");
    if (kind === "hz") look.hz = Number(first);
    if (kind === "process")
      look.processes.set(first, { ticks: Number(ticks), kib: Number(kib), name: named(name) });
  }
  return look;
}

/** The program, and the script that an interpreter runs. */
function named([program = "", ...args]: string[]): string {
  const short = program.split("/").at(-1)!;
  return short === "node" ? [short, ...args.map((arg) => arg.split("/").at(-1))].join(" ").trim() : short;
}

/** Percent of one core between two looks, by program. */
function shares(before: Look, after: Look): Map<string, number> {
  const found = new Map<string, number>();
  const percent = 100 / after.hz / ((after.atMs - before.atMs) / 1000);
  for (const [pid, { ticks, name }] of after.processes) {
    const since = ticks - (before.processes.get(pid)?.ticks ?? 0);
    found.set(name, (found.get(name) ?? 0) + Math.max(0, since) * percent);
  }
  return found;
}

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

function reportOf(looks: Look[]): Report {
  const rounds = looks.slice(1).map((after, at) => shares(looks[at]!, after));
  const memory = new Map<string, number>();
  for (const { name, kib } of looks.at(-1)!.processes.values())
    memory.set(name, (memory.get(name) ?? 0) + kib / 1024);
  const cpu = summary(
    "CPU of the whole host, of one core",
    rounds.map((round) => sum(round.values())),
    "%",
  );
  const mib = sum(memory.values());
  const rows = [...memory].map(([name, own]) => [
    summary(
      `CPU: ${name}`,
      rounds.map((round) => round.get(name) ?? 0),
      "%",
    ),
    summary(`memory: ${name}`, [own], "MiB"),
  ]);
  return {
    title: "A platform that nobody calls",
    rows: [
      cpu,
      summary("memory of all its programs", [mib], "MiB"),
      ...rows
        .filter(([used, held]) => used!.median >= 0.05 || held!.median >= 10)
        .sort(([a], [b]) => b!.median - a!.median)
        .flat(),
    ],
    ratios: {
      "CPU to what is promised": cpu.median / MOST_CPU,
      "memory to what is promised": mib / MOST_MEMORY,
    },
    missed: [
      ...(cpu.median > MOST_CPU
        ? [`it takes ${cpu.median.toFixed(1)} % of a core, and ${MOST_CPU} % are promised`]
        : []),
      ...(mib > MOST_MEMORY ? [`it takes ${mib.toFixed(0)} MiB, and ${MOST_MEMORY} MiB are promised`] : []),
    ],
  };
}
