/** What the lab takes over from the machine it runs on. Reads files and `apt-config`; changes nothing. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runSync } from "../programs/run";
import {
  type AptSource,
  debianSources,
  httpProxy,
  keyringsOf,
  parseSources,
  reachingSettings,
  renderSources,
} from "./apt";

export interface HostFile {
  path: string;
  content: string | Buffer;
  mode: number;
  /** Numeric owner and group. Default: root. */
  uid?: number;
}

const LOCAL_CERTIFICATES = "/usr/local/share/ca-certificates";

/** The machine's Debian sources, for `release`; empty if the machine does not run Debian. */
export function machineSources(release: string): AptSource[] {
  const codename = debianCodename();
  if (!codename) return [];
  const folder = "/etc/apt/sources.list.d";
  const files = existsSync(folder)
    ? readdirSync(folder)
        .sort()
        .map((name) => join(folder, name))
    : [];
  const all = ["/etc/apt/sources.list", ...files]
    .filter((file) => /\.(list|sources)$/.test(file) && existsSync(file))
    .flatMap((file) => parseSources(file, readFileSync(file, "utf8")));
  return debianSources(all, codename, release);
}

function debianCodename(): string | undefined {
  if (!existsSync("/etc/os-release")) return undefined;
  const text = readFileSync("/etc/os-release", "utf8");
  return /^ID=debian$/m.test(text) ? /^VERSION_CODENAME=(\w+)$/m.exec(text)?.[1] : undefined;
}

function aptDump(): string {
  try {
    return runSync("apt-config", ["dump"], { limitMs: 10_000 });
  } catch {
    return ""; // A machine without apt: the host's own settings are all there is.
  }
}

/** The proxy through which apt reaches http archives, if there is one. */
export function machineProxy(): string | undefined {
  return httpProxy(aptDump());
}

/** Files to put into the host. `sources` is false where the host is another distribution and keeps its own. */
export function machineFiles(release: string, sources: boolean): HostFile[] {
  const files: HostFile[] = [];
  const settings = reachingSettings(aptDump());
  if (settings) files.push({ path: "/etc/apt/apt.conf.d/99machine", content: settings, mode: 0o644 });
  const found = sources ? machineSources(release) : [];
  if (found.length > 0) {
    files.push({ path: "/etc/apt/sources.list", content: "", mode: 0o644 });
    files.push({
      path: "/etc/apt/sources.list.d/machine.sources",
      content: renderSources(found),
      mode: 0o644,
    });
    for (const keyring of keyringsOf(found).filter((file) => existsSync(file))) {
      files.push({ path: keyring, content: readFileSync(keyring), mode: 0o644 });
    }
  }
  return [...files, ...certificates()];
}

/** Authorities that this machine was told to trust beyond the usual ones (a company's proxy). */
function certificates(): HostFile[] {
  if (!existsSync(LOCAL_CERTIFICATES)) return [];
  return readdirSync(LOCAL_CERTIFICATES)
    .filter((name) => name.endsWith(".crt"))
    .sort()
    .map((name) => join(LOCAL_CERTIFICATES, name))
    .map((path) => ({ path, content: readFileSync(path), mode: 0o644 }));
}

/**
 * The largest packet that leaves this machine: the MTU of the default route's interface, 1500 where that cannot be told.
 * Docker's networks take 1500 whatever the machine has; behind a smaller one, large answers then vanish wherever path MTU
 * discovery is filtered, and downloads inside the host hang.
 */
export function machineMtu(
  routes = read("/proc/net/route"),
  mtuOf = (name: string) => read(`/sys/class/net/${name}/mtu`),
): number {
  for (const line of routes.split("\n").slice(1)) {
    const [name, destination] = line.split(/\s+/);
    const mtu = destination === "00000000" && name ? Number(mtuOf(name)) : NaN;
    if (Number.isInteger(mtu) && mtu >= 576) return Math.min(mtu, 1500);
  }
  return 1500;
}

/** Bit 24 of the bounding set: without it Docker refuses --privileged, and the host gets every other capability instead. */
export function canBePrivileged(status = read("/proc/self/status")): boolean {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return bounding !== undefined && (BigInt(`0x${bounding}`) & (1n << 24n)) !== 0n;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
