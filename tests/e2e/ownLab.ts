/** Labs for tests: beside a developer's own, beside those of the files that run at the same time, and beside those of any other clone. */
import { createHash } from "node:crypto";
import * as path from "node:path";

export type LabKind = "journey" | "lab" | "plugin" | "engine";
const KINDS: LabKind[] = ["journey", "lab", "plugin", "engine"];
/** Below the kernel's own range for outgoing connections, above what services usually have. */
const FIRST_PORT = 20_000;
/** As many files as `npm test` runs at a time (dev/bootstrap.mjs). */
const WORKERS = 3;
const PORTS_OF_A_CLONE = 3 * KINDS.length * WORKERS;
/** So that the last of them ends below 32768, where the kernel takes the ports of outgoing connections. */
const CLONES = 340;

/**
 * The variables that name a lab of this clone alone, for `loadLab` and for the commands a test starts. Names and ports follow
 * from the clone's folder: what a killed run left in another clone is in nobody's way, and a second run of this one finds its own.
 * .ci/run makes the same names.
 */
export function ownLab(kind: LabKind, clone = path.resolve(__dirname, "../..")): Record<string, string> {
  const hash = createHash("sha256").update(clone).digest();
  const worker = Math.min(Number(process.env.JEST_WORKER_ID ?? 1), WORKERS);
  const slot = (hash.readUInt16BE(0) % CLONES) * PORTS_OF_A_CLONE;
  const first = FIRST_PORT + slot + 3 * (KINDS.indexOf(kind) * WORKERS + worker - 1);
  return {
    OSLO_FAAS_LAB: `${kind}${worker}-${hash.toString("hex", 0, 4)}`,
    OSLO_FAAS_LAB_SSH_PORT: String(first),
    OSLO_FAAS_LAB_HTTP_PORT: String(first + 1),
    OSLO_FAAS_LAB_HTTPS_PORT: String(first + 2),
  };
}
