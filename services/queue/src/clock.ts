/**
 * Calls functions by the clock: each time of a schedule becomes one call of the queue. Several clocks may run: a call's id is made of
 * function and time, and the last time of each function is on disk.
 */
import { Gauge, type Registry } from "prom-client";
import { Schedule } from "../../../shared/schedule";
import { CRON_TOPIC, readSchedule } from "../../../shared/triggers";
import type { Acceptor } from "./accept";
import type { QueuedCall } from "./call";
import type { ClockRecord, ClockRecords } from "./clockRecords";
import type { KnownFunctions } from "./functions";
import { sleep } from "./http";
import type { Log } from "./log";

const LOOK_MS = 1000;
/** A new schedule counts after so long at the most. */
const LIST_MS = 5000;
const PAUSE_MS = 5000;
/** A function is seen so long after it was deployed. */
const SEEN_MS = 4 * LIST_MS;
/** A call that comes later than this makes up for a time that was missed. */
const LATE_MS = 60_000;

interface Options {
  timeZone: string;
  log: Log;
  registry: Registry;
  now?: () => number;
}

interface Entry {
  text: string;
  schedule: Schedule;
  createdMs: number;
  /** Nothing is due in this span. Default: not known yet. */
  quiet?: { fromMs: number; untilMs: number };
  lastMs?: number;
}

export class Clock {
  private readonly entries = new Map<string, Entry>();
  /** Functions that have a record. */
  private recorded?: Set<string>;
  private listedMs = -Infinity;
  private readonly ending = new AbortController();
  private readonly now: () => number;

  constructor(
    private readonly records: Pick<ClockRecords, "names" | "read" | "write" | "remove">,
    private readonly acceptor: Pick<Acceptor, "accept">,
    private readonly functions: Pick<KnownFunctions, "triggers">,
    private readonly options: Options,
  ) {
    this.now = options.now ?? Date.now;
    this.tell("next", "Next time of a function's schedule.", ({ schedule }) => schedule.next(this.now()));
    this.tell("last", "Time of a function's schedule that it was last called for.", ({ lastMs }) => lastMs);
  }

  /** Resolves after `end`. */
  async run(): Promise<void> {
    while (!this.ending.signal.aborted) {
      await this.look();
      // At the beginning of a second: most schedules' times are there.
      await sleep(LOOK_MS - (this.now() % LOOK_MS), this.ending.signal);
    }
  }

  end(): void {
    this.ending.abort();
  }

  /** Makes the calls that are due. Never rejects: what fails is tried again. */
  async look(): Promise<void> {
    const { log } = this.options;
    const age = this.now() - this.listedMs;
    if (age >= LIST_MS || age < 0)
      await this.list().catch((error) =>
        log("warn", "schedules cannot be looked up", { reason: (error as Error).message }),
      );
    for (const [name, entry] of this.entries)
      try {
        await this.serve(name, entry);
      } catch (error) {
        log("warn", "a call by the clock is not accepted yet", {
          function: name,
          reason: (error as Error).message,
        });
        const fromMs = this.now();
        entry.quiet = { fromMs, untilMs: fromMs + PAUSE_MS };
      }
  }

  private async list(): Promise<void> {
    const all = await this.functions.triggers();
    this.listedMs = this.now();
    const found = new Map<string, Entry>();
    for (const [name, { annotations, createdMs }] of Object.entries(all)) {
      const text = readSchedule(annotations);
      if (text === undefined) continue;
      const known = this.entries.get(name);
      const isSame = known?.text === text && known.createdMs === createdMs;
      const schedule = () => new Schedule(text, this.options.timeZone);
      found.set(name, isSame ? known : { text, schedule: schedule(), createdMs });
    }
    this.entries.clear();
    for (const [name, entry] of found) this.entries.set(name, entry);
    this.recorded ??= new Set(await this.records.names());
    for (const name of this.recorded) {
      if (found.has(name)) continue;
      // A schedule that comes back later has missed nothing.
      await this.records.remove(name);
      this.recorded.delete(name);
    }
  }

  private async serve(name: string, entry: Entry): Promise<void> {
    const now = this.now();
    const { quiet, schedule, createdMs } = entry;
    if (quiet && now >= quiet.fromMs && now < quiet.untilMs) return;
    const { record, revision } = await this.records.read(name);
    this.recorded?.add(name);
    const isKnown = record !== undefined && this.isOf(entry, record, now);
    const mine = isKnown ? record : this.begun(entry, now);
    const dueMs = schedule.latest(Math.max(mine.lastMs ?? mine.sinceMs, createdMs), now);
    if (dueMs !== undefined) await this.call(name, dueMs, now);
    const lastMs = dueMs ?? mine.lastMs;
    const isWritten =
      (isKnown && dueMs === undefined) || (await this.records.write(name, { ...mine, lastMs }, revision));
    // Another clock was faster: its record is read at the next look.
    if (!isWritten) return;
    entry.lastMs = lastMs;
    entry.quiet = { fromMs: now, untilMs: schedule.next(now) };
  }

  private isOf({ text }: Entry, { schedule, timeZone, lastMs, sinceMs }: ClockRecord, now: number): boolean {
    // One from the future is of a clock that was wrong.
    return schedule === text && timeZone === this.options.timeZone && (lastMs ?? sinceMs) <= now;
  }

  private begun({ text, createdMs }: Entry, now: number): ClockRecord {
    // Of an older function it is not known when it got this schedule.
    const sinceMs = now - createdMs < SEEN_MS ? Math.min(createdMs, now) : now;
    return { schedule: text, timeZone: this.options.timeZone, sinceMs };
  }

  private async call(name: string, dueMs: number, now: number): Promise<void> {
    const isNew = await this.acceptor.accept(callOf(name, dueMs, now), `clock ${name} ${dueMs}`);
    if (isNew && now - dueMs > LATE_MS)
      this.options.log("info", "called for a time that was missed", {
        function: name,
        time: new Date(dueMs).toISOString(),
      });
  }

  private tell(what: string, help: string, valueOf: (entry: Entry) => number | undefined): void {
    const { entries } = this;
    new Gauge({
      name: `oslo_faas_schedule_${what}_timestamp_seconds`,
      help,
      labelNames: ["function_name"],
      registers: [this.options.registry],
      collect() {
        this.reset();
        for (const [name, entry] of entries) {
          const ms = valueOf(entry);
          if (ms !== undefined) this.set({ function_name: name }, ms / 1000);
        }
      },
    });
  }
}

function callOf(name: string, dueMs: number, acceptedMs: number): QueuedCall {
  const time = new Date(dueMs).toISOString();
  const callId = `${name}-${time}`;
  return {
    function: name,
    target: `/function/${name}`,
    headers: {
      "X-Call-Id": [callId],
      "X-Start-Time": [`${acceptedMs}000000`],
      "X-Topic": [CRON_TOPIC],
      "X-Scheduled-Time": [time],
    },
    body: Buffer.alloc(0),
    callId,
    attempt: 1,
    acceptedMs,
  };
}
