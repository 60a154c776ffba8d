import { goDuration, parseDuration } from "../../../shared/duration";

// What Go's time.ParseDuration makes of each.
test.each([
  ["300s", 300_000],
  ["1m30s", 90_000],
  ["1h", 3_600_000],
  ["250ms", 250],
  ["1.5s", 1500],
  [".5s", 500],
  ["1.s", 1000],
  ["500us", 0.5],
  ["500µs", 0.5],
  ["500μs", 0.5],
  ["1000000ns", 1],
  ["1h1m1s1ms", 3_661_001],
  ["1s1h", 3_601_000],
  ["0s", 0],
])("%s lasts %d ms", (text, ms) => {
  expect(goDuration(text)).toBeCloseTo(ms, 9);
  expect(parseDuration(text)).toBe(goDuration(text));
});

test("a whole number is seconds where OpenFaaS's watchdogs read it, and nothing in Go", () => {
  expect(parseDuration("90")).toBe(90_000);
  expect(parseDuration("0")).toBe(0);
  expect(goDuration("90")).toBeUndefined();
});

test.each([
  "",
  "s",
  ".s",
  ".",
  "5 s",
  " 5s",
  "-1s",
  "1d",
  "1s junk",
  "1.5",
  "1,5s",
  "1S",
  "5s\n",
  "9999999h",
])("%j is not a duration", (text) => expect(parseDuration(text)).toBeUndefined());
