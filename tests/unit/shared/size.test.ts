import { formatCpu, formatMemory, givenAmount, isRaised, parseCpu, parseMemory } from "../../../shared/size";

const MIB = 1024 * 1024;

test.each([
  ["64Mi", 64 * MIB],
  ["128m", 128 * MIB],
  ["128M", 128 * MIB],
  ["512MB", 512 * MIB],
  ["1.5g", 1536 * MIB],
  ["1Gi", 1024 * MIB],
  ["2k", 2048],
  ["67108864", 67108864],
  ["100b", 100],
  [" 64Mi ", 64 * MIB],
])("memory %s is %d bytes", (text, bytes) => expect(parseMemory(text)).toBe(bytes));

test.each(["", "Mi", "-1Mi", "64Mo", "64 64", "1e3", "0x10", "99999999999t", "64Mi;"])(
  "memory %j is refused",
  (text) => expect(parseMemory(text)).toBeUndefined(),
);

test.each([
  ["100m", 1e8],
  ["0.5", 5e8],
  ["2", 2e9],
  ["1.25", 1.25e9],
  ["500000000", 5e8],
  ["1000000", 1e6],
])("cpu %s is %d billionths", (text, nano) => expect(parseCpu(text)).toBe(nano));

test.each(["", "m", "-1", "1 cpu", "100M", "1e9"])("cpu %j is refused", (text) =>
  expect(parseCpu(text)).toBeUndefined(),
);

test.each([1, 6 * MIB, 64 * MIB, 1024 * MIB, 1536 * MIB, 123_456_789])(
  "%d bytes read back as written",
  (bytes) => expect(parseMemory(formatMemory(bytes))).toBe(bytes),
);

test.each([1e6, 1e8, 5e8, 1e9, 2e9, 1.5e9])("%d billionths read back as written", (nano) =>
  expect(parseCpu(formatCpu(nano))).toBe(nano),
);

test("the largest unit that loses nothing is written", () => {
  expect([1536 * MIB, 2048 * MIB, 1024, 1000].map(formatMemory)).toEqual(["1536Mi", "2Gi", "1Ki", "1000"]);
});

test.each([
  ["limits", "memory", "5Mi", 6 * MIB, true],
  ["requests", "memory", "1Mi", 4 * MIB, true],
  ["limits", "memory", "64Mi", 64 * MIB, false],
  ["limits", "memory", "0", undefined, false],
  ["requests", "cpu", "0m", undefined, false],
  ["limits", "cpu", "0.5m", 1e6, true],
  ["limits", "cpu", "lots", undefined, false],
] as const)("the engine is given of %s.%s %s: %p", (kind, what, text, amount, raised) => {
  expect(givenAmount(kind, what, text)).toBe(amount);
  expect(isRaised(kind, what, text)).toBe(raised);
});
