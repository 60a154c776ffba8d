/** Which version of the Docker API to speak: one that the engine and this provider both know. */
import { EngineError } from "./errors";

/** The oldest API that has what is used here (engine 19.03). */
export const OLDEST_API = "1.40";
/** The newest this was written against; a newer engine is spoken to in this version. */
export const NEWEST_API = "1.44";

/** The version to use: the engine's, at most ours. @throws EngineError without a common version */
export function chooseApi(engineNewest: string, engineOldest = "1.12"): string {
  const version = compareApi(engineNewest, NEWEST_API) < 0 ? engineNewest : NEWEST_API;
  if (compareApi(version, OLDEST_API) < 0)
    throw new EngineError(
      503,
      "negotiate",
      `the engine's API is ${engineNewest}; ${OLDEST_API} (engine 19.03) is needed`,
    );
  // An engine that has dropped our newest still has its own oldest, and the calls used here have not changed since 1.40.
  return compareApi(version, engineOldest) < 0 ? engineOldest : version;
}

function compareApi(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split(".").map(Number);
  const [bMajor = 0, bMinor = 0] = b.split(".").map(Number);
  return aMajor - bMajor || aMinor - bMinor;
}

/** "client version 1.44 is too old. Minimum supported API version is …", and the same with "too new". */
export function refusesVersion(error: unknown): boolean {
  const { statusCode, json } = error as { statusCode?: number; json?: { message?: string } };
  return statusCode === 400 && /client version \S+ is too (old|new)/.test(json?.message ?? "");
}
