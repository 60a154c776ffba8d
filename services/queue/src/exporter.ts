/** What Prometheus cannot ask itself: the queue's depth, the host's disk and memory, the certificate that Nginx serves. */
import * as fs from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import * as tls from "node:tls";
import { Registry } from "prom-client";
import { channelsState } from "../../../shared/queueChannel";
import { MONITOR_PATHS, queueState } from "../../../shared/queueState";
import type { Config } from "./config";
import { gauge } from "./metrics";

const LIMIT_MS = 5000;
/** A port that is closed says nothing at all; on the way to its own host a packet takes no longer. */
const SILENCE_MS = 1000;

/** What cannot be asked is left out, and named in oslo_faas_probe_success. */
export async function exported(config: Config, files = "/proc"): Promise<string> {
  const registry = new Registry();
  const probes: Record<string, () => Promise<void>> = {
    queue: () => queue(registry, config.nats.monitor),
    ...(config.old ? { oldQueue: () => oldQueue(registry, config.old!.monitor) } : {}),
    disk: () => disk(registry),
    memory: async () => memory(registry, await fs.promises.readFile(`${files}/meminfo`, "utf8")),
    ...(config.closedPorts.length > 0
      ? { ports: () => openPorts(registry, config.closedPorts, `${files}/net/route`) }
      : {}),
    ...(config.tlsPort
      ? {
          certificate: () =>
            certificate(registry, config.tlsPort!, config.tlsServerName, `${files}/net/route`),
        }
      : {}),
  };
  const results = await Promise.all(
    Object.entries(probes).map(([probe, ask]) =>
      ask().then(
        () => ({ labels: { probe }, value: 1 }),
        () => ({ labels: { probe }, value: 0 }),
      ),
    ),
  );
  gauge(registry, "oslo_faas_probe_success", "1: this part could be asked.", results);
  return registry.metrics();
}

async function queue(registry: Registry, monitor: string): Promise<void> {
  const [jsz, connz] = await Promise.all(
    [MONITOR_PATHS.jsz, MONITOR_PATHS.connz].map(
      async (path) => JSON.parse(await get(monitor + path)) as unknown,
    ),
  );
  const state = queueState({ jsz, connz });
  const tell = (name: string, help: string, value: number) =>
    gauge(registry, `oslo_faas_queue_${name}`, help, value);
  const seconds = state.oldestMs === undefined ? 0 : Math.max(0, (Date.now() - state.oldestMs) / 1000);
  tell("depth", "Calls accepted and not done, those under way included.", state.depth);
  tell("under_way", "Calls that a worker has, or that wait for another attempt.", state.underWay);
  tell("workers", "Workers connected.", state.workers);
  tell("dead", "Calls that failed in their last attempt, and are kept.", state.dead);
  if (state.counts) {
    tell("calls_accepted", "Calls accepted since the beginning.", state.counts.accepted);
    tell("calls_done", "Calls done since the beginning.", state.counts.done);
    tell("calls_died", "Calls that failed in their last attempt, since the beginning.", state.counts.died);
    const missing = "Calls accepted, but neither done nor dead nor in the queue; below 0: counted twice.";
    tell("calls_missing", missing, state.counts.missing);
  }
  tell("bytes", "Size of the calls that are not done.", state.bytes);
  tell("max_bytes", "Size beyond which calls are refused.", state.maxBytes);
  tell("oldest_seconds", "Age of the oldest call that is not done; 0 without one.", seconds);
}

/** Calls in NATS Streaming that are not moved yet. */
async function oldQueue(registry: Registry, monitor: string): Promise<void> {
  const { depth } = channelsState(JSON.parse(await get(`${monitor}/streaming/channelsz?subs=1`)));
  gauge(registry, "oslo_faas_queue_old_depth", "Calls in NATS Streaming that are not moved yet.", depth);
}

function get(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false, timeout: LIMIT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200
          ? resolve(Buffer.concat(chunks).toString())
          : reject(new Error(`status ${response.statusCode}`)),
      );
    });
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", reject);
  });
}

/** A container's root lies on the host's file system of images, logs and volumes: the one that fills. No mount is needed to see it. */
async function disk(registry: Registry): Promise<void> {
  const { bavail, blocks, bsize } = await fs.promises.statfs("/");
  const help = "Free where the engine keeps images, logs and volumes.";
  gauge(registry, "oslo_faas_disk_free_bytes", help, bavail * bsize);
  gauge(registry, "oslo_faas_disk_size_bytes", "Size of that file system.", blocks * bsize);
}

function memory(registry: Registry, meminfo: string): void {
  const bytes = (key: string) =>
    Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(meminfo)?.[1] ?? NaN) * 1024;
  const help = "Memory of the host that programs can have.";
  gauge(registry, "oslo_faas_memory_available_bytes", help, bytes("MemAvailable"));
  gauge(registry, "oslo_faas_memory_size_bytes", "Memory of the host.", bytes("MemTotal"));
}

async function certificate(
  registry: Registry,
  port: number,
  servername: string | undefined,
  routes: string,
): Promise<void> {
  const host = defaultGateway(await fs.promises.readFile(routes, "utf8"));
  const expires = await new Promise<string>((resolve, reject) => {
    const socket = tls.connect({ host, port, servername, rejectUnauthorized: false, timeout: LIMIT_MS });
    socket.once("secureConnect", () => {
      resolve(socket.getPeerCertificate().valid_to);
      socket.destroy();
    });
    socket.once("timeout", () => socket.destroy(new Error("no handshake")));
    socket.once("error", reject);
  });
  const help = "When the certificate that Nginx serves expires.";
  gauge(registry, "oslo_faas_certificate_expiry_timestamp_seconds", help, Date.parse(expires) / 1000);
}

/** Whether the host's closed ports answer a container, with a refusal too: then its packets are not dropped. */
async function openPorts(registry: Registry, ports: number[], routes: string): Promise<void> {
  const host = defaultGateway(await fs.promises.readFile(routes, "utf8"));
  const values = await Promise.all(
    ports.map(async (port) => ({
      labels: { port: String(port) },
      value: (await answers(host, port)) ? 1 : 0,
    })),
  );
  const help = "1: a port of the host answers that has to be closed.";
  gauge(registry, "oslo_faas_closed_port_answers", help, values);
}

export function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: SILENCE_MS });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", ({ code }: NodeJS.ErrnoException) => end(code === "ECONNREFUSED"));
  });
}

/** The host as a container sees it: its default route, little-endian hexadecimal in /proc/net/route. */
export function defaultGateway(routes: string): string {
  const line = routes.split("\n").find((text) => text.split("\t")[1] === "00000000");
  const hex = line?.split("\t")[2];
  if (!hex) throw new Error("no default route");
  return (hex.match(/../g) ?? [])
    .reverse()
    .map((byte) => parseInt(byte, 16))
    .join(".");
}
