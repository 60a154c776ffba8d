/** Debian's Nginx with the rendered configuration, as it is on a host but for its port and its files. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { ACME_FOLDER } from "../../components/nginx/certificate";
import { renderNginxConf } from "../../components/nginx/render";
import { parseEnvironment } from "../../environment/parse";
import { freePort } from "./sshd";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";

export interface RunningNginx {
  /** Its logs and its configuration. */
  dir: string;
  port: number;
  /** Where it serves TLS, if it does. */
  tlsPort: number;
  stop(): Promise<void>;
}

/** @param settings as below `nginx` in an environment */
export async function startNginx(
  gatewayPort: number,
  settings: (dir: string) => object = () => ({}),
): Promise<RunningNginx> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-nginx-"));
  const [port, tlsPort] = [await freePort(), await freePort()];
  const env = parseEnvironment({
    host: { address: "198.51.100.7", hostKey: KEY },
    nginx: {
      ipv6: false,
      httpPort: port,
      httpsPort: tlsPort,
      backlog: 128,
      user: "www-data",
      ...settings(dir),
    },
  });
  const conf = renderNginxConf({ nginx: env.nginx, gatewayPort, openFiles: 20_000, asyncBody: "10k" });
  const own = conf
    .replaceAll("/var/log/nginx/", `${dir}/`)
    .replaceAll(ACME_FOLDER, `${dir}/acme`)
    .replace("/run/nginx.pid", `${dir}/pid`);
  fs.writeFileSync(path.join(dir, "nginx.conf"), own.replace("10240;", "512;"));
  const nginx = spawn("nginx", ["-c", path.join(dir, "nginx.conf"), "-g", "daemon off;"], {
    stdio: "inherit",
  });
  const stop = async () => {
    const gone = new Promise((done) => nginx.once("exit", done));
    if (nginx.kill("SIGTERM")) await gone;
    fs.rmSync(dir, { recursive: true, force: true });
  };
  for (let i = 0; i < 200; i++) {
    if (await answers(port)) return { dir, port, tlsPort, stop };
    await new Promise((next) => setTimeout(next, 50));
  }
  await stop();
  throw new Error("nginx does not answer");
}

const answers = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("error", () => done(false)).once("connect", () => (socket.destroy(), done(true)));
  });
