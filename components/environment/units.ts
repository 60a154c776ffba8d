/** Durations and sizes as the files of Nginx, Docker and OpenFaaS write them, and their conversion to plain numbers. */
import { z } from "zod";

const SECONDS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };
const BYTES: Record<string, number> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

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

export const duration = () =>
  z.string().regex(/^[1-9]\d*(ms|s|m|h)$/, 'must be a duration such as "300s", "5m" or "500ms"');

export const size = () => z.string().regex(/^[1-9]\d*[kmgKMG]?$/, 'must be a size such as "64m" or "1g"');
