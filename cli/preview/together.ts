/** What several environments have in common, in which order they come, and what a change means to those who call the platform. */
import type { Change } from "./changes";
import { isProduction } from "../../shared/production";
import { code } from "./markdown";

interface Previewed {
  name: string;
  /** What its file says. */
  production?: unknown;
  changes: Change[];
}

/** Changes that the same environments have in common. */
export interface Shared {
  /** Of the environments. */
  names: string[];
  /** One of each. */
  changes: Change[];
  /** All of them, as each environment has them. */
  all: ReadonlySet<Change>;
}

/** As the policies tell production. */
export const productionFirst = (a: Previewed, b: Previewed): number =>
  Number(isProduction(b.name, b.production)) - Number(isProduction(a.name, a.production));

/** Changes that are the same to the letter in more than one environment. */
export function sharedChanges(environments: Previewed[]): Shared[] {
  const byContent = new Map<string, { name: string; change: Change }[]>();
  for (const { name, changes } of environments)
    for (const change of changes) {
      const { kind, type, parts, stakes, unknown } = change;
      const key = JSON.stringify([kind, change.name, type, parts, stakes, unknown]);
      byContent.set(key, [...(byContent.get(key) ?? []), { name, change }]);
    }
  const groups = new Map<string, { names: string[]; changes: Change[]; all: Set<Change> }>();
  for (const same of byContent.values()) {
    if (same.length < 2) continue;
    const names = same.map(({ name }) => name);
    const group = groups.get(names.join("\n")) ?? { names, changes: [], all: new Set<Change>() };
    group.changes.push(same[0]!.change);
    for (const { change } of same) group.all.add(change);
    groups.set(names.join("\n"), group);
  }
  return [...groups.values()];
}

const SERVICE = "docker:index/service:Service";

/** Measured for a service whose image is on the host. */
const AWAY = "10 s";

/** What those who call the platform will see of the changes, in one line; undefined where nothing is known. */
export function noticed(changes: Change[]): string | undefined {
  const all = (type: string, ...kinds: Change["kind"][]) =>
    changes.filter((one) => one.type === type && kinds.includes(one.kind));
  const names = (type: string, ...kinds: Change["kind"][]) => all(type, ...kinds).map(({ name }) => name);
  const plain = (found: string[], prefix: string) =>
    found.map((name) => code(name.replace(prefix, ""))).join(", ");
  const services = (seamless: boolean) =>
    all(SERVICE, "changed", "replaced")
      .filter((one) => (one.seamless ?? false) === seamless)
      .map(({ name }) => name);
  const [restarted, exchanged, removed] = [services(false), services(true), names(SERVICE, "deleted")];
  const [rolled, gone] = [
    names("openfaas:index:Function", "changed", "replaced"),
    names("openfaas:index:Function", "deleted"),
  ];
  const nginx = names("host:index:File", "changed", "replaced").some((name) => name.startsWith("nginx-"));
  const parts = [
    ...(nginx ? ["nginx is reloaded, which cuts no connection"] : []),
    ...(restarted.length > 0
      ? [`restarted, each away for about ${AWAY}: ${plain(restarted, "openfaas-")}`]
      : []),
    ...(exchanged.length > 0
      ? [`exchanged, the old one working until the new one is up: ${plain(exchanged, "openfaas-")}`]
      : []),
    ...(removed.length > 0 ? [`removed: ${plain(removed, "openfaas-")}`] : []),
    ...(rolled.length > 0
      ? [`rolled, the version before answering until the new one is up: ${plain(rolled, "functions-")}`]
      : []),
    ...(gone.length > 0 ? [`answered 404 from then on: ${plain(gone, "functions-")}`] : []),
  ];
  return parts.length > 0 ? `**What callers notice**: ${parts.join("; ")}.` : undefined;
}
