/**
 * Calls of one function without limits, by each way to it: through the front door, through the gateway, and through proxies that go
 * straight to its replica, as a team without a platform would run them. wrk and the peers run in the host's network.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { readLock } from "../components/images/lock";
import { send } from "../lab/calls";
import { type Child, run, start } from "../programs/run";
import type { Platform } from "./ledger";
import { summary } from "./measure";
import { platformOfLab } from "./queue";
import type { Report } from "./report";

const NAME = "bench-call";
const IMAGE = "registry.lab:5000/oslo-faas/hello:dev";
const ROUNDS = 3;
const SECONDS = 5;
const CONNECTIONS = [64, 1000];
const NEEDED = ["wrk", "nginx", "haproxy", "caddy", "go", "nsenter"];

/** Needs the lab up (`npm run up`), root, and the peers on PATH. */
export async function call(): Promise<Report> {
  await checkPrograms();
  const platform = await platformOfLab();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-bench-"));
  const peers: Child[] = [];
  try {
    await deploy(platform);
    const inside = await networkOf(platform);
    const address = await addressOf(platform);
    const ways = await startPeers(folder, inside, address, peers);
    return reportOf(await measure(inside, ways));
  } finally {
    for (const peer of peers) peer.kill("SIGTERM");
    fs.rmSync(folder, { recursive: true, force: true });
    await manage(platform, "DELETE", { functionName: NAME });
    await platform.session.close();
  }
}

async function checkPrograms(): Promise<void> {
  const missing: string[] = [];
  for (const name of NEEDED)
    if ((await run("sh", ["-c", `command -v ${name}`], { limitMs: 10_000 })).problem) missing.push(name);
  if (missing.length > 0)
    throw new Error(`not on PATH: ${missing.join(", ")}; on Debian: apt-get install wrk nginx haproxy caddy`);
}

function manage({ url, user, password }: Platform, method: string, body: object) {
  const login = Buffer.from(`${user}:${password}`).toString("base64");
  const headers = { Authorization: `Basic ${login}`, "Content-Type": "application/json" };
  return send(`${url}/system/functions`, { method, headers, body: Buffer.from(JSON.stringify(body)) });
}

async function deploy(platform: Platform): Promise<void> {
  const image = `${IMAGE}@${readLock(platform.lab.imagesLock)[IMAGE]}`;
  // Scaled by no alert: one replica throughout.
  const labels = { "com.openfaas.scale.factor": "0" };
  const { status, body } = await manage(platform, "POST", { service: NAME, image, labels });
  if (status !== 202) throw new Error(`deploying ${NAME}: ${status} ${body.toString()}`);
  for (let i = 0; i < 120; i++) {
    if ((await send(`${platform.url}/function/${NAME}`, {})).status === 200) break;
    await new Promise((next) => setTimeout(next, 500));
  }
  // The edge is told of it within half a second.
  await new Promise((next) => setTimeout(next, 2000));
}

/** A command's beginning that puts it into the network of the lab's host. */
async function networkOf({ lab }: Platform): Promise<string[]> {
  const args = ["inspect", "-f", "{{.State.Pid}}", lab.container];
  const { stdout, problem } = await run("docker", args, { limitMs: 30_000 });
  if (problem) throw new Error(`docker inspect ${problem}`);
  return ["nsenter", "-n", "-t", stdout.trim()];
}

/** The replica as the host itself reaches it. */
async function addressOf({ session }: Platform): Promise<string> {
  const script = `id=$(docker ps -q --no-trunc --filter label=com.docker.swarm.service.name=${NAME} | head -n 1)
docker network inspect docker_gwbridge -f "{{(index .Containers \\"$id\\").IPv4Address}}"`;
  const { stdout } = await session.run(script, { step: "find the replica", timeoutSeconds: 30 });
  return stdout.trim().split("/")[0]!;
}

