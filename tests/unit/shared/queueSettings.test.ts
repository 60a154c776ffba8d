import { annotationProblems, labelProblems } from "../../../shared/labels";
import { readQueueSettings } from "../../../shared/queueSettings";

const named = (name: string, value: string) => ({ [`com.oslo-faas.queue.${name}`]: value });

test.each([
  ["concurrency", "50", { concurrency: 50 }],
  ["attempts", "1", { attempts: 1 }],
  ["codes", "429, 500,503", { codes: [429, 500, 503] }],
  ["codes", "", { codes: [] }],
  ["min-delay", "500ms", { minDelayMs: 500 }],
  ["max-delay", "1h", { maxDelayMs: 3_600_000 }],
  ["timeout", "1m30s", { timeoutMs: 90_000 }],
  ["on-failure", "mourner", { onFailure: "mourner" }],
])("%s: %j is read, and is no problem", (name, value, settings) => {
  expect(annotationProblems(named(name, value))).toEqual([]);
  expect(readQueueSettings(named(name, value))).toEqual(settings);
});

test.each([
  ["concurrency", "0", '"0" is not a whole number from 1 to 1000'],
  ["attempts", "101", '"101" is not a whole number from 1 to 100'],
  ["codes", "429,200", '"429,200" is not statuses from 400 to 599, such as 429, 503'],
  ["min-delay", "1", '"1" is not a duration from 100ms to 1h, such as 30s'],
  ["max-delay", "2h", '"2h" is not a duration from 100ms to 1h, such as 30s'],
  ["timeout", "-1s", '"-1s" is not a duration from 100ms to 24h, such as 90s'],
  ["on-failure", "https://example.no/", '"https://example.no/" is not the name of a function'],
  ["atempts", "3", expect.stringContaining("does nothing here; there is com.oslo-faas.queue.concurrency")],
])("%s: %j is a problem, and counts for nothing", (name, value, problem) => {
  expect(annotationProblems(named(name, value))).toEqual([[`com.oslo-faas.queue.${name}`, problem]]);
  expect(readQueueSettings(named(name, value))).toEqual({});
});

test("as a label it does nothing", () =>
  expect(labelProblems(named("attempts", "3"))).toEqual([
    ["com.oslo-faas.queue.attempts", "does nothing here: it belongs under annotations"],
  ]));
