/** Asks the host everything in one round trip, and puts the report together. */
import { closedTcpPorts } from "../../environment/addresses";
import { seconds } from "../../environment/units";
import { STACK_SERVICES, type StackService } from "../../shared/names";
import { quote } from "../../shared/quote";
import type { HostSession } from "../../providers/host/src/hostSession";
import { ACME_FOLDER } from "../../components/nginx/certificate";
import { certificate } from "./certificate";
import { type Limits, judge } from "./judge";
import { roundTrip } from "./latency";
import {
  type Part,
  parseAlerts,
  parseHost,
  parseParts,
  parseProblems,
  parseQueue,
  parseSamples,
  parseServices,
  parseTargets,
} from "./parts";
import { type Answers, QUERIES, type Query, queryLines, withRates } from "./queries";
import type { Report } from "./report";
import statusScript from "./scripts/status.sh";
import type { Subject } from "./target";

export async function collect(subject: Subject, session: HostSession): Promise<Report> {
  const report: Report = {
    environment: subject.name,
    address: subject.environment.host.address,
    at: new Date().toISOString(),
    missing: {},
    problems: [],
  };
  const { tls, httpsPort, serverName } = subject.environment.nginx;
  try {
    fill(report, await ask(subject, session));
    await attempt(report, "latency", async () => {
      report.latency = { targets: {}, ...report.latency, host: await roundTrip(session) };
    });
    if (tls)
      await attempt(report, "certificate", async () => {
        const name = serverName.split(" ")[0]!;
        report.certificate = await certificate(session, httpsPort, /[a-z]/i.test(name) ? name : undefined);
      });
  } catch (error) {
    report.missing.host = (error as Error).message;
  }
  report.problems = judge(report, limitsOf(subject));
  return report;
}

/** @param drift finds what an `up` would change. Default: not checked */
export async function reportOf(
  subject: Subject,
  session: HostSession,
  drift?: () => Promise<string[]>,
): Promise<Report> {
  const report = await collect(subject, session);
  if (!drift || report.missing.host) return report;
  await attempt(report, "drift", async () => {
    report.drift = await drift();
  });
  report.problems = judge(report, limitsOf(subject));
  return report;
}

export function limitsOf({ environment, functions }: Subject): Limits {
  const { edge, queue } = environment.openfaas;
  const optional: Partial<Record<StackService, boolean>> = { edge, "nats-streaming": queue.natsStreaming };
  return {
    services: STACK_SERVICES.filter((name) => optional[name] ?? true),
    functions,
    diskFree: environment.alerts.diskFreePercent / 100,
    fsyncPerSecond: environment.preflight.minFsyncPerSecond,
    queueSeconds: seconds(environment.alerts.queueAge),
    certificateDays: environment.alerts.certificateDays,
    certificateOrdered: environment.nginx.tls?.auto !== undefined,
    latency: environment.latency && {
      host: environment.latency.limitMs,
      targets: Object.fromEntries(
        environment.latency.targets.map(({ address, limitMs }) => [
          address,
          limitMs ?? environment.latency!.limitMs,
        ]),
      ),
    },
  };
}

async function ask({ environment }: Subject, session: HostSession): Promise<Map<string, Part>> {
  const { tls, httpPort, httpsPort } = environment.nginx;
  const { latency } = environment;
  const values = {
    ORIGIN: tls ? `https://127.0.0.1:${httpsPort}` : `http://127.0.0.1:${httpPort}`,
    UNITS: ["docker", "nginx", ...(environment.firewall.enabled ? ["oslo-faas-firewall"] : [])].join(" "),
    ACME: tls?.auto ? ACME_FOLDER : "",
    CLOSED: environment.firewall.enabled ? closedTcpPorts(environment.openfaas).join(" ") : "",
    TARGETS: (latency?.targets ?? []).map(({ address }) => address).join(" "),
    FSYNC_COUNT: 2000,
    FSYNC_SECONDS: 2,
  };
  const head = Object.entries(values).map(([name, value]) => `${name}=${quote(value)}`);
  const script = [...head, statusScript].join("\n");
  const { stdout } = await session.run(script, {
    step: "read the host's status",
    stdin: queryLines(),
    timeoutSeconds: 120,
  });
  return parseParts(stdout);
}

/** Each part is read separately, so that a missing one hides no other. */
export function fill(report: Report, parts: Map<string, Part>): void {
  const take = <T>(name: string, read: (text: string) => T): T | undefined => {
    const part = parts.get(name);
    try {
      if (!part) throw new Error("the host did not answer this");
      if (part.code !== 0) throw new Error(part.err.split("\n").at(-1) || `exit code ${part.code}`);
      return read(part.out);
    } catch (error) {
      report.missing[name] = (error as Error).message;
      return undefined;
    }
  };
  report.host = take("facts", parseHost);
  report.units = take("units", (text) => Object.fromEntries(pairs(text)));
  report.closedPorts = take("closedPorts", (text) => Object.fromEntries(pairs(text)));
  report.frontDoor = take("frontDoor", doorOf);
  report.order = take("order", orderOf);
  const targets = take("targets", parseTargets);
  if (targets && Object.keys(targets).length > 0) report.latency = { targets };
  report.fsyncPerSecond = take("fsync", Number);
  report.alerts = take("alerts", parseAlerts);
  report.queue = take("queue", parseQueue);
  const answers: Answers = {};
  for (const name of Object.keys(QUERIES) as Query[])
    answers[name] = take(`prometheus.${name}`, parseSamples);
  if (report.queue && answers.oldest?.[0]) report.queue.oldestSeconds = answers.oldest[0].value;
  if (report.queue && answers.missing?.[0]) report.queue.missing = answers.missing[0].value;
  if (report.queue && answers.old?.[0]) report.queue.oldDepth = answers.old[0].value;
  const services = take("services", parseServices);
  report.services = services?.stack;
  const troubles = take("functions", parseProblems);
  report.functions = services?.functions.map((one) => {
    const problem = troubles?.get(one.name);
    return { ...withRates(one, answers), ...(problem ? { problem } : {}) };
  });
  mergePrometheus(report);
}

/** Five queries that fail for one reason are one problem. */
function mergePrometheus(report: Report): void {
  const failed = Object.keys(report.missing).filter((name) => name.startsWith("prometheus."));
  const why = failed.map((name) => report.missing[name]!);
  for (const name of failed) delete report.missing[name];
  if (why.length > 0) report.missing.prometheus = [...new Set(why)].join("; ");
  if (report.missing.prometheus && report.missing.alerts === report.missing.prometheus)
    delete report.missing.alerts;
}

const pairs = (text: string): [string, string][] =>
  text
    .split("\n")
    .filter((line) => line.includes("="))
    .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);

function orderOf(text: string): Report["order"] {
  const [, at, error] = /^(\S+) (.*)$/.exec(text.trim()) ?? [];
  return at === undefined ? undefined : { at, error: error! };
}

function doorOf(text: string): { status: number; milliseconds: number } {
  const [status, seconds] = text.trim().split(" ");
  return { status: Number(status), milliseconds: Math.round(Number(seconds) * 1000) };
}

export async function attempt(report: Report, part: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    report.missing[part] = (error as Error).message;
  }
}
