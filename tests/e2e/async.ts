/** Steps of the journey: how the platform is seen, its queue, its scaling, and the picture pipeline. On the lab that is up. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as timers from "node:timers/promises";
import { Ledger, callAll, compare, type Platform } from "../../bench/ledger";
import { CALLS, measure } from "../../bench/queue";
import { readFunctions } from "../../components/functions/files";
import { readLock } from "../../components/images/lock";
import { send } from "../../lab/calls";
import { connect } from "../../lab/docker";
import { listen, type Listener } from "../../lab/listener";
import { gatewayAddress } from "../../lab/network";
import { readPng } from "../../lab/png";
import { inputs, renderDeployment } from "../../providers/openfaas/src/resources/functionSpec";
import { readSubject, sessionOf } from "../../cli/status/target";
import type { Compliance } from "../../cli/report/model";
import type { Report } from "../../cli/status/report";
import type { QueueAnswers } from "../../shared/deadCalls";
import { CLONE, FRONT_DOOR, lab, npm, ok, onHostOk, run } from "./lib";

const sleep = (ms: number) => timers.setTimeout(ms);

/** The lab as the ledger wants it; closed by `close`. */
export function platform(password: string): Platform & { close(): Promise<void> } {
  const file = path.relative(CLONE, lab.derivedStackFile!);
  const session = sessionOf(readSubject(lab.stack, CLONE, file).environment, CLONE);
  return { lab, url: FRONT_DOOR, user: "admin", password, session, close: () => session.close() };
}

/** Both to their ends, so that what fails leaves nothing at work behind it. @throws the first of their errors */
export async function both(...work: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}

export async function readStatus(): Promise<{ code: number | null; report: Report; all: string }> {
  const file = path.relative(CLONE, lab.derivedStackFile!);
  const { code, stdout, all } = await run(npm("status", "-s", lab.stack, "--json", "--config-file", file));
  return { code, report: JSON.parse(stdout) as Report, all };
}

/** Nobody said for whom the lab is: that is what is missing. */
async function complianceIsMeasured(password: string): Promise<void> {
  const file = path.relative(CLONE, lab.derivedStackFile!);
  const words = ["report", "compliance", "-s", lab.stack, "--json", "--config-file", file];
  const { code, stdout, all } = await run(npm("oslo-faas", ...words));
  const report = JSON.parse(stdout) as Compliance;
  expect(report.unmeasured).toBeUndefined();
  expect(report.missing).toContain("privacy.controller");
  expect(report.measures.filter(({ measuredAt }) => measuredAt).length).toBeGreaterThan(2);
  expect(code).toBe(1);
  expect(all).not.toContain(password);
}

export async function statusTellsHowItIs(password: string): Promise<void> {
  const well = await readStatus();
  expect(well.report.problems).toEqual([]);
  expect(well.code).toBe(0);
  expect(well.all).not.toContain(password);
  const { host, services, functions, queue, frontDoor, fsyncPerSecond, units, missing } = well.report;
  expect(missing).toEqual({});
  expect(host).toMatchObject({ cpus: expect.any(Number), hostname: expect.any(String) });
  expect(services!.map(({ name, running }) => `${name} ${running}`)).toEqual([
    "alertmanager 1",
    "basic-auth-plugin 1",
    "edge 1",
    "exporter 1",
    "gateway 1",
    "intake 1",
    "nats 1",
    "prometheus 1",
    "queue-worker 1",
    "swarm-provider 1",
  ]);
  expect(functions!.map(({ name }) => name)).toEqual(expect.arrayContaining(["hello", "resize-image"]));
  expect(queue).toMatchObject({ depth: 0, workers: 1, oldestSeconds: 0 });
  expect(frontDoor).toMatchObject({ status: 200 });
  expect(well.report.latency?.host).toBeLessThan(1000);
  expect(fsyncPerSecond).toBeGreaterThan(0);
  expect(units).toMatchObject({ docker: "active", nginx: "active" });
  await complianceIsMeasured(password);

  await onHostOk("systemctl stop nginx");
  try {
    const ill = await readStatus();
    expect(ill.code).toBe(1);
    expect(ill.report.problems).toEqual(expect.arrayContaining(["nginx is inactive"]));
    expect(ill.report.services).toHaveLength(10);
  } finally {
    await onHostOk("systemctl start nginx");
  }
}

