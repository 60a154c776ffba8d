/** Updates of functions on a real engine in swarm mode: that lose nothing, that are taken back, and that come one upon the other. */
import { setTimeout as sleep } from "node:timers/promises";
import { IMAGE, Testbed, until } from "../../lab/testbed";

let bed: Testbed;

beforeAll(async () => {
  bed = await Testbed.withProvider();
}, 180_000);

afterAll(async () => bed?.stop(), 60_000);

jest.setTimeout(120_000);

/** Calls without a pause until they are stopped; gives how often each status was the answer. */
function startLoad(path: string): { stop(): Promise<Map<string, number>> } {
  const seen = new Map<string, number>();
  let running = true;
  const caller = async () => {
    while (running) {
      const { status } = await bed
        .call("POST", path, "body")
        .catch((error: Error) => ({ status: error.message }));
      seen.set(String(status), (seen.get(String(status)) ?? 0) + 1);
    }
  };
  const callers = Array.from({ length: 8 }, caller);
  return {
    stop: async () => {
      running = false;
      await Promise.all(callers);
      return seen;
    },
  };
}

async function updateEnds(name: string, State = "completed"): Promise<void> {
  await until(`the update of ${name} to be ${State}`, async () => {
    return (await bed.docker.getService(name).inspect()).UpdateStatus?.State === State;
  });
}

describe("updates", () => {
  // Its image has neither a shell nor curl.
  const rolling = {
    service: "rolling",
    image: IMAGE,
    labels: { "com.openfaas.scale.min": "2" },
    annotations: {
      "com.openfaas.health.http.path": "/healthz",
      "com.openfaas.health.http.periodSeconds": "1",
      "com.openfaas.health.http.failureThreshold": "2",
    },
  };
  const update = async (envVars: object, annotations: object = {}) => {
    const change = { ...rolling, envVars, annotations: { ...rolling.annotations, ...annotations } };
    expect((await bed.call("PUT", "/system/functions", change)).status).toBe(202);
  };

  test("lose no request, though the new version takes its time to listen", async () => {
    await bed.deploy("rolling", { ...rolling, envVars: { version: "1" } });
    const load = startLoad("/function/rolling/slow?ms=30");
    await sleep(500);
    // Longer than the provider looks for a replica that listens: without the check, calls would fail.
    await update({ version: "2", late: "5000" });
    await updateEnds("rolling");
    await sleep(3000);
    const seen = await load.stop();
    expect((await bed.call("GET", "/function/rolling/")).json.env.version).toBe("2");
    expect([...seen.keys()]).toEqual(["200"]);
    expect(seen.get("200")).toBeGreaterThan(200);
  });

  test.each([
    ["does not stay up", { broken: "yes" }, "non-zero exit (3)", ["no such database: orders"]],
    ["is not healthy", { sick: "yes" }, "its health check failed", []],
  ])("of a version that %s end with the one before, and say why", async (_what, envVars, why, log) => {
    await update(envVars, { "com.openfaas.health.http.initialDelay": "1s" });
    await updateEnds("rolling", "rollback_completed");
    const { json } = await bed.call("GET", "/system/function/rolling");
    expect(json).toMatchObject({ envVars: { version: "2" }, replicas: 2, availableReplicas: 2 });
    expect(json.problem).toMatchObject({ kind: "rolled back", message: expect.stringContaining(why), log });
    expect((await bed.call("GET", "/function/rolling/")).json.env.version).toBe("2");
    const [listed] = (await bed.call("GET", "/system/functions?usage=1")).json;
    expect(listed.problem.kind).toBe("rolled back");
    // Numbers above zero where the engine's own statistics have them: not in every container that pretends to be a machine.
    expect(listed.usage).toEqual({ cpu: expect.any(Number), totalMemoryBytes: expect.any(Number) });
  });

  test.each([
    ["may", { constraints: ["node.labels.nowhere==yes"] }, "scheduling constraints not satisfied"],
    ["has room for", { requests: { memory: "900Gi" } }, "insufficient resources"],
  ])("of a version that no node %s say so, and end with the one before", async (_what, change, why) => {
    await bed.deploy("picky", { envVars: { version: "1" } });
    const wanted = { service: "picky", image: IMAGE, envVars: { version: "1" }, ...change };
    expect((await bed.call("PUT", "/system/functions", wanted)).status).toBe(202);
    // The old replica serves on: a function with all of its replicas.
    await until("the reason", async () => {
      const { json } = await bed.call("GET", "/system/function/picky");
      return json.problem?.kind === "cannot start" && json.problem.message.includes(why);
    });
    expect((await bed.call("GET", "/function/picky/")).json.env.version).toBe("1");
    await updateEnds("picky", "rollback_completed");
    const { json } = await bed.call("GET", "/system/function/picky");
    expect(json).toMatchObject({ constraints: [], replicas: 1, availableReplicas: 1 });
    expect(json).not.toHaveProperty("requests");
    expect(json.problem).toMatchObject({ kind: "rolled back", message: expect.stringContaining(why) });
    expect((await bed.call("POST", "/system/scale-function/picky", { replicas: 2 })).status).toBe(202);
    await bed.available("picky", 2);
    await bed.call("DELETE", "/system/functions", { functionName: "picky" });
  });

  test("and scaling at the same time do not undo each other", async () => {
    const update = (n: number) =>
      bed.call("PUT", "/system/functions", {
        service: "rolling",
        image: IMAGE,
        envVars: { version: "3", n: String(n) },
      });
    const scale = () => bed.call("POST", "/system/scale-function/rolling", { replicas: 3 });
    const [first, scaled, again, second] = await Promise.all([update(1), scale(), scale(), update(1)]);
    expect([first.status, second.status]).toEqual([202, 202]);
    // Before the update, or not at all: in the middle of one it is refused.
    for (const { status } of [scaled, again]) expect([202, 409]).toContain(status);
    await until("the end of the update", async () => (await scale()).status === 202);
    const { json } = await bed.call("GET", "/system/function/rolling");
    expect(json).toMatchObject({ replicas: 3, envVars: { version: "3" } });
    await bed.call("DELETE", "/system/functions", { functionName: "rolling" });
  });
});

