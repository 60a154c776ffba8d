/**
 * Versions of a secret. A swarm's secret cannot change, so a new value is a secret of another name, `NAME.v2`, whose labels say
 * which name it stands for. The first version, and whatever others made with OpenFaaS's label, bears the name itself.
 */
import type { SecretRecord } from "./records";

/** Whose newer value this secret is. */
export const SECRET_NAME_LABEL = "com.openfaas.secret.name";
/** Counts up from 2. */
export const SECRET_VERSION_LABEL = "com.openfaas.secret.version";

/** The engine takes no longer name. */
const LONGEST_NAME = 64;

/** The name that functions and clients know it by. */
export function nameOf(secret: SecretRecord): string {
  return secret.Spec.Labels?.[SECRET_NAME_LABEL] ?? secret.Spec.Name;
}

export function versionOf(secret: SecretRecord): number {
  return Number(secret.Spec.Labels?.[SECRET_VERSION_LABEL]) || 1;
}

/** Every version by the name it stands for, the newest first. */
export function byName(secrets: SecretRecord[]): Map<string, SecretRecord[]> {
  const found = new Map<string, SecretRecord[]>();
  for (const secret of secrets) found.set(nameOf(secret), [...(found.get(nameOf(secret)) ?? []), secret]);
  for (const versions of found.values()) versions.sort((a, b) => versionOf(b) - versionOf(a));
  return found;
}

/** What the engine calls a version of a secret. */
export function engineName(name: string, version: number): string {
  const suffix = `.v${version}`;
  return `${name.slice(0, LONGEST_NAME - suffix.length)}${suffix}`;
}
