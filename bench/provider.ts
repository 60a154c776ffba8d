/** A call through the provider against the same call straight to the function: both as services of a real engine of their own. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runSync } from "../programs/run";
import { Testbed } from "../lab/testbed";
import type { Report } from "./report";
import { summary } from "./measure";

const ROUNDS = 9;
const CALLS = 400;
const AT_ONCE = 16;
const MIB = 1024 * 1024;
const STREAM_MIB = 1024;
/** What a call through the provider may cost at p50, in ms, and how far its memory may grow by a large body, in MiB. */
const MOST_ADDED_MS = 1;
const MOST_GROWTH_MIB = 128;

/**
 * Runs in the engine's network. Prints JSON: for each address the latencies in ms of calls one after the other, the calls a
 * second of many at the same time, and the seconds that a large body takes there and back.
 */
const CLIENT = `
  const http = require("node:http");
  const [addresses, rounds, calls, atOnce, mib] = JSON.parse(process.argv[1]);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const call = (url, size = 0) => new Promise((done, fail) => {
    const request = http.request(url, { agent, method: size ? "POST" : "GET" }, (response) => {
      response.on("end", () => response.statusCode === 200 ? done() : fail(new Error(url + ": " + response.statusCode))).resume();
    }).on("error", fail);
    if (!size) return request.end();
    const piece = Buffer.alloc(${MIB});
    const more = () => { while (size > 0) { size--; if (!request.write(piece)) return request.once("drain", more); } request.end(); };
    more();
  });
  const timed = async (action) => { const start = process.hrtime.bigint(); await action(); return Number(process.hrtime.bigint() - start) / 1e6; };
  const results = addresses.map(() => ({ latency: [], rate: [], stream: [] }));
  (async () => {
    for (const url of addresses) for (let i = 0; i < 300; i++) await call(url + "/echo");
    // In turns, so that what else the machine does falls on all.
    for (let round = 0; round < rounds; round++)
      for (const [at, url] of addresses.entries()) {
        for (let i = 0; i < calls; i++) results[at].latency.push(await timed(() => call(url + "/echo")));
        let left = calls;
        const caller = async () => { while (left-- > 0) await call(url + "/echo"); };
        results[at].rate.push(calls / (await timed(() => Promise.all(Array.from({ length: atOnce }, caller)))) * 1000);
      }
    for (let round = 0; round < 3; round++)
      for (const [at, url] of addresses.entries()) results[at].stream.push(await timed(() => call(url + "/echo", mib)) / 1000);
    process.stdout.write(JSON.stringify(results));
    agent.destroy();
  })();
`;

interface Measured {
  latency: number[];
  rate: number[];
  stream: number[];
}

/** Needs root and dockerd; takes about three minutes. */
export async function provider(): Promise<Report> {
  const bed = await Testbed.start();
  try {
    await bed.importImage();
    await bed.startSwarm();
    await bed.startProvider({ log_level: "info" });
    await bed.deploy("echo");
    const addresses = [
      `http://${await address(bed, "echo")}:8080`,
      `http://${await address(bed, "swarm-provider")}:8080/function/echo`,
    ];
    const before = await bed.providerMemory();
    const pid = readFileSync(join(bed.dir, "engine.pid"), "utf8").trim();
    const given = JSON.stringify([addresses, ROUNDS, CALLS, AT_ONCE, STREAM_MIB]);
    const output = runSync("nsenter", ["-t", pid, "-n", process.execPath, "-e", CLIENT, given], {
      limitMs: 600_000,
    });
    const [direct, through] = JSON.parse(output) as [Measured, Measured];
    const { peak } = await bed.providerMemory();
    return report(direct, through, before.now / MIB, peak / MIB);
  } finally {
    await bed.stop();
  }
}

/** Where the engine's own network reaches a service's one replica. */
async function address(bed: Testbed, service: string): Promise<string> {
  const filters = { label: [`com.docker.swarm.service.name=${service}`] };
  const [container] = await bed.docker.listContainers({ filters });
  const network = await bed.docker.getNetwork("docker_gwbridge").inspect();
  const found = network.Containers?.[container!.Id]?.IPv4Address;
  if (!found) throw new Error(`${service} has no address that this machine reaches`);
  return found.split("/")[0]!;
}

function report(direct: Measured, through: Measured, idle: number, peak: number): Report {
  const rows = [
    summary("one call, straight to the function", direct.latency, "ms"),
    summary("one call, through the provider", through.latency, "ms"),
    summary(`${AT_ONCE} at once, straight`, direct.rate, "calls/s"),
    summary(`${AT_ONCE} at once, through the provider`, through.rate, "calls/s"),
    summary(`${STREAM_MIB} MiB there and back, straight`, direct.stream, "s"),
    summary(`${STREAM_MIB} MiB there and back, through the provider`, through.stream, "s"),
    summary("the provider's memory before", [idle], "MiB"),
    summary("the provider's memory at most", [peak], "MiB"),
  ];
  const median = (at: number) => rows[at]!.median;
  const added = median(1) - median(0);
  return {
    missed: [
      ...(added > MOST_ADDED_MS
        ? [
            `a call through the provider costs ${added.toFixed(2)} ms at p50, and ${MOST_ADDED_MS} ms is promised`,
          ]
        : []),
      ...(peak - idle > MOST_GROWTH_MIB
        ? [`its memory grew by ${Math.round(peak - idle)} MiB, and ${MOST_GROWTH_MIB} MiB are promised`]
        : []),
    ],
    title: "A call through the provider",
    rows,
    ratios: {
      "added at p50, in ms": added,
      "added at p99, in ms": p99(through.latency) - p99(direct.latency),
      "time of one call, through / straight": median(1) / median(0),
      "calls a second, through / straight": median(3) / median(2),
      "time of a large body, through / straight": median(5) / median(4),
    },
  };
}

function p99(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)]!;
}