export async function queueLosesNothing(at: Platform): Promise<void> {
  const ledger = new Ledger(at);
  await ledger.deploy();
  try {
    const { missing, twice, depth } = await measure(ledger, CALLS, 16);
    expect({ missing, twice }).toEqual({ missing: [], twice: [] });
    expect(Math.max(...depth.points.map(([, value]) => value))).toBeGreaterThan(0);

    // NATS killed with calls waiting and under way.
    const ids = Array.from({ length: 40 }, (_, i) => `killed-${i}`);
    await callAll(ledger, ids, 8, "?wait=1000");
    await onHostOk("docker kill $(docker ps -q --filter label=com.docker.swarm.service.name=nats)");
    const all = async () => compare(ids, await ledger.recorded()).missing.length === 0;
    expect(await all()).toBe(false);
    await ledger.until(all, 120);
    await ledger.until(async () => (await ledger.queue())?.depth === 0, 60);
    expect(compare(ids, await ledger.recorded()).twice).toEqual([]);

    // Two failures, and the third attempt is the one that counts.
    await ledger.until(() => ledger.call("failed-twice", "?fail=2").then(() => true), 60);
    await ledger.until(async () => (await ledger.recorded()).get("failed-twice") === 1, 60);
    const [worker] = await workers();
    expect(await metricsOf(worker!)).toContain('oslo_faas_queue_retries_total{function_name="ledger"} 2\n');

    // It has done its work and breaks: the gateway says 502, as it does where a function is not reached, and it is not made again.
    await ledger.call("broken", "?break");
    const failed = 'oslo_faas_queue_failed_total{function_name="ledger"} 1\n';
    await ledger.until(async () => (await metricsOf(worker!)).includes(failed), 60);
    expect((await ledger.recorded()).get("broken")).toBe(1);
    await deadCallIsMadeAgain(ledger);
  } finally {
    await ledger.remove();
  }
}

/** The one that failed for good is kept, and made again only when a person says so. */
async function deadCallIsMadeAgain(ledger: Ledger): Promise<void> {
  const file = path.relative(CLONE, lab.derivedStackFile!);
  const ask = async (...words: string[]) =>
    JSON.parse(
      (await ok(npm("oslo-faas", "queue", ...words, "-s", lab.stack, "--json", "--config-file", file)))
        .stdout,
    ) as QueueAnswers["list"];
  const list = () => ask("list", "--function", "ledger");
  const { calls } = await list();
  expect(calls).toMatchObject([{ function: "ledger", status: 502, attempts: 1 }]);
  expect(await ask("retry", String(calls[0]!.id))).toEqual({ count: 1 });
  await ledger.until(async () => (await ledger.recorded()).get("broken") === 2, 60);
  await ledger.until(async () => (await list()).count === 1, 60);
  expect((await readStatus()).report.queue).toMatchObject({ dead: 1 });
  expect(await ask("drop", "--function", "ledger")).toEqual({ count: 1 });
  expect((await list()).calls).toEqual([]);
}

/** Containers of the queue worker. */
const workers = async () =>
  (await onHostOk("docker ps -q --filter label=com.docker.swarm.service.name=queue-worker"))
    .split("\n")
    .filter(Boolean);

const metricsOf = (worker: string) =>
  onHostOk(
    `nsenter -t $(docker inspect -f '{{.State.Pid}}' ${worker}) -n curl -s http://127.0.0.1:8081/metrics`,
  );

/** Two workers; one of them is killed under load, and the provider as well, without which the gateway knows no function. */
export async function twoWorkersLoseNothing(at: Platform, maxInflight: number): Promise<void> {
  const ledger = new Ledger(at);
  await ledger.deploy();
  try {
    const ids = Array.from({ length: 480 }, (_, i) => `shared-${i}`);
    await callAll(ledger, ids, 16, "?wait=500");
    const [one, other, ...more] = await workers();
    expect(more).toEqual([]);
    for (const worker of [one!, other!])
      expect(await metricsOf(worker)).toMatch(/oslo_faas_queue_worker_under_way [1-9]/);
    const all = async () => compare(ids, await ledger.recorded()).missing.length === 0;
    expect(await all()).toBe(false);
    await onHostOk(
      `docker kill ${one} $(docker ps -q --filter label=com.docker.swarm.service.name=swarm-provider)`,
    );
    await ledger.until(all, 240);
    await ledger.until(async () => (await ledger.queue())?.depth === 0, 60);
    // What the killed one had under way, and nothing else.
    expect(compare(ids, await ledger.recorded()).twice.length).toBeLessThanOrEqual(maxInflight);
    expect(await metricsOf(other!)).toMatch(/oslo_faas_queue_retries_total\{function_name="ledger"\} [1-9]/);
  } finally {
    await ledger.remove();
  }
}

const BURST = "burst";

async function manage(at: Platform, method: string, route: string, body?: object) {
  const Authorization = `Basic ${Buffer.from(`${at.user}:${at.password}`).toString("base64")}`;
  return send(`${at.url}${route}`, {
    method,
    headers: { Authorization, "Content-Type": "application/json" },
    ...(body ? { body: Buffer.from(JSON.stringify(body)) } : {}),
  });
}

async function replicas(at: Platform): Promise<number> {
  const { body } = await manage(at, "GET", `/system/function/${BURST}`);
  return (JSON.parse(body.toString()) as { replicas: number }).replicas;
}

async function waitForReplicas(at: Platform, wanted: number): Promise<void> {
  let last = 0;
  for (let i = 0; i < 240; i++) {
    last = await replicas(at);
    if (last === wanted) return;
    await sleep(500);
  }
  throw new Error(`${BURST} has ${last} replicas, not ${wanted}, after 2 min`);
}

