/**
 * A real sshd (Debian's openssh-server) on a free loopback port, with host keys and authorized keys of its own in a temporary folder.
 * It logs in root, so what a test does through it happens on this machine: tests keep to folders of their own.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { ProviderConfig } from "../../providers/host/src/config";

export interface SshdOptions {
  /** Lines for sshd_config, e.g. "MaxSessions 2". They win over the defaults here. */
  config?: string[];
  /** Types of host keys it has. Default: ["ed25519"]. */
  hostKeys?: ("ed25519" | "ecdsa" | "rsa")[];
}

export interface Sshd {
  port: number;
  /** Folder of this server; removed by stop(). */
  dir: string;
  /** Type → public key line without comment. */
  hostKeys: Record<string, string>;
  /** The private key that it lets in. */
  privateKeyPath: string;
  /** A provider's configuration for it. */
  config(more?: Partial<ProviderConfig>): ProviderConfig;
  log(): string;
  /** TCP connections that said they speak SSH and were let in. */
  logins(): number;
  /** Ends the sessions as well: what runs on a connection loses it. */
  dropConnections(): void;
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const keygen = (file: string, type = "ed25519"): string => {
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "test", "-f", file]);
  return fs.readFileSync(`${file}.pub`, "utf8").split(" ").slice(0, 2).join(" ");
};

export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-sshd-"));
  // sshd reads authorized_keys as the user who logs in.
  fs.chmodSync(dir, 0o711);
  const port = await freePort();
  const hostKeys: Record<string, string> = {};
  for (const type of options.hostKeys ?? ["ed25519"])
    hostKeys[type] = keygen(path.join(dir, `host_${type}`), type);
  const privateKeyPath = path.join(dir, "id_ed25519");
  fs.writeFileSync(path.join(dir, "authorized_keys"), `${keygen(privateKeyPath)}\n`);
  const config = [
    ...(options.config ?? []),
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    ...Object.keys(hostKeys).map((type) => `HostKey ${dir}/host_${type}`),
    `AuthorizedKeysFile ${dir}/authorized_keys`,
    "StrictModes no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "UsePAM no",
    "PidFile none",
    "LogLevel VERBOSE",
    "MaxStartups 100",
  ];
  fs.writeFileSync(path.join(dir, "sshd_config"), `${config.join("\n")}\n`);
  fs.mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const logFile = path.join(dir, "log");
  const out = fs.openSync(logFile, "a");
  const child = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", path.join(dir, "sshd_config")], {
    stdio: ["ignore", out, out],
  });
  fs.closeSync(out);
  await listening(child, logFile);
  const log = (): string => fs.readFileSync(logFile, "utf8");
  return {
    port,
    dir,
    hostKeys,
    privateKeyPath,
    config: (more) => ({
      host: "127.0.0.1",
      port,
      user: "root",
      hostKey: Object.values(hostKeys)[0]!,
      privateKeyPath,
      dialTimeoutSeconds: 10,
      ...more,
    }),
    log,
    logins: () =>
      log()
        .split("\n")
        .filter((line) => line.startsWith("Accepted publickey")).length,
    dropConnections: () => children(child.pid as number).forEach((pid) => end(pid, "SIGKILL")),
    stop: async () => {
      children(child.pid as number).forEach((pid) => end(pid, "SIGTERM"));
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await gone;
      fs.rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A connection's process may end by itself between the look and the signal. */
function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The processes of a server's connections: those that it forked itself. */
function children(pid: number): number[] {
  try {
    return fs
      .readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .split(" ")
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

async function listening(child: ChildProcess, logFile: string): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 50) {
    const log = fs.readFileSync(logFile, "utf8");
    if (log.includes("Server listening")) return;
    if (child.exitCode !== null) throw new Error(`sshd ended with ${child.exitCode}: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("sshd did not listen within 10 s");
}

/** What a test that did not delete its files leaves of records, for files below a folder. */
export function forgetRecords(folder: string): void {
  for (const kind of ["files", "folders"]) {
    const records = path.join("/var/lib/oslo-faas", kind);
    for (const name of fs.existsSync(records) ? fs.readdirSync(records) : []) {
      const record = path.join(records, name);
      const about = kind === "files" ? path.join(record, "path") : record;
      if (fs.existsSync(about) && fs.readFileSync(about, "utf8").startsWith(folder))
        fs.rmSync(record, { recursive: true });
    }
  }
}
