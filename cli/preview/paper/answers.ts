/**
 * Assumed answers of a host, as far as the program reads them. Base and head see the same values, so they never show as a change, and the
 * report says that they were assumed.
 */
import type { HostFacts } from "../../../providers/host/src/resources/facts";

/** A host that passes preflight, with root as the user. */
const FACTS: HostFacts = {
  hostname: "assumed",
  osId: "ubuntu",
  osVersion: "18.04",
  codename: "bionic",
  osName: "Ubuntu 18.04",
  kernel: "4.15.0",
  arch: "amd64",
  cpus: 4,
  memoryMiB: 16384,
  diskFreeMiB: 131072,
  virtualization: "kvm",
  virtualizationKind: "vm",
  systemd: true,
  sudo: "yes",
  user: "assumed",
  overlayfs: "yes",
  vxlan: "yes",
  nfTables: "yes",
  ipTables: "yes",
  ipvs: "yes",
  cgroup: "v1",
  apparmor: true,
  apparmorParser: true,
  defaultInterface: "eth0",
  addresses: [],
  fsyncPerSecond: 1000,
};

/** For the report. */
export const ASSUMED = `${FACTS.osName} on ${FACTS.arch}`;

/** Outputs by type of resource. The password is a placeholder. */
export const ANSWERS: Readonly<Record<string, Record<string, unknown>>> = {
  "host:index:Preflight": { facts: FACTS },
  "host:index:Facts": { facts: FACTS },
  "host:index:Password": { value: "a-password-that-nobody-has" },
  // Without them its plugin sees no difference, and then cannot read the state that it has to update.
  "command:remote:Command": { stdout: "", stderr: "" },
  "command:local:Command": { stdout: "", stderr: "" },
};
