/** A real HAProxy under the configuration that is rendered, told by the provider's own code, with replicas and a gateway behind it. */
import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { EDGE_USER, EMPTY_MAP, renderEdge } from "../../components/openfaas/edge";
import { ADMIN_SOCKET, REPLICA_MAP } from "../../shared/edge";
import { Edge } from "../../services/swarm-provider/src/edge";
import { listenForCalls } from "../../services/swarm-provider/src/edge/calls";
import { ANNOTATION_PREFIX, FUNCTION_LABEL } from "../../services/swarm-provider/src/deployment";
import type { ServiceRecord, TaskRecord } from "../../services/swarm-provider/src/records";
import { unpackedPackages } from "./debian";

const LIBRARIES = ["liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1", "libpcre2-8-0"];
const NETWORK = "openfaas-fn";

/** What a test has and sets, made anew for each. */
/** Port 8080 is fixed: addresses of this worker's own, as several files run at the same time. */
export const LOOPBACK = `127.0.${100 + Number(process.env.JEST_WORKER_ID ?? 1)}`;

export const bed = {} as {
  dir: string;
  program: { file: string; libraries: string };
  haproxy: ChildProcess;
  edge: Edge;
  /** "NAME STATUS" of each call that the edge counted. */
  calls: string[];
  counter: net.Server;
  now: number;
  /** Addresses of ready replicas, by function. */
  replicas: Record<string, string[]>;
  zero: Set<string>;
  /** By function. */
  annotations: Record<string, Record<string, string>>;
};
const servers: http.Server[] = [];
/** Calls of /held, which wait for the test to answer. */
export const held: http.ServerResponse[] = [];
/** What the gateway does not take. */
export const WRONG_LOGIN = "Basic wrong";

export interface Seen {
  who: string;
  method: string;
  url: string;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** A replica, the gateway or the queue's intake: says what it was asked. */
async function serve(who: string, at: net.ListenOptions): Promise<http.Server> {
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method, url, headers } = request;
      if (url === "/break") return void request.socket.destroy();
      if (url === "/held") return void held.push(response);
      if (headers.authorization === WRONG_LOGIN) response.statusCode = 401;
      response.setHeader("X-Own", "as it was");
      response.end(JSON.stringify({ who, method, url, headers, body: Buffer.concat(chunks).toString() }));
    });
  });
  server.on("upgrade", (_request, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
    socket.pipe(socket);
  });
  await new Promise<void>((done, fail) => server.once("error", fail).listen({ backlog: 4096, ...at }, done));
  servers.push(server);
  return server;
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
  seen?: Seen;
}

export function call(url: string, options: http.RequestOptions = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socketPath = path.join(bed.dir, "door/edge.sock");
    const request = http.request({ socketPath, path: url, agent: false, ...options }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.once("error", reject).once("end", () => {
        const seen = text.startsWith("{") ? (JSON.parse(text) as Seen) : undefined;
        resolve({ status: response.statusCode!, headers: response.headers, text, seen });
      });
    });
    request.once("error", reject).end(body);
  });
}

/** As in its container: as nobody, in root's group. Without root's rights it runs as whoever tests. */
export function startHaproxy(): ChildProcess {
  const env = { ...process.env, LD_LIBRARY_PATH: bed.program.libraries };
  const user = process.getuid?.() === 0 ? { uid: Number(EDGE_USER), gid: 0 } : {};
  const args = ["-W", "-db", "-f", path.join(bed.dir, "haproxy.cfg")];
  return spawn(bed.program.file, args, { env, stdio: "ignore", ...user });
}

export async function until(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (await is()) return;
    await new Promise((next) => setTimeout(next, 100));
  }
  throw new Error(`waited for ${what} in vain`);
}

export const isReachable = () =>
  call("/").then(
    () => true,
    () => false,
  );

const service = (name: string): ServiceRecord => ({
  ID: `id-${name}`,
  Version: { Index: 1 },
  CreatedAt: "2026-01-01T00:00:00Z",
  Spec: {
    Name: name,
    Labels: {
      [FUNCTION_LABEL]: name,
      ...Object.fromEntries(
        Object.entries(bed.annotations[name] ?? {}).map(([key, value]) => [
          `${ANNOTATION_PREFIX}${key}`,
          value,
        ]),
      ),
    },
    Mode: { Replicated: { Replicas: bed.zero.has(name) ? 0 : bed.replicas[name]!.length } },
  },
});
const task = (name: string, address: string): TaskRecord => ({
  ID: `${name}-${address}`,
  ServiceID: `id-${name}`,
  DesiredState: "running",
  Status: { State: "running" },
  NetworksAttachments: [{ Network: { Spec: { Name: NETWORK } }, Addresses: [`${address}/24`] }],
});

