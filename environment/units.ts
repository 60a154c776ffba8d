/** Durations and sizes as the files of Nginx, Docker and OpenFaaS write them, and their conversion to plain numbers. */
const SECONDS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };
const BYTES: Record<string, number> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

export const DURATION = /^[1-9]\d*(ms|s|m|h)$/;
export const SIZE = /^[1-9]\d*[kmgKMG]?$/;

/** "300s" → 300. Accepts whole numbers of ms, s, m or h, the forms that Nginx and Go both understand. */
export function seconds(duration: string): number {
  const match = /^(\d+)(ms|s|m|h)$/.exec(duration);
  if (!match) throw new Error(`not a duration: ${duration}`);
  return Number(match[1]) * SECONDS[match[2]!]!;
}

/** "100m" → 104857600. Accepts a whole number with k, m or g (powers of 1024), as Nginx and Docker write sizes. */
export function bytes(size: string): number {
  const match = /^(\d+)([kmg]?)$/i.exec(size);
  if (!match) throw new Error(`not a size: ${size}`);
  return Number(match[1]) * BYTES[match[2]!.toLowerCase()]!;
}
