/**
 * What a host would answer where nobody asks one. Only what the program reads further is here: with it, the rest of the program can be
 * worked out. Base and head see the same values, so none of them is ever a change, and the report says that they were assumed.
 */
import type { HostFacts } from "../../../providers/host/src/resources/facts";

/** The project's default release, as root, on a machine that passes preflight. */
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

/** For people: what was assumed of a host that was not asked. */
export const ASSUMED = `${FACTS.osName} on ${FACTS.arch}`;

/** Outputs by type of resource. A password is one that nobody has; its place is what counts. */
export const ANSWERS: Readonly<Record<string, Record<string, unknown>>> = {
  "host:index:Preflight": { facts: FACTS },
  "host:index:Facts": { facts: FACTS },
  "host:index:Password": { value: "a-password-that-nobody-has" },
  // Its plugin sees no difference without them, and then cannot read the state that it is to update.
  "command:remote:Command": { stdout: "", stderr: "" },
  "command:local:Command": { stdout: "", stderr: "" },
};