/** @returns URL by the way's name */
async function startPeers(
  folder: string,
  inside: string[],
  address: string,
  peers: Child[],
): Promise<Record<string, string>> {
  const file = (name: string, text: string) => {
    fs.writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  const peer = (...command: string[]) => {
    const [program, ...args] = [...inside, ...command];
    peers.push(start(program!, args, { stdio: "ignore", env: { ...process.env, HOME: folder } }));
  };
  const to = `${address}:8080`;
  peer("nginx", "-g", "daemon off;", "-c", file("straight.conf", nginx(folder, 9001, to)));
  peer("nginx", "-g", "daemon off;", "-c", file("gateway.conf", nginx(folder, 9002, "127.0.0.1:8080")));
  peer("haproxy", "-db", "-f", file("haproxy.cfg", haproxy(9003, to)));
  const caddyfile = file(
    "Caddyfile",
    `{\n admin off\n auto_https off\n}\nhttp://:9004 {\n reverse_proxy ${to}\n}\n`,
  );
  peer("caddy", "run", "--adapter", "caddyfile", "--config", caddyfile);
  const built = await run("go", ["build", "-o", path.join(folder, "peer"), "."], {
    limitMs: 300_000,
    cwd: path.join(__dirname, "peer"),
  });
  if (built.problem) throw new Error(`go build ${built.problem}:\n${built.output}`);
  peer(path.join(folder, "peer"), ":9005", to);
  await new Promise((next) => setTimeout(next, 2000));
  const local = (port: number, rest = "/") => `http://127.0.0.1:${port}${rest}`;
  return {
    "the function alone": `http://${to}/`,
    "Nginx straight to it": local(9001),
    "the front door": local(80, `/function/${NAME}`),
    "Nginx, stock gateway": local(9002, `/function/${NAME}`),
    "the stock gateway": local(8080, `/function/${NAME}`),
    "HAProxy straight to it": local(9003),
    "Caddy straight to it": local(9004),
    "a Go proxy straight to it": local(9005),
  };
}

/** As tuned here, without what a platform needs besides. */
const nginx = (folder: string, port: number, to: string): string => `worker_processes auto;
worker_rlimit_nofile 20000;
pid ${folder}/nginx-${port}.pid;
error_log ${folder}/nginx-${port}.log;
events { worker_connections 10240; use epoll; multi_accept on; }
http {
  access_log ${folder}/nginx-${port}-access.log combined buffer=64k flush=5s;
  sendfile on; tcp_nopush on;
  upstream function { server ${to}; keepalive 64; }
  server {
    listen ${port} backlog=4096;
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_read_timeout 300s;
    location / { proxy_pass http://function; }
  }
}
`;

const haproxy = (port: number, to: string): string => `global
  maxconn 9000
defaults
  mode http
  timeout connect 3s
  timeout client 300s
  timeout server 300s
frontend in
  bind :${port}
  default_backend function
backend function
  server replica ${to}
`;

/** Requests a second, by way and connections. Ways take turns, so that noise meets all of them. */
async function measure(inside: string[], ways: Record<string, string>): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++)
    for (const connections of CONNECTIONS)
      for (const [way, url] of Object.entries(ways)) {
        const args = ["wrk", "-t", "1", "-c", String(connections), "-d", `${SECONDS}s`, url];
        const { stdout, problem } = await run(inside[0]!, [...inside.slice(1), ...args], { limitMs: 60_000 });
        if (problem) throw new Error(`wrk ${problem}`);
        const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
        const errors = /Socket errors:.*|Non-2xx.*/.exec(stdout)?.[0];
        if (errors) process.stderr.write(`${way}, ${connections} connections: ${errors}\n`);
        const key = `${way}, ${connections}`;
        found.set(key, [...(found.get(key) ?? []), rate]);
      }
  return found;
}

function reportOf(found: Map<string, number[]>): Report {
  const rows = [...found].map(([name, values]) => summary(name, values, "calls/s"));
  const median = (way: string, connections: number) =>
    rows.find(({ name }) => name === `${way}, ${connections}`)!.median;
  const compared = [
    "Nginx straight to it",
    "Nginx, stock gateway",
    "Caddy straight to it",
    "a Go proxy straight to it",
  ];
  const ratios = CONNECTIONS.flatMap((connections) =>
    compared.map((way): [string, number] => [
      `the front door against ${way}, ${connections} connections`,
      median("the front door", connections) / median(way, connections),
    ]),
  );
  const load = os.loadavg().map((value) => value.toFixed(1));
  const title = `Calls of a function, by way and connections (load ${load.join(", ")} on ${os.cpus().length} cores)`;
  return { title, rows, ratios: Object.fromEntries(ratios) };
}