/** @param access what holds for functions that say nothing */
export function configure(
  access: "public" | "internal",
  limits: { maxConcurrent?: number; failedLogins?: number; upstreamTimeout?: string } = {},
): void {
  fs.writeFileSync(path.join(bed.dir, "replicas.map"), EMPTY_MAP);
  const config = renderEdge({
    upstreamTimeout: "2s",
    access,
    maxConcurrent: 1500,
    failedLogins: 10,
    ...limits,
  })
    .replace("fd-hard-limit 40000", "fd-hard-limit 10000")
    .replaceAll(/server gateway gateway:8080.*/g, `server gateway ${LOOPBACK}.1:8080`)
    .replaceAll("/run/edge/", `${bed.dir}/run/`)
    .replaceAll("/door/", `${bed.dir}/door/`)
    .replaceAll(REPLICA_MAP, `${bed.dir}/replicas.map`);
  fs.writeFileSync(path.join(bed.dir, "haproxy.cfg"), config);
}

export async function restart(): Promise<void> {
  const gone = new Promise((done) => bed.haproxy.once("exit", done));
  bed.haproxy.kill("SIGTERM");
  await gone;
  bed.haproxy = startHaproxy();
  await until("HAProxy", isReachable);
}

/** Of a file of tests. */
export function useBed(): void {
  beforeAll(async () => {
    const folder = unpackedPackages("haproxy", ...LIBRARIES);
    fs.chmodSync(folder, 0o755);
    bed.program = {
      file: path.join(folder, "usr/sbin/haproxy"),
      libraries: path.join(folder, "usr/lib", `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`),
    };
    await serve("gateway", { host: `${LOOPBACK}.1`, port: 8080 });
    for (const host of [`${LOOPBACK}.2`, `${LOOPBACK}.3`]) await serve(host, { host, port: 8080 });
  }, 400_000);

  beforeEach(async () => {
    bed.dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-edge-"));
    fs.chmodSync(bed.dir, 0o755);
    for (const name of ["run", "door", "door/intake"]) {
      fs.mkdirSync(path.join(bed.dir, name));
      fs.chmodSync(path.join(bed.dir, name), name === "door/intake" ? 0o755 : 0o770);
    }
    const intake = path.join(bed.dir, "door/intake/intake.sock");
    await serve("intake", { path: intake, readableAll: true, writableAll: true });
    configure("public");
    bed.calls = [];
    bed.replicas = {};
    bed.annotations = {};
    bed.zero = new Set();
    bed.now = Date.now();
    bed.counter = await listenForCalls(`${bed.dir}/run/calls.sock`, (name, code) =>
      bed.calls.push(`${name} ${code}`),
    );
    const engine = {
      listFunctions: async () => Object.keys(bed.replicas).map(service),
      listRunningTasks: async () =>
        Object.entries(bed.replicas).flatMap(([name, hosts]) => hosts.map((host) => task(name, host))),
    };
    const log = { info: () => undefined, warn: () => undefined };
    bed.edge = new Edge(
      engine,
      { ready: async (tasks) => tasks },
      { asReported: (one) => one },
      {
        socket: `${bed.dir}/run/${ADMIN_SOCKET}`,
        map: `${bed.dir}/replicas.map`,
        accessMaps: { access: `${bed.dir}/run/access.map`, networks: `${bed.dir}/run/networks.map` },
        network: NETWORK,
        log,
      },
      () => bed.now,
    );
    await bed.edge.prepare();
    bed.haproxy = startHaproxy();
    await until("HAProxy", isReachable);
  });

  afterEach(async () => {
    bed.counter.close();
    const gone = new Promise((done) => bed.haproxy.once("exit", done));
    bed.haproxy.kill("SIGTERM");
    await gone;
    fs.rmSync(bed.dir, { recursive: true });
  });
  afterAll(() => servers.forEach((server) => server.close()));
}
