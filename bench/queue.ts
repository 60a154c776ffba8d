/** Asynchronous calls of a function that writes down each of them: all of them, none twice, and the queue's depth and rate over time. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { OutputMap } from "@pulumi/pulumi/automation";
import { loadLab } from "../lab/config";
import { readSubject, sessionOf } from "../cli/status/target";
import { resolveToolchain } from "../lab/toolchain/resolve";
import { stackOf } from "../programs/pulumi";
import type { Report } from "./report";
import { callAll, compare, Ledger } from "./ledger";
import { summary } from "./measure";
import { type Series, svgPlot, textPlot } from "./plot";

const CLONE = path.resolve(__dirname, "..");
/** What has to be recorded, all of it and none twice, for the queue to count as tested. */
export const CALLS = 2000;
const WIDTH = 16;
const LIMIT_SECONDS = 600;

export interface Measured {
  missing: string[];
  twice: string[];
  /** Seconds until the last call was accepted, and until the last was made. */
  accepted: number;
  done: number;
  depth: Series;
  rate: Series;
}

/** Needs the lab up (`npm run up`). */
export async function queue(): Promise<Report> {
  const platform = await platformOfLab();
  const ledger = new Ledger(platform);
  try {
    await ledger.deploy();
    const measured = await measure(ledger, CALLS, WIDTH);
    const { missing, twice } = measured;
    if (missing.length + twice.length > 0)
      throw new Error(`of ${CALLS} calls ${missing.length} were lost and ${twice.length} came twice`);
    return reportOf(measured);
  } finally {
    await ledger.remove();
    await platform.session.close();
  }
}

/** Makes the calls and waits for all of them. Samples what the queue and the ledger say while they go on. */
export async function measure(ledger: Ledger, calls: number, width: number): Promise<Measured> {
  const ids = Array.from({ length: calls }, (_, i) => `call-${i}`);
  const depth: Series = { name: "waiting in the queue", unit: "calls", points: [] };
  const made: [number, number][] = [];
  const start = Date.now();
  const now = () => (Date.now() - start) / 1000;
  let recorded = new Map<string, number>();
  const sample = async () => {
    const state = await ledger.queue();
    if (state) depth.points.push([now(), state.depth]);
    recorded = await ledger.recorded();
    made.push([now(), recorded.size]);
    return recorded.size >= calls && state?.depth === 0;
  };
  let accepted = 0;
  const [, done] = await Promise.all([
    callAll(ledger, ids, width).then(() => (accepted = now())),
    ledger.until(sample, LIMIT_SECONDS).then(now),
  ]);
  return { ...compare(ids, recorded), accepted, done, depth, rate: rateOf(made) };
}

/** Calls a second between one sample and the next. */
function rateOf(made: [number, number][]): Series {
  const points = made.map(([at, count], i): [number, number] => {
    const [before, last] = made[i - 1] ?? [0, 0];
    return [at, (count - last) / Math.max(at - before, 0.001)];
  });
  return { name: "done", unit: "calls/s", points };
}

function reportOf({ accepted, done, depth, rate }: Measured): Report {
  const title = `Queue: ${CALLS} asynchronous calls, all made, none twice`;
  const folder = path.join(CLONE, ".cache", "bench");
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "queue.svg"), svgPlot(title, [depth, rate]));
  return {
    title,
    rows: [
      summary("accepted", [CALLS / accepted], "calls/s"),
      summary("done", [CALLS / done], "calls/s"),
      summary("largest depth", [Math.max(...depth.points.map(([, value]) => value))], "calls"),
      summary("until all were done", [done], "s"),
    ],
    ratios: {},
    text: `${textPlot([depth, rate])}\nSVG: .cache/bench/queue.svg\n`,
  };
}

/** The lab that OSLO_FAAS_LAB names. @throws an Error where it is not up */
export async function platformOfLab() {
  const lab = loadLab();
  const file = lab.derivedStackFile && path.relative(CLONE, lab.derivedStackFile);
  const { environment } = readSubject(lab.stack, CLONE, file);
  const toolchain = await resolveToolchain({ args: ["--stack", lab.stack], quiet: true });
  const env = { ...toolchain.env, PULUMI_CONFIG_PASSPHRASE_FILE: lab.passphraseFile };
  const engine = { program: toolchain.pulumi, env, version: toolchain.version };
  const outputs = await stackOf(engine, lab.stack, { cwd: CLONE, limitMs: 60_000 })
    .then((stack) => stack.outputs())
    .catch((): OutputMap => ({}));
  if (!outputs.url) throw new Error("the lab is not up: run `npm run up` first");
  return {
    lab,
    /** Pulumi, and the environment to start it with. */
    engine,
    url: String(outputs.url.value),
    user: String(outputs.gatewayUser?.value),
    password: String(outputs.gatewayPassword?.value),
    session: sessionOf(environment, CLONE),
  };
}
