/** Memory and CPU as people write them for OpenFaaS: Kubernetes' words and Docker's, which mean the same here. */

/** The engine starts no container with less. */
export const LEAST_MEMORY_LIMIT = 6 * 1024 * 1024;
/** Swarm reserves no less. */
export const LEAST_MEMORY_REQUEST = 4 * 1024 * 1024;
/** Swarm counts CPU in thousandths. */
export const LEAST_NANO_CPUS = 1_000_000;

const POWERS = ["", "k", "m", "g", "t"];

/**
 * Bytes of "64Mi", "128m", "128M", "1.5g", "512MB" or "67108864". Every suffix counts in 1024s, as Docker has it: "128m"
 * is 128 MiB, and never Kubernetes' milli-bytes, which nobody means.
 * @returns undefined when it is no size
 */
export function parseMemory(text: string): number | undefined {
  const match = /^(\d+(?:\.\d*)?|\.\d+)\s*([kmgt]?)(?:i?b?)$/i.exec(text.trim());
  if (!match) return undefined;
  const bytes = Math.round(Number(match[1]) * 1024 ** POWERS.indexOf(match[2]!.toLowerCase()));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** "64Mi" for 67108864: the largest unit that loses nothing. */
export function formatMemory(bytes: number): string {
  for (const [power, unit] of [
    [3, "Gi"],
    [2, "Mi"],
    [1, "Ki"],
  ] as const) {
    if (bytes >= 1024 ** power && bytes % 1024 ** power === 0) return `${bytes / 1024 ** power}${unit}`;
  }
  return String(bytes);
}

/**
 * Billionths of a CPU of "100m" (thousandths), "0.5", "2" (CPUs) or "500000000" (from a million on, billionths already:
 * that is what Docker's providers were given).
 * @returns undefined when it is no amount
 */
export function parseCpu(text: string): number | undefined {
  const match = /^(\d+(?:\.\d*)?|\.\d+)(m?)$/.exec(text.trim());
  if (!match) return undefined;
  const amount = Number(match[1]);
  if (match[2] === "m") return Math.round(amount * 1e6);
  const nano = Number.isInteger(amount) && amount >= LEAST_NANO_CPUS ? amount : Math.round(amount * 1e9);
  return Number.isSafeInteger(nano) ? nano : undefined;
}

/** "100m" for 100000000, "2" for two whole CPUs. */
export function formatCpu(nano: number): string {
  return nano % 1e9 === 0 ? String(nano / 1e9) : `${nano / 1e6}m`;
}

const LEAST = {
  limits: { memory: LEAST_MEMORY_LIMIT, cpu: LEAST_NANO_CPUS },
  requests: { memory: LEAST_MEMORY_REQUEST, cpu: LEAST_NANO_CPUS },
};

/**
 * Bytes or billionths of a CPU that the engine is given: its least amount where less is asked for, and nothing for 0, which is no
 * limit and no reservation.
 * @returns undefined for nothing, and when it is no amount
 */
export function givenAmount(
  kind: "limits" | "requests",
  what: "memory" | "cpu",
  text: string,
): number | undefined {
  const amount = what === "memory" ? parseMemory(text) : parseCpu(text);
  return amount ? Math.max(amount, LEAST[kind][what]) : undefined;
}

/** Whether the engine is given more than was asked for. */
export function isRaised(kind: "limits" | "requests", what: "memory" | "cpu", text: string): boolean {
  const amount = what === "memory" ? parseMemory(text) : parseCpu(text);
  return Boolean(amount) && amount! < LEAST[kind][what];
}
