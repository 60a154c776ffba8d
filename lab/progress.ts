/**
 * What a person sees while the lab works: a line when something begins or ends, and one at least every five seconds while
 * it lasts. Plain lines, no cursor movements: a terminal, a CI log and a file get the same text.
 */
export interface Progress {
  /** Prints a line now. */
  say(text: string): void;
  /** What is being worked on; printed with the elapsed time once nothing else was printed for five seconds. */
  status(text: string): void;
}

interface Phase {
  name: string;
  milliseconds: number;
  note: string;
}

export const HEARTBEAT_MS = 5000;

export class Reporter implements Progress {
  private readonly started = Date.now();
  private readonly phases: Phase[] = [];
  private current: { name: string; started: number; note: string } | undefined;
  private doing = "";
  private lastLine = Date.now();

  constructor(
    private readonly write: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
    private readonly heartbeatMs = HEARTBEAT_MS,
  ) {}

  say(text: string): void {
    this.lastLine = Date.now();
    for (const line of text.split("\n")) this.write(`${this.prefix()} ${line}`);
  }

  status(text: string): void {
    this.doing = text;
  }

  /** What the table says beside the phase that runs: "built", "was running already". */
  note(text: string): void {
    if (this.current) this.current.note = text;
  }

  /** Runs one phase, timed, with the heartbeat. Phases do not nest. */
  async phase<T>(name: string, work: () => Promise<T>): Promise<T> {
    const current = { name, started: Date.now(), note: "" };
    this.current = current;
    this.doing = "";
    this.lastLine = Date.now();
    const timer = setInterval(() => this.beat(), Math.min(1000, this.heartbeatMs));
    try {
      return await work();
    } finally {
      clearInterval(timer);
      this.phases.push({ name, milliseconds: Date.now() - current.started, note: current.note });
      this.current = undefined;
    }
  }

  /** The time of every phase so far, and their sum. */
  table(): string {
    const rows = [...this.phases, { name: "total", milliseconds: Date.now() - this.started, note: "" }];
    const width = Math.max(...rows.map((row) => row.name.length));
    return rows
      .map((row) =>
        `  ${row.name.padEnd(width)}  ${seconds(row.milliseconds).padStart(8)}  ${row.note}`.trimEnd(),
      )
      .join("\n");
  }

  elapsedMs(): number {
    return Date.now() - this.started;
  }

  private beat(): void {
    if (Date.now() - this.lastLine < this.heartbeatMs) return;
    const since = this.current ? ` (${seconds(Date.now() - this.current.started)} so far)` : "";
    this.say(`… ${this.doing || "working"}${since}`);
  }

  private prefix(): string {
    const name = this.current ? ` ${this.current.name.padEnd(9)}` : "";
    return `[${seconds(Date.now() - this.started).padStart(7)}]${name}`;
  }
}

export function seconds(milliseconds: number): string {
  const total = milliseconds / 1000;
  if (total < 60) return `${total.toFixed(1)} s`;
  return `${Math.floor(total / 60)} min ${String(Math.floor(total % 60)).padStart(2, "0")} s`;
}
