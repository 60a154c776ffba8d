/**
 * The releases this project supports, in one table: what preflight accepts, the codename of apt sources, and the range of Docker
 * Engine versions that Docker publishes for each. Preflight reads it.
 */
export interface Release {
  /** ID in /etc/os-release: "ubuntu" or "debian". */
  id: string;
  /** VERSION_ID in /etc/os-release. */
  version: string;
  codename: string;
  /**
   * Range of docker-ce in Docker's own repository; max absent: still published. An engine below 20.10.10 answers clone3 with EPERM, and
   * then no program with glibc 2.34 or later starts a thread: the base images of functions have it.
   */
  engine: { min: string; max?: string };
  /** Its package docker.io leaves the command `docker` to this one, and only recommends it. */
  cliPackage?: string;
  /** Said by preflight, which goes on. */
  warning?: string;
}

export const RELEASES: readonly Release[] = [
  {
    id: "ubuntu",
    version: "18.04",
    codename: "bionic",
    // Docker stopped packaging for 18.04 in June 2023 (docker-ce-packaging pull request 911), in the 24.0 line.
    engine: { min: "20.10.10", max: "24.0" },
    warning:
      "Ubuntu 18.04 is past its free support (May 2023): it gets security updates with Ubuntu Pro (ESM) only, and Docker Engine ends at 24.0. Plan the move to 22.04 or 24.04",
  },
  {
    id: "ubuntu",
    version: "20.04",
    codename: "focal",
    // docker-ce-packaging pull request 1200, May 2025.
    engine: { min: "20.10.10", max: "28.1" },
    warning:
      "Ubuntu 20.04 is past its free support (May 2025): it gets security updates with Ubuntu Pro (ESM) only, and Docker Engine ends at 28.1",
  },
  { id: "ubuntu", version: "22.04", codename: "jammy", engine: { min: "20.10.10" } },
  { id: "ubuntu", version: "24.04", codename: "noble", engine: { min: "26.0" } },
  // By date: the engines that were current when Docker began to publish for these releases.
  { id: "ubuntu", version: "26.04", codename: "resolute", engine: { min: "29.3" } },
  { id: "debian", version: "12", codename: "bookworm", engine: { min: "24.0" } },
  { id: "debian", version: "13", codename: "trixie", engine: { min: "28.1" }, cliPackage: "docker-cli" },
];

/** The table's row for a host, or undefined where the release is not in it. Example: `findRelease("ubuntu", "18.04")`. */
export function findRelease(id: string, version: string): Release | undefined {
  return RELEASES.find((release) => release.id === id && release.version === version);
}

/** A negative number where version `a` is the earlier one, by its numbers: 9.10 comes after 9.9. */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [a.split(".").map(Number), b.split(".").map(Number)];
  const at = [0, 1, 2].find((i) => (one[i] ?? 0) !== (other[i] ?? 0));
  return at === undefined ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}

/**
 * The package that brings the command `docker` where docker.io does not: as the table says, and for a later Debian as for the last one
 * in it. Debian's development release has no version.
 */
export function cliPackage(id: string, version: string): string | undefined {
  const row = findRelease(id, version);
  if (row) return row.cliPackage;
  const last = RELEASES.filter((release) => release.id === id).at(-1);
  return last && (version === "" || compareVersions(version, last.version) > 0) ? last.cliPackage : undefined;
}

/** "Ubuntu 18.04, Ubuntu 20.04, Debian 12", for messages. */
export function describeReleases(releases: readonly { id: string; version: string }[]): string {
  return releases
    .map(({ id, version }) => `${id.charAt(0).toUpperCase()}${id.slice(1)} ${version}`)
    .join(", ");
}
