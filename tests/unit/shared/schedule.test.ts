import { BadSchedule, Schedule, scheduleProblem } from "../../../shared/schedule";

const OSLO = "Europe/Oslo";
const ms = (text: string) => Date.parse(text);
const utc = (time: number) => new Date(time).toISOString().slice(5, 16);

/** Every time in between, in UTC: found forwards, and once more by asking every five minutes what the last one was. */
function times(text: string, from: string, to: string, zone = OSLO): string[] {
  const schedule = new Schedule(text, zone);
  const [begin, end] = [ms(from), ms(to)];
  const found: number[] = [];
  for (let time = schedule.next(begin); time < end; time = schedule.next(time)) found.push(time);
  const seen = new Set<number>();
  for (let now = begin + 300_000; now < end; now += 300_000) {
    const latest = schedule.latest(begin, now);
    if (latest === undefined) continue;
    expect(latest).toBeLessThanOrEqual(now);
    expect(schedule.next(latest)).toBeGreaterThan(now);
    seen.add(latest);
  }
  expect([...seen]).toEqual(found);
  return found.map(utc);
}

// Clocks go from 02:00 to 03:00 at 01:00 UTC.
const spring = (text: string) => times(text, "2027-03-27T22:30Z", "2027-03-28T04:30Z");
// Clocks go from 03:00 back to 02:00 at 01:00 UTC.
const autumn = (text: string) => times(text, "2027-10-30T22:30Z", "2027-10-31T03:30Z");

test.each([
  ["30 2 * * *", ["03-28T01:00"]],
  ["15,45 2 * * *", ["03-28T01:00"]],
  ["30 2,3 * * *", ["03-28T01:00", "03-28T01:30"]],
  ["0 3 * * *", ["03-28T01:00"]],
  ["0 0-5 * * *", ["03-27T23:00", "03-28T00:00", "03-28T01:00", "03-28T02:00", "03-28T03:00"]],
  ["30 */2 * * *", ["03-27T23:30", "03-28T01:00", "03-28T02:30"]],
  ["0 * * * *", ["03-27T23:00", "03-28T00:00", "03-28T01:00", "03-28T02:00", "03-28T03:00", "03-28T04:00"]],
])("a time that clocks skip in spring comes right after, and once: %s", (text, expected) =>
  expect(spring(text)).toEqual(expected),
);

test.each([
  ["30 2 * * *", ["10-31T00:30"]],
  ["15,45 2 * * *", ["10-31T00:15", "10-31T00:45"]],
  ["0 2,3 * * *", ["10-31T00:00", "10-31T02:00"]],
  ["0 0-4 * * *", ["10-30T23:00", "10-31T00:00", "10-31T02:00", "10-31T03:00"]],
  ["40 * * * *", ["10-30T22:40", "10-30T23:40", "10-31T00:40", "10-31T01:40", "10-31T02:40"]],
])("a time that clocks show twice in autumn comes once, and every hour in each hour: %s", (text, expected) =>
  expect(autumn(text)).toEqual(expected),
);

test("every five minutes is every five minutes, whatever clocks do", () => {
  for (const [from, to] of [
    ["2027-03-27T23:00Z", "2027-03-28T03:00Z"],
    ["2027-10-30T23:00Z", "2027-10-31T03:00Z"],
  ] as const)
    expect(times("*/5 * * * *", from, to)).toHaveLength(4 * 12 - 1);
});

test("the time of day stays the zone's own over the year", () => {
  expect(times("0 8 1 1,7 *", "2027-06-01T00:00Z", "2027-07-02T00:00Z")).toEqual(["07-01T06:00"]);
  expect(utc(new Schedule("0 8 1 1,7 *", OSLO).next(ms("2027-08-01T00:00Z")))).toBe("01-01T07:00");
  expect(utc(new Schedule("0 8 * * *", "UTC").next(ms("2027-08-01T00:00Z")))).toBe("08-01T08:00");
});

test.each([
  ["@hourly", "05-05T13:00"],
  ["@daily", "05-05T22:00"],
  ["@midnight", "05-05T22:00"],
  ["@weekly", "05-08T22:00"],
  ["@monthly", "05-31T22:00"],
  ["@yearly", "12-31T23:00"],
  ["0 9 * * MON-FRI", "05-06T07:00"],
  ["0 9 29 2 *", "02-29T08:00"],
  // Either of both, as cron has it.
  ["0 0 13 * FRI", "05-06T22:00"],
])("%s", (text, expected) =>
  expect(utc(new Schedule(text, OSLO).next(ms("2027-05-05T12:00Z")))).toBe(expected),
);

test("the latest time can be the moment itself, and lies after the first bound", () => {
  const schedule = new Schedule("0 4 * * *", "UTC");
  const four = ms("2027-05-05T04:00Z");
  expect(schedule.latest(four - 1, four)).toBe(four);
  expect(schedule.latest(four, four + 3_600_000)).toBeUndefined();
  expect(schedule.latest(ms("2026-01-01T00:00Z"), four - 1)).toBe(four - 86_400_000);
  expect(schedule.next(four)).toBe(four + 86_400_000);
});

test.each([
  ["* * * *", "must be five fields"],
  ["0 0 4 * * *", "must be five fields"],
  ["@every 5m", "must be five fields"],
  ["@reboot", "must be five fields"],
  ["", "must be five fields"],
  ["60 * * * *", "Invalid value for minute: 60"],
  ["CRON_TZ=UTC * * * *", "illegal characters"],
  ["0 0 31 2 *", "never comes"],
])("%s is refused", (text, reason) => {
  expect(scheduleProblem(text)).toContain(reason);
  expect(scheduleProblem(text)).toContain(`"${text}"`);
  expect(() => new Schedule(text, OSLO)).toThrow(BadSchedule);
});
