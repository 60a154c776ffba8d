/** Reads the files of an environment and asks its host, for the report. */
import path from "node:path";
import { readLock, resolve } from "../../components/images/lock";
import { pulledImages } from "../../components/images/registries";
import type { HostSession } from "../../providers/host/src/hostSession";
import type { Where } from "../environment";
import { readSound } from "../functions/read";
import { destinationsOf, openOnes } from "./destinations";
import type { Say } from "./language";
import { measuresOf } from "./measures";
import type { Compliance, Given, HostFound } from "./model";
import { missingKeys, recordOf, retentionOf } from "./record";
import hostScript from "./scripts/host.sh";

/** From files alone. @throws Unusable if the environment does not exist, or it or its functions have errors */
export function fromFiles(where: Where): Given {
  const { root, stack } = where;
  const { environment, layers, functions } = readSound(where);
  const images = pulledImages(environment.images, functions, root);
  const lock = readLock(path.resolve(root, environment.images.lock));
  return {
    name: stack,
    environment,
    secrets: layers[0]?.secrets ?? [],
    functions,
    images,
    locked: images.filter((image) => resolve(image, lock).resolved).length,
    at: new Date().toISOString(),
  };
}

/** @param drift finds what an `up` would change. Default: not checked */
export async function withHost(
  given: Given,
  session: HostSession,
  drift?: () => Promise<string[]>,
): Promise<Given> {
  const { reportOf } = await import("../status/collect");
  const subject = {
    name: given.name,
    environment: given.environment,
    functions: given.functions.map(({ spec }) => spec.name),
  };
  const status = await reportOf(subject, session, drift);
  if (status.missing.host) return { ...given, unmeasured: status.missing.host };
  const { stdout } = await session.run(hostScript, { step: "read the host's settings", timeoutSeconds: 60 });
  return { ...given, status, host: parseHostFound(stdout) };
}

export function parseHostFound(text: string): HostFound {
  const all = text.split("\n").flatMap((line): [string, string][] => {
    const at = line.indexOf("=");
    return at > 0 ? [[line.slice(0, at), line.slice(at + 1).trim()]] : [];
  });
  const every = (key: string) => all.flatMap(([name, value]) => (name === key && value ? [value] : []));
  const last = (key: string) => every(key).at(-1);
  const count = (key: string) => (last(key) === undefined ? undefined : Number(last(key)));
  const disk = last("disk");
  const journald = all.flatMap(([name, value]): [string, string][] =>
    name.startsWith("journald.") ? [[name.slice("journald.".length), value]] : [],
  );
  return {
    apt: every("apt"),
    time: every("time"),
    dns: every("dns"),
    journald: Object.fromEntries(journald),
    logs: { every: last("logs.every"), kept: count("logs.kept"), days: count("logs.days") },
    disk: disk === "encrypted" || disk === "plain" ? disk : undefined,
    sshPassword: last("ssh.password") === undefined ? undefined : last("ssh.password") === "yes",
    unattendedUpgrades: last("updates") === undefined ? undefined : last("updates") !== "0",
  };
}

export function complianceOf(given: Given, say: Say): Compliance {
  const destinations = destinationsOf(given, say);
  const retention = retentionOf(given, say);
  return {
    environment: given.name,
    at: given.at,
    unmeasured: given.unmeasured,
    record: recordOf(given, destinations, retention, say),
    destinations,
    open: openOnes(given, say),
    retention,
    measures: measuresOf(given, say),
    missing: missingKeys(given, destinations),
  };
}
