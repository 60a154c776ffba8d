/** Converts durations and sizes, as Nginx, Docker and OpenFaaS write them, to numbers. */
import { goDuration } from "../shared/duration";
import { parseMemory } from "../shared/size";

export const DURATION = /^[1-9]\d*(ms|s|m|h)$/;
export const SIZE = /^[1-9]\d*[kmgKMG]?$/;

/** "300s" → 300. Accepts whole numbers of ms, s, m or h, the forms that Nginx and Go both understand. */
export function seconds(duration: string): number {
  if (!/^\d+(ms|s|m|h)$/.test(duration)) throw new Error(`not a duration: ${duration}`);
  return (goDuration(duration) ?? Infinity) / 1000;
}

/** "100m" → 104857600. Accepts a whole number with k, m or g (powers of 1024), as Nginx and Docker write sizes. */
export function bytes(size: string): number {
  if (!/^\d+[kmg]?$/i.test(size)) throw new Error(`not a size: ${size}`);
  return parseMemory(size) ?? Infinity;
}
