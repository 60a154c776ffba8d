/** What the provider says of functions as they run: which replicas can be called, what is wrong, what they use. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { findProblem } from "../../../../services/swarm-provider/src/problems";
import { rolloutOf } from "../../../../services/swarm-provider/src/rollout";
import { accepts, Readiness } from "../../../../services/swarm-provider/src/readiness";
import type { ServiceRecord, TaskRecord } from "../../../../services/swarm-provider/src/records";
import { UsageMeter } from "../../../../services/swarm-provider/src/usage";
import { Provider } from "./support";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

let next = 0;
function task(State: string, more: Partial<TaskRecord> & { status?: object } = {}): TaskRecord {
  const { status, ...rest } = more;
  return {
    ID: `t${next++}`,
    ServiceID: "id-f",
    DesiredState: ["running", "pending", "preparing"].includes(State) ? "running" : "shutdown",
    Spec: { ContainerSpec: { Image: "a:1" }, ForceUpdate: 0 },
    Status: { State, Timestamp: ago(10), ...status },
    ...rest,
  };
}

const service = (more: object = {}) =>
  ({
    ID: "id-f",
    Spec: {
      Name: "f",
      Mode: { Replicated: { Replicas: 1 } },
      TaskTemplate: { ContainerSpec: { Image: "a:1" }, ForceUpdate: 0 },
    },
    ...more,
  }) as ServiceRecord;

const failed = (seconds: number, Err = "task: non-zero exit (3)") =>
  task("failed", { status: { Timestamp: ago(seconds), Err } });
const old = { Spec: { ContainerSpec: { Image: "a:0" }, ForceUpdate: 0 } };

describe("a problem", () => {
  const find = (tasks: TaskRecord[], available = 0, of = service()) => findProblem(of, tasks, available, NOW);

  test("is a replica that ends again and again, and how it ended last", () => {
    const last = failed(5, "task: non-zero exit (4)");
    const found = find([failed(90), last, failed(40)]);
    expect(found).toEqual({
      problem: {
        kind: "crashing",
        message: "3 replicas ended within 2 min, the last one with: non-zero exit (4)",
        at: ago(5),
      },
      task: last,
    });
  });

  test("is one that ends well again and again", () => {
    const end = () => task("complete");
    expect(find([end(), end()])!.problem.message).toContain("exit code 0");
  });

  test.each([
    ["one end alone", [failed(5)], 0],
    ["ends that are long past", [failed(301), failed(400)], 0],
    ["ends before a minute of calm", [failed(61), failed(70)], 1],
    [
      "ends of another version",
      [
        { ...failed(5), ...old },
        { ...failed(9), ...old },
      ],
      0,
    ],
    ["replicas that were told to end", [task("shutdown"), task("shutdown")], 0],
  ])("is not: %s", (_what, tasks, available) =>
    expect(find(tasks as TaskRecord[], available)).toBeUndefined(),
  );

  test("is seen while it is up for a moment between two ends", () => {
    expect(find([failed(5), failed(20), task("running")], 1)!.problem.kind).toBe("crashing");
  });

  test("is an image that is not there, or no node that will do", () => {
    const rejected = task("rejected", { status: { Err: "No such image: a:1" } });
    expect(find([rejected])!.problem).toMatchObject({
      kind: "cannot start",
      message:
        "No such image: a:1 (its registry has none, cannot be reached, or asks for a login: registryAuth)",
    });
    const pending = task("pending", {
      status: { Err: "no suitable node (insufficient resources on 1 node)" },
    });
    expect(find([pending])!.problem.message).toContain("no suitable node");
    expect(find([task("pending")])).toBeUndefined();
    expect(find([rejected], 1)).toBeUndefined();
    // An update starts the new replica first: it may find no node for it while the old one serves.
    expect(find([task("running", old), pending], 1)!.problem.message).toContain("no suitable node");
    // Too many are wanted no longer, or it is of an attempt before this one.
    expect(find([{ ...pending, DesiredState: "shutdown" }], 1)).toBeUndefined();
    expect(find([{ ...pending, ...old }], 1)).toBeUndefined();
  });

  test("is a refusal of the engine only shortly after it", () => {
    const rejected = (seconds: number) =>
      task("rejected", { status: { Timestamp: ago(seconds), Err: "No such image: a:1" } });
    expect(find([rejected(5), task("preparing")])!.isRefused).toBe(true);
    // It may be there by now: a function at zero was woken, and the engine is at it.
    expect(find([rejected(60), task("preparing")])!.isRefused).toBe(false);
  });

  test("is less memory than the engine takes, once every replica runs", () => {
    const Labels = {
      "com.openfaas.resources.limits.memory": "5Mi",
      "com.openfaas.resources.requests.memory": "1Mi",
    };
    const of = service();
    of.Spec.Labels = Labels;
    expect(find([task("running")], 1, of)!.problem).toMatchObject({
      kind: "adjusted",
      message:
        "limits.memory: 5Mi is below 6Mi, the least the engine takes; it has 6Mi; " +
        "requests.memory: 1Mi is below 4Mi, the least the engine takes; it has 4Mi",
    });
    expect(find([task("preparing")], 0, of)).toBeUndefined();
    of.Spec.Labels = { "com.openfaas.resources.limits.memory": "6Mi" };
    expect(find([task("running")], 1, of)).toBeUndefined();
  });

  test("is an update that was rolled back, with the replica that failed", () => {
    const gone = { ...failed(30, "task: non-zero exit (137): dockerexec: unhealthy container"), ...old };
    const UpdateStatus = { State: "rollback_completed", CompletedAt: ago(20) };
    const found = find([task("running"), gone], 1, service({ UpdateStatus }));
    expect(found!.problem.kind).toBe("rolled back");
    expect(found!.problem.message).toContain("unhealthy container");
    expect(found!.task).toBe(gone);
    expect(find([task("running")], 1, service({ UpdateStatus: { State: "completed" } }))).toBeUndefined();
    // An attempt before that one, and a replica of it that ended when it was told to, say nothing.
    const version = (image: string, CreatedAt: string) => ({
      Spec: { ContainerSpec: { Image: image } },
      CreatedAt,
    });
    const tried = { ...failed(30, "task: unhealthy container"), ...version("a:2", ago(40)) };
    const ended = { ...task("complete"), ...version("a:2", ago(35)) };
    const before = { ...failed(5, "task: non-zero exit (3)"), ...version("a:1.5", ago(90)) };
    expect(find([task("running"), before, ended, tried], 1, service({ UpdateStatus }))!.task).toBe(tried);
  });
});

describe("how far a version is", () => {
  const two = service({
    Spec: { ...service().Spec, Mode: { Replicated: { Replicas: 2 } } },
  });

  test("is told until every replica is of it, a change of its limits alone as well", () => {
    const limits = (MemoryBytes: number) => ({ ContainerSpec: { Image: "a:1" }, Resources: { MemoryBytes } });
    const before = task("running", { Spec: limits(1) });
    const of = { ...two, Spec: { ...two.Spec, TaskTemplate: limits(2) } } as unknown as ServiceRecord;
    expect(rolloutOf(of, [before, before])).toEqual({ running: 0, preparing: 0 });
    const fresh = (state: string) => task(state, { Spec: limits(2) });
    expect(rolloutOf(of, [before, fresh("running"), fresh("preparing")])).toEqual({
      running: 1,
      preparing: 1,
    });
    expect(rolloutOf(of, [fresh("running"), fresh("running"), fresh("failed")])).toBeUndefined();
  });
});

describe("a replica", () => {
  const at = (address: string, more = {}) =>
    task("running", {
      NetworksAttachments: [
        { Network: { Spec: { Name: "ingress" } }, Addresses: ["10.255.0.9/16"] },
        { Network: { Spec: { Name: "openfaas-fn" } }, Addresses: [`${address}/24`] },
      ],
      ...more,
    });

  test("counts from the first connection that it accepts, which is not asked for again", async () => {
    const asked: string[] = [];
    const open = new Set<string>();
    const readiness = new Readiness("openfaas-fn", 8080, async (address, port) => {
      asked.push(`${address}:${port}`);
      return open.has(address);
    });
    const tasks = [
      at("10.0.1.5"),
      at("10.0.1.6"),
      task("starting"),
      at("10.0.1.7", { DesiredState: "shutdown" }),
    ];
    expect(await readiness.ready(tasks)).toEqual([]);
    open.add("10.0.1.6");
    expect(await readiness.ready(tasks)).toEqual([tasks[1]]);
    asked.length = 0;
    expect(await readiness.ready(tasks)).toEqual([tasks[1]]);
    expect(asked).toEqual(["10.0.1.5:8080"]);
    // Forgotten with its task, so that nothing grows for ever.
    readiness.keep([]);
    open.clear();
    expect(await readiness.ready(tasks)).toEqual([]);
  });

  test("accepts a connection when something listens", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    expect(await accepts("127.0.0.1", port)).toBe(true);
    await new Promise((done) => server.close(done));
    expect(await accepts("127.0.0.1", port)).toBe(false);
  });
});

describe("usage", () => {
  const container = (id: string, ServiceID = "id-f") =>
    task("running", { ServiceID, status: { ContainerStatus: { ContainerID: id } } });

  test("is the rate of CPU since the last look, and memory without what can be taken back", async () => {
    let now = 0;
    let cpu = 0;
    const stats = () => ({
      cpu_stats: { cpu_usage: { total_usage: cpu } },
      memory_stats: { usage: 50e6, stats: { inactive_file: 20e6 } },
    });
    const meter = new UsageMeter(
      { containerStats: async (id) => (id === "away" ? undefined : stats()) },
      () => now,
    );
    const tasks = [
      container("a"),
      container("b"),
      container("away"),
      container("c", "id-g"),
      task("starting"),
    ];
    expect((await meter.measure(tasks)).get("id-f")).toEqual({ cpu: 0, totalMemoryBytes: 60e6 });
    now += 2000;
    cpu += 0.5e9;
    const usage = await meter.measure(tasks);
    // Two replicas, each half a second of CPU in two seconds.
    expect(usage.get("id-f")).toEqual({ cpu: 500, totalMemoryBytes: 60e6 });
    expect(usage.get("id-g")).toEqual({ cpu: 250, totalMemoryBytes: 30e6 });
    // Asked again at once it is what it was.
    now += 10;
    expect((await meter.measure(tasks)).get("id-f")!.cpu).toBe(500);
  });
});

describe("a replica that the engine has no numbers of", () => {
  test("counts as nothing, and what is known of the others stays", async () => {
    let now = 0;
    let cpu = 0;
    const meter = new UsageMeter(
      {
        containerStats: async (id) => {
          if (id === "new") throw new Error("no metrics received");
          return { cpu_stats: { cpu_usage: { total_usage: cpu } }, memory_stats: { usage: 1e6 } };
        },
      },
      () => now,
    );
    const of = (id: string) =>
      task("running", { ServiceID: `of-${id}`, status: { ContainerStatus: { ContainerID: id } } });
    await meter.measure([of("a")]);
    now += 1000;
    cpu += 0.1e9;
    expect((await meter.measure([of("new")])).get("of-new")).toEqual({ cpu: 0, totalMemoryBytes: 0 });
    // The question about another function in between did not make this one's first look be forgotten.
    expect((await meter.measure([of("a")])).get("of-a")).toEqual({ cpu: 100, totalMemoryBytes: 1e6 });
  });
});

describe("the status", () => {
  let provider: Provider;
  beforeEach(async () => (provider = await Provider.start()));
  afterEach(async () => provider.stop());

  /** As the engine frames it: stream, three zeros, length, text. */
  function frames(lines: string[]): Buffer {
    const parts = lines.map((line) => {
      const text = Buffer.from(`2026-01-01T12:00:00.5Z com.docker.swarm.task.id=x ${line}\n`);
      const head = Buffer.alloc(8);
      head[0] = 1;
      head.writeUInt32BE(text.length, 4);
      return Buffer.concat([head, text]);
    });
    return Buffer.concat(parts);
  }

  test("of a function that keeps crashing has its last lines, read once", async () => {
    provider.engine.addService("f");
    const spec = { Spec: provider.engine.services[0].Spec.TaskTemplate };
    const status = { Timestamp: new Date().toISOString(), Err: "task: non-zero exit (3)" };
    provider.engine.tasks = [task("failed", { ...spec, status }), task("failed", { ...spec, status })];
    let reads = 0;
    provider.engine.intercept = ({ path }) => {
      if (!/\/tasks\/t\d+\/logs$/.test(path)) return undefined;
      reads++;
      return { status: 200, body: frames(["starting", "no such database"]) };
    };
    for (let i = 0; i < 2; i++) {
      const { problem } = (await provider.call("GET", "/system/function/f")).json();
      expect(problem).toMatchObject({ kind: "crashing", log: ["starting", "no such database"] });
    }
    expect(reads).toBe(1);
    // In a list it says so without them.
    const [listed] = (await provider.call("GET", "/system/functions")).json();
    expect(listed.problem).toMatchObject({ kind: "crashing" });
    expect(listed.problem).not.toHaveProperty("log");
  });

  test("of a function whose image cannot be pulled reaches people and callers", async () => {
    provider.engine.addService("f");
    const spec = { Spec: provider.engine.services[0].Spec.TaskTemplate };
    const status = { Timestamp: new Date().toISOString(), Err: "No such image: a:1" };
    provider.engine.tasks = [task("rejected", { ...spec, status }), task("preparing", spec)];
    const described = (await provider.call("GET", "/system/function/f?usage=true")).json();
    expect(described.annotations.problem).toMatch(/^cannot start: No such image: a:1/);
    expect((await provider.call("GET", "/system/function/f")).json().annotations).toEqual({});
    // The gateway, for a call: and through it, for a person.
    const path = "/system/function/f?usage=false";
    const refusal = await provider.call("GET", path);
    expect(refusal).toMatchObject({
      status: 503,
      text: expect.stringMatching(/^f cannot start: No such image/),
    });
    expect((await provider.call("GET", path, undefined, { "x-forwarded-for": "10.0.0.1" })).status).toBe(200);
  });

  test("asks once more for lines that could not be read", async () => {
    provider.engine.addService("f");
    const spec = { Spec: provider.engine.services[0].Spec.TaskTemplate };
    const status = { Timestamp: new Date().toISOString(), Err: "task: non-zero exit (3)" };
    provider.engine.tasks = [task("failed", { ...spec, status }), task("failed", { ...spec, status })];
    let isAway = true;
    provider.engine.intercept = ({ path }) => {
      if (!/\/tasks\/t\d+\/logs$/.test(path)) return undefined;
      return isAway
        ? { status: 500, body: { message: "busy" } }
        : { status: 200, body: frames(["no such database"]) };
    };
    const logOf = async () => (await provider.call("GET", "/system/function/f")).json().problem.log;
    expect(await logOf()).toEqual([]);
    isAway = false;
    expect(await logOf()).toEqual(["no such database"]);
  });

  test.each([
    [
      "says when a replica was ended for its health",
      2,
      { Retries: 2 },
      /exit code 0, after its health check failed$/,
    ],
    ["goes by the engine's own limit where the check has none", 3, {}, /, after its health check failed$/],
    ["does not take one that ended by itself for it", 0, { Retries: 2 }, /exit code 0$/],
  ])("%s", async (_what, FailingStreak, Healthcheck, message) => {
    provider.engine.addService("f", {});
    Object.assign(provider.engine.services[0], { UpdateStatus: { State: "rollback_completed" } });
    provider.engine.tasks = [
      task("complete", { ...old, status: { ContainerStatus: { ContainerID: "c1" } } }),
    ];
    provider.engine.intercept = ({ path }) =>
      path.endsWith("/containers/c1/json")
        ? {
            status: 200,
            // The engine calls unhealthy whatever has ended.
            body: { Config: { Healthcheck }, State: { Health: { Status: "unhealthy", FailingStreak } } },
          }
        : undefined;
    const { problem } = (await provider.call("GET", "/system/function/f")).json();
    expect(problem.message).toMatch(message);
  });

  test("has usage when it is asked for", async () => {
    provider.engine.addService("f");
    provider.engine.tasks = [task("running", { status: { ContainerStatus: { ContainerID: "c1" } } })];
    provider.engine.intercept = ({ path }) =>
      path.endsWith("/containers/c1/stats")
        ? { status: 200, body: { cpu_stats: { cpu_usage: { total_usage: 1 } }, memory_stats: { usage: 7 } } }
        : undefined;
    for (const path of ["/system/function/f", "/system/functions"]) {
      expect((await provider.call("GET", path)).text).not.toContain("usage");
      const answer = (await provider.call("GET", `${path}?usage=1`)).json();
      expect((Array.isArray(answer) ? answer[0] : answer).usage).toEqual({ cpu: 0, totalMemoryBytes: 7 });
    }
  });
});
