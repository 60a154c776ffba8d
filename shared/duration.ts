/** Durations as Go writes them. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
/** Go counts nanoseconds in 63 bits: 292 years. */
const MOST_MS = 2 ** 63 / 1e6;

/** "1m30s", "1.5h", ".5s" or "500us" in milliseconds; undefined for anything else, and for a duration with a sign. */
export function goDuration(text: string): number | undefined {
  const parts = [...text.matchAll(PART)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) return undefined;
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNIT_MS[unit!]!, 0);
  return ms < MOST_MS ? ms : undefined;
}

/** The same, and a whole number of seconds, as OpenFaaS's watchdogs take it. */
export function parseDuration(text: string): number | undefined {
  return goDuration(/^\d+$/.test(text) ? `${text}s` : text);
}
