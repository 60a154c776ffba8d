/** An engine of its own in swarm mode, the provider as a service of it, and a way to talk to that provider. */
import { randomBytes } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { request, type IncomingMessage, type RequestOptions } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import { type Child, runSync, start } from "../../programs/run";
import { probeName } from "../../services/swarm-provider/src/probe";

export const IMAGE = "provider-test:1";
export const NETWORK = "openfaas-fn";
export const USER = "admin";
export const PASSWORD = "canary-5f1c9d";

/** Says why it gave up, with what it saw last. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | false | undefined>,
  limitMs = 60_000,
): Promise<T> {
  const end = Date.now() + limitMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await ask();
      if (value !== false && value !== undefined) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`waited ${limitMs / 1000} s for ${what}; last: ${String(last)}`);
    await sleep(100);
  }
}

/** One of this machine's programs, with the libraries it is linked to, into the folder of an image. */
export function copyProgram(root: string, program: string, to: string): void {
  const libraries = runSync("ldd", [program]).match(/\/\S+(?= \()/g) ?? [];
  const copy = (file: string, target: string) => {
    mkdirSync(join(root, dirname(target)), { recursive: true });
    cpSync(realpathSync(file), join(root, target));
  };
  for (const file of libraries) copy(file, file);
  copy(program, to);
}

export class Testbed {
  private constructor(
    readonly dir: string,
    private readonly supervisor: Child,
    readonly docker: Docker,
  ) {}

  private relay?: Child;

  static async start(): Promise<Testbed> {
    const dir = mkdtempSync(join(tmpdir(), "swarm-provider-"));
    const script = join(__dirname, "engine.sh");
    const name = `oslo-faas-test-${randomBytes(4).toString("hex")}`;
    // Its end of the pipe closes when this process ends, however it ends: the script then clears everything away.
    const supervisor = start("sh", [script, dir, name], {
      stdio: ["pipe", "inherit", "inherit"],
      group: true,
    });
    const docker = new Docker({ socketPath: join(dir, "docker.sock") });
    const bed = new Testbed(dir, supervisor, docker);
    try {
      await until("the test's engine", async () => Boolean(await docker.ping()), 60_000);
    } catch (error) {
      const log = join(dir, "dockerd.log");
      const text = existsSync(log) ? readFileSync(log, "utf8").slice(-2000) : "(no log)";
      await bed.stop();
      throw new Error(`the test's engine did not start\n${text}`, { cause: error });
    }
    return bed;
  }

  /** In swarm mode, with the functions' image and the provider. */
  static async withProvider(): Promise<Testbed> {
    const bed = await Testbed.start();
    try {
      await bed.importImage();
      await bed.startSwarm();
      await bed.startProvider();
      return bed;
    } catch (error) {
      await bed.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.relay?.stdin?.end();
    const ended = new Promise((done) => this.supervisor.once("exit", done));
    this.supervisor.stdin?.end();
    await ended;
  }

  /** One image for provider and functions: this machine's Node and its libraries, and nothing else. */
  async importImage(): Promise<void> {
    const root = join(this.dir, "root");
    for (const folder of ["app", "tmp", "etc"]) mkdirSync(join(root, folder), { recursive: true });
    copyProgram(root, process.execPath, "bin/node");
    cpSync(join(__dirname, "function.cjs"), join(root, "app/function.cjs"));
    writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/:/bin/false\n");
    const build = join(__dirname, "../../services/build.mjs");
    runSync(process.execPath, [build, "swarm-provider", join(root, "app")]);
    await this.importFolder(root, IMAGE, ['CMD ["/bin/node", "/app/function.cjs"]', "ENV PATH=/bin"]);
  }

  /** A folder as an image of one layer, under a name with its tag. */
  async importFolder(root: string, name: string, changes: string[]): Promise<void> {
    const [repo, tag] = name.split(":");
    const tar = start("tar", ["-C", root, "-c", "."], { stdio: ["ignore", "pipe", "inherit"] });
    const progress = await this.docker.importImage(tar.stdout!, { repo, tag, changes });
    await new Promise((done, fail) =>
      this.docker.modem.followProgress(progress, (e) => (e ? fail(e) : done(0))),
    );
  }

  async startSwarm(): Promise<void> {
    await this.docker.swarmInit({ ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1" });
    for (const Name of [NETWORK, "core"]) await this.docker.createNetwork({ Name, Driver: "overlay" });
  }

  /** The provider as the stack runs it: on both networks, with the engine's socket and the gateway's credentials. */
  async startProvider(env: Record<string, string> = {}): Promise<void> {
    const secrets = await Promise.all([
      this.secret("basic-auth-user", USER),
      this.secret("basic-auth-password", PASSWORD),
    ]);
    const all = {
      functions_network: NETWORK,
      basic_auth: "true",
      write_timeout: "20s",
      probe_volume: "probes",
      // No gateway here: every call comes through the provider.
      gateway_metrics_url: "none",
      reconcile_interval: "1s",
      placement_timeout: "5s",
      log_level: "debug",
      ...env,
    };
    const healthcheck = ["CMD", `/probe/${probeName()}`, "8080", "4", "/healthz"];
    await this.docker.createService({
      Name: "swarm-provider",
      TaskTemplate: {
        ContainerSpec: {
          Image: IMAGE,
          Command: ["/bin/node", "/app/provider.cjs"],
          Env: Object.entries(all).map(([key, value]) => `${key}=${value}`),
          Mounts: [
            { Type: "bind", Source: join(this.dir, "docker.sock"), Target: "/var/run/docker.sock" },
            { Type: "volume", Source: "probes", Target: "/probe" },
          ],
          Secrets: secrets,
          HealthCheck: { Test: healthcheck, Interval: 1e9, Timeout: 5e9, Retries: 5, StartPeriod: 10e9 },
        },
        Networks: [{ Target: "core" }, { Target: NETWORK }],
      },
      EndpointSpec: {
        Mode: "dnsrr",
        Ports: [{ Protocol: "tcp", TargetPort: 8080, PublishedPort: 8080, PublishMode: "host" }],
      },
    });
    this.startRelay();
    await until("the provider", async () => (await this.call("GET", "/healthz")).status === 200, 90_000);
  }

  /** A swarm's service that is not a function, as the stack has several. */
  async startOther(name: string): Promise<string> {
    const TaskTemplate = { ContainerSpec: { Image: IMAGE }, Networks: [{ Target: NETWORK }] };
    const service = await this.docker.createService({
      Name: name,
      TaskTemplate,
      EndpointSpec: { Mode: "dnsrr" },
    });
    return service.id;
  }

  private async secret(name: string, value: string) {
    const { id } = (await this.docker.createSecret({
      Name: name,
      Data: Buffer.from(value).toString("base64"),
    })) as { id: string };
    return { SecretID: id, SecretName: name, File: { Name: name, UID: "0", GID: "0", Mode: 0o444 } };
  }

  /** From a unix socket in the file system, which is shared, to a port in the engine's network, which is not. */
  private startRelay(): void {
    const code = `
      const net = require("node:net");
      net.createServer({ allowHalfOpen: true }, (a) => {
        const b = net.connect({ port: 8080, host: "127.0.0.1", allowHalfOpen: true });
        const end = () => { a.destroy(); b.destroy(); };
        a.on("error", end).on("close", end); b.on("error", end).on("close", end);
        a.pipe(b).pipe(a);
      }).listen(process.argv[1]);
      process.stdin.resume().on("end", () => process.exit());`;
    const pid = readFileSync(join(this.dir, "engine.pid"), "utf8").trim();
    const args = ["-t", pid, "-n", process.execPath, "-e", code, join(this.dir, "http.sock")];
    this.relay = start("nsenter", args, { stdio: ["pipe", "ignore", "inherit"] });
  }

  /** The answer as soon as its head is there; its body is a stream. */
  send(
    method: string,
    path: string,
    options: RequestOptions = {},
    body?: Readable | string,
  ): Promise<IncomingMessage> {
    return new Promise((done, fail) => {
      const auth = path.startsWith("/system") ? { auth: `${USER}:${PASSWORD}` } : {};
      const sent = request(
        { socketPath: join(this.dir, "http.sock"), method, path, agent: false, ...auth, ...options },
        done,
      );
      sent.setTimeout(60_000, () => sent.destroy(new Error(`${method} ${path}: no answer within 60 s`)));
      sent.on("error", fail);
      if (body === undefined || typeof body === "string") sent.end(body);
      else body.pipe(sent);
    });
  }

  async call(method: string, path: string, body?: unknown, options: RequestOptions = {}) {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    // Node's client frames the body of a DELETE only when it is told to.
    const length =
      text === undefined || options.headers ? {} : { headers: { "content-length": Buffer.byteLength(text) } };
    const response = await this.send(method, path, { ...length, ...options }, text);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const answer = Buffer.concat(chunks).toString();
    const isJson = String(response.headers["content-type"]).includes("application/json");
    return {
      status: response.statusCode!,
      headers: response.headers,
      text: answer,
      // eslint-disable-next-line @typescript-eslint/no-unsafe-assignment -- a test reads whatever the provider answered
      json: isJson ? JSON.parse(answer) : undefined,
    };
  }

  /** Deploys and waits until every wanted replica runs and answers. */
  async deploy(name: string, deployment: object = {}): Promise<void> {
    const answer = await this.call("POST", "/system/functions", {
      service: name,
      image: IMAGE,
      ...deployment,
    });
    if (answer.status !== 202) throw new Error(`deploy ${name}: ${answer.status} ${answer.text}`);
    await this.available(name);
  }

  async available(name: string, count?: number): Promise<void> {
    await until(`${count ?? "all"} replicas of ${name}`, async () => {
      const answer = await this.call("GET", `/system/function/${name}`);
      const json = answer.json as { replicas: number; availableReplicas: number };
      return json.availableReplicas === (count ?? json.replicas);
    });
  }

  /** Bytes of memory that the provider's process holds, and held at most. */
  async providerMemory(): Promise<{ now: number; peak: number }> {
    const [container] = await this.docker.listContainers({
      filters: { label: ["com.docker.swarm.service.name=swarm-provider"] },
    });
    const { State } = await this.docker.getContainer(container!.Id).inspect();
    // The engine counts processes in a namespace of its own.
    const status = runSync("nsenter", [
      ...["-t", this.innerPid(), "-p", "-m"],
      ...["cat", `/proc/${State.Pid}/status`],
    ]);
    const of = (key: string) => Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)![1]) * 1024;
    return { now: of("VmRSS"), peak: of("VmHWM") };
  }

  /** The first process inside the engine's namespaces, as this machine counts it. */
  private innerPid(): string {
    const pid = readFileSync(join(this.dir, "engine.pid"), "utf8").trim();
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]!;
  }

  async providerLog(): Promise<string> {
    const service = this.docker.getService("swarm-provider") as unknown as {
      logs(options: object): Promise<Buffer>;
    };
    return String(await service.logs({ stdout: true, stderr: true, follow: false }));
  }
}
