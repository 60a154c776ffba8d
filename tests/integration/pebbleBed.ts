/** pebble, Let's Encrypt's ACME server for tests, with a name server that answers 127.0.0.1 for every name. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { buildGoTools } from "./goProgram";
import { freePort } from "./sshd";

export interface Pebble {
  dir: string;
  directory: string;
  /** File with the certificate that the directory shows. */
  ca: string;
  /** Makes the name server fail for a name. */
  lose(name: string): Promise<void>;
  /** The certificate that its own are signed by, in PEM. */
  root(): Promise<string>;
  stop(): Promise<void>;
}

export const BLOCKED = "blocked.example.no";

/** @param httpPort where it asks for answers to HTTP-01 @param accounts keys of external accounts by identifier; one is required */
export async function startPebble(httpPort: number, accounts: Record<string, string>): Promise<Pebble> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-pebble-"));
  buildGoTools(path.join(__dirname, "pebble"), dir);
  const [listen, management, dns, dnsManagement] = await Promise.all(Array.from({ length: 4 }, freePort));
  const [key, ca] = [path.join(dir, "key.pem"), path.join(dir, "ca.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject];
  execFileSync("openssl", [...made, "-keyout", key, "-out", ca], { stdio: "ignore" });
  const settings = {
    listenAddress: `127.0.0.1:${listen}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: ca,
    privateKey: key,
    httpPort,
    tlsPort: httpPort,
    externalAccountBindingRequired: true,
    externalAccountMACKeys: accounts,
    domainBlocklist: [BLOCKED],
    retryAfter: { authz: 1, order: 1 },
  };
  fs.writeFileSync(path.join(dir, "pebble.json"), JSON.stringify({ pebble: settings }));
  const names = [
    "-dns01",
    `127.0.0.1:${dns}`,
    "-management",
    `127.0.0.1:${dnsManagement}`,
    "-defaultIPv6",
    "",
  ];
  const none = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", ""];
  const children = [
    spawn(path.join(dir, "pebble-challtestsrv"), [...names, ...none], { stdio: "ignore" }),
    spawn(
      path.join(dir, "pebble"),
      ["-config", path.join(dir, "pebble.json"), "-dnsserver", `127.0.0.1:${dns}`],
      {
        stdio: "ignore",
        env: { ...process.env, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0" },
      },
    ),
  ];
  const stop = async () => {
    await Promise.all(children.map(ended));
    fs.rmSync(dir, { recursive: true, force: true });
  };
  const ask = (url: string) => execFileSync("curl", ["-sfk", "-m", "10", url], { encoding: "utf8" });
  const root = () => Promise.resolve(ask(`https://127.0.0.1:${management}/roots/0`));
  const lose = async (host: string) => {
    const body = JSON.stringify({ host });
    await fetch(`http://127.0.0.1:${dnsManagement}/set-servfail`, { method: "POST", body });
  };
  for (let i = 0; i < 200; i++) {
    try {
      ask(`https://127.0.0.1:${listen}/dir`);
      await fetch(`http://127.0.0.1:${dnsManagement}/`);
      return { dir, directory: `https://127.0.0.1:${listen}/dir`, ca, lose, root, stop };
    } catch {
      await new Promise((next) => setTimeout(next, 50));
    }
  }
  await stop();
  throw new Error("pebble does not answer");
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((done) => child.once("exit", done));
  if (child.kill("SIGTERM")) await gone;
}
