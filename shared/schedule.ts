/** When a schedule's times are: five fields of cron, or a word such as @daily, in a time zone. */
import { Cron } from "croner";

const WORDS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};
const FORM =
  'must be five fields (minute, hour, day, month, weekday), such as "0 4 * * 1-5", or @hourly, @daily, @weekly, @monthly, @yearly';
const HOUR_MS = 3_600_000;
/** No zone moves its clocks by more at once. */
const LARGEST_CHANGE_MS = 3 * HOUR_MS;

export class BadSchedule extends Error {}

/** All times are ms since 1970. */
export class Schedule {
  private readonly cron: Cron;
  /** The schedule runs in every hour: twice in the hour that clocks repeat in autumn, and in spring no run is missed. */
  private readonly isHourly: boolean;
  private readonly format: Intl.DateTimeFormat;

  /** @throws BadSchedule */
  constructor(text: string, timeZone: string) {
    const fields = (WORDS[text.trim().toLowerCase()] ?? text).trim().split(/\s+/);
    if (fields.length !== 5 || fields[0]!.startsWith("@")) throw new BadSchedule(`"${text}" ${FORM}`);
    this.isHourly = /^([*?])(\/1)?$/.test(fields[1]!);
    try {
      // Croner's own rules for a change of clocks depend on how many times of the hour there are: it gets to know of none.
      this.cron = new Cron(fields.join(" "), { paused: true, timezone: this.isHourly ? timeZone : "UTC" });
    } catch (error) {
      const reason = (error as Error).message.replace(/^CronPattern: /, "").replace(/\.$/, "");
      throw new BadSchedule(`"${text}" is not a schedule: ${reason}`, { cause: error });
    }
    this.format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    if (!this.cron.nextRun()) throw new BadSchedule(`"${text}" never comes: no such day exists`);
  }

  /** The first time after `ms`. */
  next(ms: number): number {
    if (this.isHourly) return +this.cron.nextRun(new Date(ms))!;
    for (let wall = this.wall(ms); ;) {
      wall = +this.cron.nextRun(new Date(wall))!;
      const time = this.instant(wall);
      if (time > ms) return time;
    }
  }

  /** The last time after `fromMs`, up to and including `toMs`. */
  latest(fromMs: number, toMs: number): number | undefined {
    const time = this.before(toMs + 1);
    return time !== undefined && time > fromMs ? time : undefined;
  }

  private before(ms: number): number | undefined {
    // Croner compares whole seconds.
    const previous = (at: number) => this.cron.previousRuns(1, new Date(Math.ceil(at / 1000) * 1000))[0];
    if (this.isHourly) return previous(ms)?.getTime();
    // After clocks went back, times of today are ahead of what they show.
    let wall: number | undefined = Math.max(
      this.wall(ms),
      this.wall(ms - LARGEST_CHANGE_MS) + LARGEST_CHANGE_MS,
    );
    for (wall += 1000; (wall = previous(wall)?.getTime()) !== undefined;) {
      const time = this.instant(wall);
      if (time < ms) return time;
    }
    return undefined;
  }

  /** What clocks of the zone show, as if they were in UTC. */
  private wall(ms: number): number {
    const parts = Object.fromEntries(this.format.formatToParts(ms).map(({ type, value }) => [type, +value]));
    const { year, month, day, hour, minute, second } = parts as Record<string, number>;
    return Date.UTC(year!, month! - 1, day, hour, minute, second) + (ms % 1000);
  }

  /** When clocks first show it; where they skip it, the moment after. */
  private instant(wall: number): number {
    const [early, late] = [wall - 24 * HOUR_MS, wall + 24 * HOUR_MS].map((ms) => wall - (this.wall(ms) - ms));
    for (const time of [early!, late!]) if (this.wall(time) === wall) return time;
    // Clocks go forward between `late` and `early`.
    let [from, to] = [late!, early!];
    while (to - from > 1000) {
      const middle = Math.floor((from + to) / 2000) * 1000;
      if (this.wall(middle) < wall) from = middle;
      else to = middle;
    }
    return to;
  }
}

/** What is wrong with a schedule. */
export function scheduleProblem(text: string): string | undefined {
  try {
    new Schedule(text, "UTC");
    return undefined;
  } catch (error) {
    if (error instanceof BadSchedule) return error.message;
    throw error;
  }
}
