import { execFile, execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { channelsState, channelState } from "../../../../shared/queueChannel";
import { queueState } from "../../../../shared/queueState";
import { describe as certificateOf } from "../../../../cli/status/certificate";
import { fill } from "../../../../cli/status/collect";
import type { EngineResult } from "../../../../cli/preview/engine";
import { driftOf } from "../../../../cli/status/drift";
import { judge, type Limits } from "../../../../cli/status/judge";
import { roundTrip } from "../../../../cli/status/latency";
import { parseParts, parseTargets } from "../../../../cli/status/parts";
import { QUERIES } from "../../../../cli/status/queries";
import { age, render } from "../../../../cli/status/render";
import { remedyFor } from "../../../../cli/status/remedies";
import type { Session } from "../../../../providers/host/src/session";
import type { Report } from "../../../../cli/status/report";

const ROOT = path.resolve(__dirname, "../../../..");
const base64 = (text: string) => Buffer.from(text).toString("base64");
const line = (name: string, code: number, out = "", err = "") =>
  `${name} ${code} ${base64(out)} ${base64(err)}`;

const samples = (...values: [string, string][]) =>
  JSON.stringify({
    status: "success",
    data: { result: values.map(([name, value]) => ({ metric: { function_name: name }, value: [1, value] })) },
  });

const CHANNEL = {
  name: "faas-request",
  msgs: 40,
  bytes: 2 * 1024 ** 2,
  first_seq: 61,
  last_seq: 100,
  subscriptions: [
    { queue_name: "faas_request:faas", is_offline: false, last_sent: 90, pending_count: 8 },
    { queue_name: "faas_request:faas", is_offline: false, last_sent: 88, pending_count: 4 },
  ],
};

const CALL_STREAM = {
  name: "CALLS",
  config: { max_bytes: 1024 ** 3 },
  state: { messages: 22, bytes: 2 * 1024 ** 2, first_ts: "2026-11-24T00:00:00Z", last_seq: 1000 },
  consumer_detail: [{ num_ack_pending: 8 }, { num_ack_pending: 4 }],
};
/** What NATS's monitoring answers. */
const DEAD_STREAM = { name: "DEAD", state: { messages: 3, last_seq: 5 } };
const DONE_STREAM = { name: "DONE", state: { messages: 100, last_seq: 977 } };
const natsSays = (connections: { name: string }[], streams: object[] = [CALL_STREAM, DONE_STREAM]) => ({
  jsz: { config: {}, account_details: [{ stream_detail: [{ name: "OTHER" }, ...streams] }] },
  connz: { connections: [{ name: "queue-intake-1" }, ...connections] },
});
const WORKERS = [{ name: "queue-worker-1" }, { name: "queue-worker-2" }];

const ANSWER: Record<string, [number, string, string?]> = {
  facts: [
    0,
    "hostname=faas\nos=Debian GNU/Linux 12\nkernel=6.1.0\nuptime=93784.5\nload=0.52 0.40 0.30\ncpus=2\nmemoryKiB=4194304\navailableKiB=2097152\ndisk./=104857600 52428800\n",
  ],
  units: [0, "docker=active\nnginx=active\n"],
  closedPorts: [0, "8080=closed\n2377=closed\n"],
  frontDoor: [0, "200 0.0042\n"],
  order: [0, ""],
  services: [
    0,
    "gateway|1/1|r.no/gateway:1@sha256:00|gateway||\nhello|2/2|r.no/hello:dev||hello|\nother|0/1|x:1|||\n",
  ],
  functions: [0, '[{"name":"hello"},{"name":"other"}]'],
  queue: [0, JSON.stringify(natsSays(WORKERS))],
  alerts: [0, '{"status":"success","data":{"alerts":[]}}'],
  "prometheus.rate": [0, samples(["hello", "1.5"], ["hello.openfaas-fn", "0.5"], ["other", "9"])],
  "prometheus.errors": [0, samples(["hello", "0.25"])],
  "prometheus.p50": [0, samples(["hello", "0.004"], ["idle", "NaN"])],
  "prometheus.p99": [0, samples(["hello", "0.090"])],
  "prometheus.oldest": [0, samples(["", "65"])],
  "prometheus.missing": [0, samples(["", "0"])],
  "prometheus.old": [0, samples()],
  "prometheus.scheduleLast": [0, samples()],
  "prometheus.scheduleNext": [0, samples()],
  targets: [0, ""],
  fsync: [0, "900\n"],
};

const LIMITS: Limits = {
  services: ["gateway"],
  functions: ["hello"],
  diskFree: 0.1,
  fsyncPerSecond: 500,
  queueSeconds: 600,
  certificateDays: 14,
  certificateOrdered: false,
};

function reportOf(changes: Record<string, [number, string, string?] | undefined> = {}): Report {
  const all = Object.entries({ ...ANSWER, ...changes }).filter(([, value]) => value !== undefined);
  const text = all.map(([name, value]) => line(name, ...value!)).join("\n");
  const report: Report = {
    environment: "oslo-test",
    address: "198.51.100.7",
    at: "2026-11-24T02:00:00.000Z",
    missing: {},
    problems: [],
  };
  fill(report, parseParts(`${text}\nend 0\n`));
  report.problems = judge(report, LIMITS);
  return report;
}

test("a host on which all is well, on one screen", () => {
  const report = reportOf();
  expect(report.problems).toEqual([]);
  expect(render(report)).toBe(`oslo-test (198.51.100.7), 2026-11-24T02:00:00.000Z
healthy

host         faas, Debian GNU/Linux 12, 6.1.0, up 1 d 2 h
load         0.52 0.4 0.3 on 2 CPUs; memory 2.0 of 4.0 GiB available
disk         / 50.0 of 100.0 GiB free; 900 synchronous writes a second
units        docker active, nginx active
front door   /healthz 200 in 4 ms
queue        22 calls, 12 of them under way, oldest 1 min 5 s; 2 workers; 2.0 of
             1024.0 MiB
             since the beginning 1000 accepted, 977 done, 0 dead
alerts       none

service  running  image
gateway  1/1      r.no/gateway:1

function  running  calls/s  5xx/s  p50 ms  p99 ms  image
hello     2/2      2.00     0.25   4       90      r.no/hello:dev
`);
});

test("functions with a schedule are shown with its last and its next time", () => {
  const at = (time: string) => String(Date.parse(time) / 1000);
  const report = reportOf({
    "prometheus.scheduleLast": [0, samples(["hello", at("2026-11-23T05:00Z")])],
    "prometheus.scheduleNext": [0, samples(["hello", at("2026-11-24T05:00Z")], ["gone", "1"])],
  });
  expect(report.functions![0]!.schedule).toEqual({
    last: "2026-11-23T05:00:00.000Z",
    next: "2026-11-24T05:00:00.000Z",
  });
  expect(render(report)).toContain(
    "\n\nby the clock  last (UTC)        next (UTC)\nhello         2026-11-23 05:00  2026-11-24 05:00\n",
  );
});

test.each<[string, Parameters<typeof reportOf>[0], string[]]>([
  [
    "a service that is short of replicas, with its last error",
    { services: [0, "gateway|0/1|g:1|gateway||task: non-zero exit (1)\nhello|1/1|h:1||hello|\n"] },
    ["service gateway runs 0 of 1: task: non-zero exit (1)"],
  ],
  [
    "a service that was switched off, and not a function that sleeps",
    { services: [0, "gateway|0/0|g:1|gateway||\nhello|0/0|h:1||hello|\n"] },
    ["service gateway runs 0 of 0"],
  ],
  [
    "what is not there at all",
    { services: [0, "nats|1/1|n:1|nats||\n"] },
    ["service gateway is not there", "function hello is not there"],
  ],
  [
    "a function whose update was taken back, with every replica of the version before",
    { functions: [0, '[{"name":"hello","problem":{"kind":"rolled back","message":"exit code 3"}}]'] },
    ["function hello: rolled back: exit code 3"],
  ],
  [
    "a function that does not start, in the provider's words",
    {
      services: [0, "gateway|1/1|g:1|gateway||\nhello|0/1|h:1||hello|Rejected: x\n"],
      functions: [0, '[{"name":"hello","problem":{"kind":"cannot start","message":"no such image"}}]'],
    },
    ["function hello runs 0 of 1: cannot start: no such image"],
  ],
  [
    "a provider that does not answer",
    { functions: [22, "", "curl: (22) The requested URL returned error: 503"] },
    ["functions: cannot be asked: curl: (22) The requested URL returned error: 503"],
  ],
  ["a unit that is stopped", { units: [0, "docker=active\nnginx=failed\n"] }, ["nginx is failed"]],
  [
    "a port that answers and has to be closed",
    { closedPorts: [0, "8080=closed\n2377=open\n"] },
    ["port 2377 of the host answers, which has to be closed"],
  ],
  ["a front door that fails", { frontDoor: [0, "502 0.01\n"] }, ["/healthz through Nginx answers 502"]],
  [
    "a full disk",
    { facts: [0, `${ANSWER.facts![1]}disk./data=1048576 102400\n`] },
    ["disk /data: 100 of 1024 MiB free"],
  ],
  [
    "a disk too slow for its queue",
    { fsync: [0, "100\n"] },
    ["disk: 100 synchronous writes a second, and preflight.minFsyncPerSecond is 500"],
  ],
  [
    "an old queue",
    { "prometheus.oldest": [0, samples(["", "700"])] },
    ["queue: the oldest of 22 calls has waited for 700 s"],
  ],
  [
    "calls that vanished",
    { "prometheus.missing": [0, samples(["", "2"])] },
    ["queue: 2 accepted calls are missing: neither done, nor dead, nor waiting"],
  ],
  [
    "a queue without a worker",
    { queue: [0, JSON.stringify(natsSays([]))] },
    ["queue: 22 calls wait and no worker is connected"],
  ],
  [
    "an alert, but not that of scaling",
    {
      alerts: [
        0,
        JSON.stringify({
          data: {
            alerts: [
              { state: "firing", labels: { alertname: "APIHighInvocationRate" }, annotations: {} },
              { state: "pending", labels: { alertname: "Later" }, annotations: {} },
              {
                state: "firing",
                labels: { alertname: "DiskFilling" },
                annotations: { summary: "full soon" },
              },
            ],
          },
        }),
      ],
    },
    ["alert DiskFilling: full soon"],
  ],
  [
    "a part that fails, once, beside the others",
    Object.fromEntries(
      [...Object.keys(QUERIES).map((name) => `prometheus.${name}`), "alerts"].map((name) => [
        name,
        [1, "", "no container of prometheus runs on this host"],
      ]),
    ),
    ["prometheus: cannot be asked: no container of prometheus runs on this host"],
  ],
  [
    "a part that is not in the answer",
    { queue: undefined },
    ["queue: cannot be asked: the host did not answer this"],
  ],
])("%s is a problem", (_name, changes, problems) => {
  const report = reportOf(changes);
  expect(report.problems).toEqual(problems);
  for (const problem of problems) {
    // Broken where it would leave the screen.
    expect(render(report).replaceAll(/\n {4}(?=[^ →])/g, " ")).toContain(`  - ${problem}\n    → `);
    expect(remedyFor(problem, "oslo-test")).not.toMatch(/undefined/);
  }
});

describe("latency", () => {
  const limits = {
    ...LIMITS,
    latency: { host: 10, targets: { "nix.example.no:443": 5, "db.example.no:5432": 10 } },
  };
  const found = (host: number, text: string): Report => {
    const report = reportOf({ targets: [0, text] });
    return { ...report, latency: { targets: {}, ...report.latency, host } };
  };

  test("is judged where the environment says how much is too much, and each finding has a remedy", () => {
    const near = found(3.2, "nix.example.no:443=2\ndb.example.no:5432=10\n");
    expect(judge(near, limits)).toEqual([]);
    const far = found(24.5, "nix.example.no:443=7\ndb.example.no:5432=\n");
    const problems = judge(far, limits);
    expect(problems).toEqual([
      "latency: 24.5 ms to the host, above 10 ms",
      "latency: 7 ms from the host to nix.example.no:443, above 5 ms",
      "latency: db.example.no:5432 cannot be reached from the host",
    ]);
    const remedies = problems.map((problem) => remedyFor(problem, "oslo-test"));
    expect(new Set(remedies).size).toBe(3);
    expect(remedies).not.toContain(undefined);
    expect(judge(far, LIMITS)).toEqual([]);
  });

  test("is shown in any case", () => {
    const text = render(found(24.5, "nix.example.no:443=7\ndb.example.no:5432=\n"));
    expect(text).toContain(
      "latency      24.5 ms to the host; nix.example.no:443 7 ms; db.example.no:5432\n             not reached\n",
    );
  });

  test("of a target is measured by the host's own shell: one that listens, one that refuses, one without an address", async () => {
    const server = net.createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    const script = fs.readFileSync(path.join(ROOT, "cli/status/scripts/status.sh"), "utf8");
    const [measure] = /^targets\(\) \{[\s\S]*?^\}/m.exec(script)!;
    const wanted = [`127.0.0.1:${port}`, "127.0.0.1:1", "no-such-host.invalid:443"];
    const shell = promisify(execFile)("sh", ["-uc", `TARGETS='${wanted.join(" ")}'\n${measure}\ntargets`]);
    const [near, ...others] = Object.entries(parseTargets((await shell).stdout));
    server.close();
    expect(near).toEqual([wanted[0], expect.any(Number)]);
    expect(others).toEqual([
      [wanted[1], undefined],
      [wanted[2], undefined],
    ]);
  });

  test("to the host is the fastest answer, and a refusal is one; a lost connection is not", async () => {
    const answers = (forward: Session["forward"]) => roundTrip({ forward } as Session);
    const refusing = () => Promise.reject(new Error("127.0.0.1:22 cannot be reached from the host: refused"));
    expect(await answers(refusing)).toBeLessThan(1000);
    await expect(answers(() => Promise.reject(new Error("cannot connect to root@host:22")))).rejects.toThrow(
      "cannot connect",
    );
  });
});

test("no line is longer than a usual terminal, whatever is found", () => {
  const image = `registry.example.no/${"a-long-path/".repeat(6)}resize-image:0123456789ab`;
  const services = `gateway|0/1|${image}|gateway||task: ${"non-zero exit ".repeat(12)}\nhello|1/1|${image}||hello|\n`;
  const text = render(reportOf({ services: [0, services], frontDoor: [0, "502 0.01\n"] }));
  expect(text.split("\n").filter((one) => one.length > 80)).toEqual([]);
  expect(text.match(/…\S*resize-image:0123456789ab$/gm)).toHaveLength(2);
  expect(text.split("\n")[1]).toBe("UNHEALTHY: 2");
});

test("an incomplete answer is refused", () =>
  expect(() => parseParts(line("facts", 0, "x"))).toThrow("the host's answer is incomplete"));

describe("the queue in JetStream", () => {
  test("is what its stream and its consumers say", () =>
    expect(queueState(natsSays(WORKERS, [CALL_STREAM, DEAD_STREAM]))).toEqual({
      depth: 22,
      underWay: 12,
      workers: 2,
      bytes: 2 * 1024 ** 2,
      maxBytes: 1024 ** 3,
      dead: 3,
      oldestMs: Date.UTC(2026, 10, 24),
    }));
  test("tells what vanished, and not before it counts", () => {
    const counts = (streams: object[]) => queueState(natsSays([], streams)).counts;
    expect(counts([CALL_STREAM, DEAD_STREAM])).toBeUndefined();
    expect(counts([CALL_STREAM, DEAD_STREAM, DONE_STREAM])).toEqual({
      accepted: 1000,
      done: 972,
      died: 5,
      missing: 1,
    });
  });
  test("is empty before the first call, and has no oldest one then", () => {
    const empty = { depth: 0, underWay: 0, workers: 0, bytes: 0, maxBytes: 0, dead: 0 };
    expect(queueState(natsSays([], []))).toEqual(empty);
    expect(queueState({ jsz: { config: {} }, connz: { connections: [] } })).toEqual(empty);
  });
  test("is not to be had from another answer", () =>
    expect(() => queueState({ jsz: { error: "x" }, connz: {} })).toThrow("does not describe JetStream"));
});

describe("the depth of NATS Streaming", () => {
  test("is what was not sent and what was not acknowledged, whichever member had it", () =>
    expect(channelState(CHANNEL)).toEqual({
      depth: 22,
      underWay: 12,
      workers: 2,
      bytes: 2 * 1024 ** 2,
      waitingBytes: Math.round((2 * 1024 ** 2 * 22) / 40),
    }));
  test("is everything where nobody ever subscribed", () =>
    expect(channelState({ ...CHANNEL, subscriptions: undefined })).toMatchObject({ depth: 40, workers: 0 }));
  test("a durable subscription whose worker is away keeps its place", () => {
    const away = { is_offline: true, last_sent: 90, pending_count: 3 };
    expect(channelState({ ...CHANNEL, subscriptions: [away] })).toMatchObject({
      depth: 13,
      underWay: 3,
      workers: 0,
    });
  });
  test("counts what waits for another attempt", () => {
    const delayed = { name: "faas-request-delayed", msgs: 3, last_seq: 3, subscriptions: [] };
    expect(channelsState({ channels: [CHANNEL, delayed, { name: "other", msgs: 9, last_seq: 9 }] })).toEqual({
      depth: 25,
      underWay: 12,
      workers: 2,
      bytes: 2 * 1024 ** 2,
      waitingBytes: Math.round((2 * 1024 ** 2 * 22) / 40),
    });
  });
  test("is nothing before the first call", () => expect(channelsState({ count: 0 }).depth).toBe(0));
  test("is not guessed from an answer about something else", () =>
    expect(() => channelState({ error: "x" })).toThrow("not one about a channel"));
});

test("days of a certificate are whole ones, and negative when it is over", () => {
  const now = Date.parse("2026-11-24T12:00:00Z");
  expect(certificateOf({ valid_to: "Dec  1 11:00:00 2026 GMT" }, now).days).toBe(6);
  expect(certificateOf({ valid_to: "Nov 24 11:00:00 2026 GMT" }, now).days).toBe(-1);
});

describe("a certificate that is ordered", () => {
  const valid_to = "Dec 24 11:00:00 2026 GMT";
  const names = (CN: string) => ({ CN }) as never;
  const placeholder = certificateOf({
    valid_to,
    subject: names("placeholder"),
    issuer: names("placeholder"),
  });
  const ordered = certificateOf({
    valid_to,
    subject: Object.create(null) as never,
    issuer: names("An authority"),
    subjectaltname: "DNS:faas.example.no, DNS:b.example.no",
  });
  const limits = { ...LIMITS, certificateOrdered: true };
  const error = "2026-11-24T02:00:00Z Domain: faas.example.no Type: connection Detail: no route";

  test("is named by its first name where it has no other", () => {
    expect(ordered).toMatchObject({ subject: "faas.example.no", selfSigned: false });
    expect(placeholder).toMatchObject({ subject: "placeholder", selfSigned: true });
  });

  test("is missed while the placeholder is served, and a refusal is told with its reason", () => {
    const report = { ...reportOf({ order: [0, `${error}\n`] }), certificate: placeholder };
    report.problems = judge(report, limits);
    expect(report.problems).toEqual([
      "certificate: the order of 2026-11-24T02:00:00Z failed: Domain: faas.example.no Type: connection Detail: no route",
      "certificate: Nginx serves a self-signed placeholder",
    ]);
    for (const problem of report.problems)
      expect(remedyFor(problem, "oslo-test")).toContain("systemctl start oslo-faas-certificate");
    expect(render(report)).toContain("placeholder, self-signed, ");
  });

  test("is well once it is served and the last order did not fail", () => {
    const report = { ...reportOf(), certificate: { ...ordered, days: 60 } };
    expect(judge(report, limits)).toEqual([]);
    // Somebody's own may well be self-signed.
    expect(judge({ ...report, certificate: { ...placeholder, days: 60 } }, LIMITS)).toEqual([]);
  });
});

test("drift is what would change, and an engine that fails says why", () => {
  const steps = [
    { op: "same", urn: "urn:pulumi:x::y::t::kept" },
    { op: "update", urn: "urn:pulumi:x::y::t::nginx-config" },
    { op: "create", urn: "urn:pulumi:x::y::t::functions-hello" },
  ];
  expect(driftOf({ steps, errors: [], ok: true } as unknown as EngineResult)).toEqual([
    "update nginx-config",
    "create functions-hello",
  ]);
  expect(() =>
    driftOf({ steps: [], errors: ["error: no stack named x\nmore"], ok: false } as unknown as EngineResult),
  ).toThrow("error: no stack named x");
});

test.each([
  [0, "0 s"],
  [59.4, "59 s"],
  [62, "1 min 2 s"],
  [90_061, "1 d 1 h"],
])("%d seconds are %s", (seconds, text) => expect(age(seconds)).toBe(text));

describe("the command", () => {
  const run = (...args: string[]) =>
    spawnSync(
      process.execPath,
      ["--require", "./bundle/text.cjs", "--import", "tsx", "cli/main.ts", "status", ...args],
      {
        cwd: ROOT,
        encoding: "utf8",
      },
    );

  test("a host that cannot be reached is named, and the rest shown all the same", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-status-"));
    try {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path.join(folder, "key")]);
      const key = fs.readFileSync(path.join(folder, "key.pub"), "utf8").split(" ").slice(0, 2).join(" ");
      const file = path.join(folder, "stack.yaml");
      const host = { address: "127.0.0.1", port: 1, dialTimeoutSeconds: 1, hostKey: key };
      fs.writeFileSync(
        file,
        JSON.stringify({
          config: { "oslo-faas:host": { ...host, privateKeyPath: path.join(folder, "key") } },
        }),
      );
      const { status, stdout } = run("-s", "nowhere", "--json", "--config-file", file);
      expect(status).toBe(1);
      const report = JSON.parse(stdout) as Report;
      expect(report.missing.host).toContain("cannot connect to root@127.0.0.1:1");
      expect(report.problems).toHaveLength(1);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  test("a command line that cannot be used ends with 2", () => {
    expect(run().status).toBe(2);
    expect(run("-s", "no-such").stderr).toContain('There is no environment "no-such"');
  });
});
