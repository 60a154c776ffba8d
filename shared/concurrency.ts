/** How many calls of a function from outside may be under way at the same time. */

/** A whole number; 0: no limit. Default: the environment's openfaas.maxConcurrent. */
export const MAX_CONCURRENT = "com.oslo-faas.max-concurrent";

const FORM = /^\d{1,6}$/;

/** @returns undefined for a function that leaves it to its environment */
export function readMaxConcurrent(annotations: Readonly<Record<string, string>>): number | undefined {
  const text = annotations[MAX_CONCURRENT];
  return text !== undefined && FORM.test(text) ? Number(text) : undefined;
}

export const maxConcurrentProblem = (value: string): string | undefined =>
  FORM.test(value) ? undefined : `"${value}" is not a whole number from 0 (no limit) to 999999`;
