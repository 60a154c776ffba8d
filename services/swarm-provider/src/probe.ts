/**
 * The health check of functions, for images that have no shell, no curl, nothing: a program of 2 KB (probe/probe.c) that lies in a
 * volume. The provider writes it there when it starts; a function with a health check mounts the volume, read-only.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "../../../shared/atomicFile";
import type { HealthCheck } from "../../../shared/health";
import binaries from "../../../shared/probeBinaries.json";

/** Where a function sees the volume. */
export const PROBE_MOUNT = "/var/openfaas/probe";

const MS = 1e6;
/** How long a check that succeeds stays and looks again by itself, beyond what a slow start may take: the engine starts so many fewer. */
const STAY_SECONDS = 60;

/** Named by its content: an update of the provider does not change the program of functions that run. */
export function probeName(arch: string = process.arch): string {
  return `probe-${createHash("sha256").update(binary(arch)).digest("hex").slice(0, 12)}`;
}

/** Writes the program into the volume, whole or not at all. @throws Error when the folder cannot be written */
export function installProbe(folder: string, arch: string = process.arch): void {
  const file = join(folder, probeName(arch));
  if (existsSync(file)) return;
  writeAtomically(file, binary(arch), 0o755);
}

/** A health check in the engine's words. */
export function renderHealthcheck(check: HealthCheck, port: number) {
  const seconds = Math.max(1, Math.ceil(check.timeoutMs / 1000));
  // A replica that is still becoming healthy must not wait for a check that stays.
  const startMs = check.startMs + check.failures * (check.periodMs + seconds * 1000);
  const stay = STAY_SECONDS + Math.ceil(startMs / 1000);
  const numbers = [port, seconds, check.path ?? "-", stay, check.periodMs];
  return {
    Test: ["CMD", `${PROBE_MOUNT}/${probeName()}`, ...numbers.map(String)],
    Interval: Math.round(check.periodMs * MS),
    // The program's own alarm comes first: engines up to 20.10 leave running what did not answer in time.
    Timeout: (stay + 4 * seconds + 1) * 1000 * MS,
    Retries: check.failures,
    StartPeriod: Math.round(check.startMs * MS),
    // Engines from 25 on look more often in the beginning, so that nothing waits long for a replica; older ones pass it by.
    StartInterval: Math.round(Math.min(500, check.periodMs) * MS),
  };
}

function binary(arch: string): Buffer {
  const text = (binaries as Record<string, string>)[arch];
  if (!text)
    throw new Error(`no health probe for ${arch}; there is one for ${Object.keys(binaries).join(" and ")}`);
  return Buffer.from(text, "base64");
}
