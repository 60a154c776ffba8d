/** What Prometheus cannot ask itself: the queue's depth, the host's disk and memory, the certificate that Nginx serves. */
import * as fs from "node:fs";
import * as http from "node:http";
import * as tls from "node:tls";
import { channelsState } from "../../../shared/queueChannel";
import type { Config } from "./config";
import { metric } from "./metrics";

const LIMIT_MS = 5000;

/** What cannot be asked is left out, and named in oslo_faas_probe_success. */
export async function exported(config: Config, files = "/proc"): Promise<string> {
  const probes: Record<string, () => Promise<string>> = {
    queue: () => queue(config.nats.monitor),
    disk: () => disk(),
    memory: async () => memory(await fs.promises.readFile(`${files}/meminfo`, "utf8")),
    ...(config.tlsPort
      ? { certificate: () => certificate(config.tlsPort!, config.tlsServerName, `${files}/net/route`) }
      : {}),
  };
  const results = await Promise.all(
    Object.entries(probes).map(async ([probe, ask]) => {
      try {
        return { probe, text: await ask(), value: 1 };
      } catch {
        return { probe, text: "", value: 0 };
      }
    }),
  );
  return [
    ...results.map(({ text }) => text),
    metric(
      "oslo_faas_probe_success",
      "gauge",
      "1: this part could be asked.",
      results.map(({ probe, value }) => ({ labels: { probe }, value })),
    ),
  ].join("");
}

async function queue(monitor: string): Promise<string> {
  const state = channelsState(JSON.parse(await get(`${monitor}/streaming/channelsz?subs=1`)));
  const gauge = (name: string, help: string, value: number) =>
    metric(`oslo_faas_queue_${name}`, "gauge", help, [{ value }]);
  return [
    gauge("depth", "Calls accepted and not done, those under way included.", state.depth),
    gauge("under_way", "Calls that a worker has.", state.underWay),
    gauge("workers", "Workers connected.", state.workers),
    gauge("bytes", "Size of the log, answered calls included.", state.bytes),
    gauge("waiting_bytes", "Size of what is not done, in the fuller channel.", state.waitingBytes),
  ].join("");
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
async function disk(): Promise<string> {
  const { bavail, blocks, bsize } = await fs.promises.statfs("/");
  return [
    metric("oslo_faas_disk_free_bytes", "gauge", "Free where the engine keeps images, logs and volumes.", [
      { value: bavail * bsize },
    ]),
    metric("oslo_faas_disk_size_bytes", "gauge", "Size of that file system.", [{ value: blocks * bsize }]),
  ].join("");
}

export function memory(meminfo: string): string {
  const bytes = (key: string) =>
    Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(meminfo)?.[1] ?? NaN) * 1024;
  return [
    metric("oslo_faas_memory_available_bytes", "gauge", "Memory of the host that programs can have.", [
      { value: bytes("MemAvailable") },
    ]),
    metric("oslo_faas_memory_size_bytes", "gauge", "Memory of the host.", [{ value: bytes("MemTotal") }]),
  ].join("");
}

async function certificate(port: number, servername: string | undefined, routes: string): Promise<string> {
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
  return metric(
    "oslo_faas_certificate_expiry_timestamp_seconds",
    "gauge",
    "When the certificate that Nginx serves expires.",
    [{ value: Date.parse(expires) / 1000 }],
  );
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
