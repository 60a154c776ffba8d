/** The engine's configuration, as a pure function of plain values. */
import { cliPackage } from "../../providers/host/src/releases";

export interface DaemonValues {
  logMaxSize: string;
  logMaxFiles: number;
  registryMirrors: string[];
  insecureRegistries: string[];
  openFiles: number;
  mtu?: number;
  bip?: string;
  defaultAddressPools: { base: string; size: number }[];
}

/** Settings that the engine takes over on a reload (SIGHUP); every other one needs a restart. */
const RELOADABLE = ["registry-mirrors", "insecure-registries"];

/**
 * daemon.json. No `live-restore`: the engine refuses it in a swarm. `default-ulimits` because engines from 29 on give a
 * container 1,024 open files.
 */
export function daemonConfig(values: DaemonValues): Record<string, unknown> {
  return {
    "log-driver": "json-file",
    "log-opts": { "max-size": values.logMaxSize, "max-file": String(values.logMaxFiles) },
    "default-ulimits": { nofile: { Name: "nofile", Soft: values.openFiles, Hard: values.openFiles } },
    ...(values.bip ? { bip: values.bip } : {}),
    ...(values.defaultAddressPools.length > 0 ? { "default-address-pools": values.defaultAddressPools } : {}),
    ...(values.mtu ? { mtu: values.mtu } : {}),
    ...(values.registryMirrors.length > 0 ? { "registry-mirrors": values.registryMirrors } : {}),
    ...(values.insecureRegistries.length > 0 ? { "insecure-registries": values.insecureRegistries } : {}),
  };
}

export function renderDaemonJson(values: DaemonValues): string {
  return JSON.stringify(daemonConfig(values), null, 2) + "\n";
}

/** The part of daemon.json whose change needs a restart of the engine, as one value to compare. */
export function restartKey(values: DaemonValues): string {
  return JSON.stringify(Object.entries(daemonConfig(values)).filter(([key]) => !RELOADABLE.includes(key)));
}

/** dockerd checks a file itself from release 23 on; older ones cannot. What is rendered is JSON in any case. */
export const VALIDATE_DAEMON_JSON =
  "if command -v dockerd >/dev/null && dockerd --help | grep -q -- --validate; then dockerd --validate --config-file %s; fi";

/** The distribution's own: docker.io, and the package with the command `docker` where that is another one. */
export function distroPackages({ osId, osVersion }: { osId: string; osVersion: string }): string[] {
  const cli = cliPackage(osId, osVersion);
  return ["docker.io", ...(cli ? [cli] : [])];
}

/** Docker's packages to hold, each with its version as the resource `Packages` writes it. */
export function dockerPackages(version?: string): string[] {
  const pin = version ? `=${version}` : "";
  return [`docker-ce${pin}`, `docker-ce-cli${pin}`, "containerd.io"];
}

/** Not held, for they get security updates. Where AppArmor is on in the kernel and its tools are missing, no container starts. */
export const ENGINE_NEEDS = ["apparmor"];