describe("a secret's new value", () => {
  test("reaches every replica without a lost request, and the old one goes", async () => {
    await bed.call("POST", "/system/secrets", { name: "token", value: "old" });
    const annotations = {
      "com.openfaas.health.http.path": "/healthz",
      "com.openfaas.health.http.periodSeconds": "1",
    };
    await bed.deploy("vault", { secrets: ["token"], annotations });
    const read = async () => (await bed.call("GET", "/function/vault/secret?name=token")).json.text;
    expect(await read()).toBe("old");
    const load = startLoad("/function/vault/slow?ms=20");
    const answer = await bed.call("PUT", "/system/secrets", { name: "token", value: "new" });
    expect(answer).toMatchObject({ status: 200, text: "rolled out to vault" });
    await until("the new value", async () => (await read()) === "new");
    await updateEnds("vault");
    expect([...(await load.stop()).keys()]).toEqual(["200"]);
    await until("the old secret to go", async () => {
      const names = (await bed.docker.listSecrets()).map(({ Spec }) => Spec!.Name);
      return names.includes("token.v2") && !names.includes("token");
    });
    expect((await bed.call("DELETE", "/system/secrets", { name: "token" })).status).toBe(409);
    await bed.call("DELETE", "/system/functions", { functionName: "vault" });
    expect((await bed.call("DELETE", "/system/secrets", { name: "token" })).status).toBe(200);
  });
});

describe("a secret's new value and a version that fails, one at once after the other,", () => {
  test.each([
    ["in this order", ["secret", "version"]],
    ["the other way round", ["version", "secret"]],
  ])("%s, end with the good version and the new value", async (_what, order) => {
    await bed.call("POST", "/system/secrets", { name: "both", value: "old" });
    const good = { secrets: ["both"], envVars: { version: "1" } };
    await bed.deploy("both", good);
    const broken = { service: "both", image: IMAGE, ...good, envVars: { version: "2", broken: "yes" } };
    const change = {
      secret: () => bed.call("PUT", "/system/secrets", { name: "both", value: "new" }),
      version: () => bed.call("PUT", "/system/functions", broken),
    };
    for (const what of order)
      expect([200, 202]).toContain((await change[what as keyof typeof change]()).status);
    await updateEnds("both", order[1] === "version" ? "rollback_completed" : "completed");
    // Without a health check the engine takes it for up before it listens.
    await bed.available("both", 1);
    expect((await bed.call("GET", "/system/function/both")).json.envVars).toEqual({ version: "1" });
    expect((await bed.call("GET", "/function/both/")).json.env.version).toBe("1");
    expect((await bed.call("GET", "/function/both/secret?name=both")).json.text).toBe("new");
    await bed.call("DELETE", "/system/functions", { functionName: "both" });
    expect((await bed.call("DELETE", "/system/secrets", { name: "both" })).status).toBe(200);
  });
});

test("a crashing function reports the problem with its last lines", async () => {
  await bed.call("POST", "/system/functions", { service: "crash", image: IMAGE, envVars: { broken: "yes" } });
  const problem = await until("the problem", async () => {
    const { json } = await bed.call("GET", "/system/function/crash");
    expect(json.availableReplicas).toBe(0);
    return json.problem;
  });
  expect(problem).toMatchObject({
    kind: "crashing",
    message: expect.stringMatching(/^\d replicas ended within 1 min, the last one with: non-zero exit \(3\)/),
    log: ["no such database: orders"],
  });
  await bed.call("DELETE", "/system/functions", { functionName: "crash" });
});