const burst = () => {
  const image = "registry.lab:5000/oslo-faas/hello:dev";
  return {
    service: BURST,
    image: `${image}@${readLock(lab.imagesLock)[image]}`,
    labels: {
      "com.openfaas.scale.min": "1",
      "com.openfaas.scale.max": "3",
      "com.openfaas.scale.factor": "50",
    },
  };
};

/**
 * Asked for on the host itself, which the front door's management may be closed to by then.
 * @returns the name of a function that the stack does not know
 */
export async function deployedByHand({ user, password }: Platform): Promise<string> {
  const curl = `curl -sS -o /dev/null -w '%{http_code}' -K - -H 'Content-Type: application/json'`;
  const deploy = `${curl} -d '${JSON.stringify(burst())}' http://127.0.0.1:8080/system/functions`;
  expect(await onHostOk(deploy, { input: `user = "${user}:${password}"\n` })).toBe("202");
  await onHostOk(
    `timeout 120 sh -c 'until docker ps -q --filter label=com.docker.swarm.service.name=${BURST} | grep -q .; do sleep 1; done'`,
  );
  return BURST;
}

/** From one replica to scale.max in one step of half of it, and no further. */
export async function burstScalesUp(at: Platform): Promise<void> {
  expect((await manage(at, "POST", "/system/functions", burst())).status).toBe(202);
  await waitForReplicas(at, 1);
  let going = true;
  const load = (async () => {
    for (; going; await sleep(50)) await send(`${at.url}/function/${BURST}`, {}).catch(() => undefined);
  })();
  try {
    await waitForReplicas(at, 3);
  } finally {
    going = false;
    await load;
  }
}

export async function calmScalesDown(at: Platform): Promise<void> {
  await waitForReplicas(at, 1);
  await manage(at, "DELETE", "/system/functions", { functionName: BURST });
}

/** docs/tutorial-images.md: upload, 202, sizes, callback. Deployed as `functions/images.yml` says it, without an `up` for it alone. */
export async function picturesFlowThrough(at: Platform): Promise<void> {
  const { functions, problems } = readFunctions([{ stack: "functions/images.yml" }], {
    root: CLONE,
    secrets: [],
  });
  expect(problems).toEqual([]);
  const { spec } = functions[0]!;
  const image = spec.image.replace(/^ghcr\.io/, "registry.lab:5000");
  const body = renderDeployment(
    inputs.parse({
      ...spec,
      image: `${image}@${readLock(lab.imagesLock)[image]}`,
    }),
  );
  expect((await manage(at, "POST", "/system/functions", body)).status).toBe(202);
  const listener = await listen(await gatewayAddress(lab, await connect()));
  try {
    await upload(listener);
    await invoked();
  } finally {
    listener.close();
    await manage(at, "DELETE", "/system/functions", { functionName: spec.name });
  }
}

/** As the tutorial has it: the command brings the receiver of the callback. */
async function invoked(): Promise<void> {
  const { stdout } = await ok(
    npm(
      ...[
        "functions",
        "invoke",
        "gallery",
        "-s",
        lab.stack,
        "--config-file",
        lab.derivedStackFile!,
        "--async",
      ],
      ...["-H", "Content-Type: image/jpeg", "-d", "@functions/resize-image/testdata/fjord.jpg"],
    ),
  );
  const { variants } = JSON.parse(stdout) as { variants: { width: number }[] };
  expect(variants.map(({ width }) => width)).toEqual([160, 640, 1280]);
}

async function upload(listener: Listener): Promise<void> {
  const accepted = await send(`${FRONT_DOOR}/async-function/gallery`, {
    method: "POST",
    headers: { "Content-Type": "image/jpeg", "X-Callback-Url": listener.url },
    body: fs.readFileSync(path.join(CLONE, "functions/resize-image/testdata/fjord.jpg")),
  });
  expect(accepted.status).toBe(202);
  const { headers, body } = await Promise.race([
    listener.callback,
    timers.setTimeout(90_000, undefined, { ref: false }).then(() => {
      throw new Error("no callback within 90 s");
    }),
  ]);
  expect(headers).toMatchObject({
    "x-call-id": accepted.headers["x-call-id"],
    "x-function-status": "201",
    "x-function-name": "gallery",
  });
  const { variants } = JSON.parse(body.toString()) as { variants: { width: number; path: string }[] };
  expect(variants.map(({ width }) => width)).toEqual([160, 640, 1280]);
  const small = await send(`${FRONT_DOOR}${variants[0]!.path}`, {});
  expect(small.status).toBe(200);
  // The platform's own function reads what the pipeline made.
  const again = await send(`${FRONT_DOOR}/function/resize-image?width=160&format=png`, {
    method: "POST",
    body: small.body,
  });
  expect(readPng(again.body)).toMatchObject({ width: 160 });
}
