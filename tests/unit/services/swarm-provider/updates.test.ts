/** Changes while an update is under way, and updates that no node will have. */
import { setTimeout as sleep } from "node:timers/promises";
import { Engine } from "../../../../services/swarm-provider/src/engine";
import { Unplaced } from "../../../../services/swarm-provider/src/unplaced";
import { Provider } from "./support";

let provider: Provider;
beforeEach(async () => {
  provider = await Provider.start({}, { settleMs: 2000 });
  provider.engine.addService("f");
});
afterEach(async () => provider.stop());

const body = { service: "f", image: "a:2" };
const put = () => provider.call("PUT", "/system/functions", body);
const service = () => provider.engine.services[0];
const OLD = { ContainerSpec: { Image: "a:0" } };

function task(State: string, more: object = {}) {
  const Status = { State, Timestamp: new Date().toISOString(), ...more };
  return { ID: "t", ServiceID: "id-f", DesiredState: "running", Spec: service().Spec.TaskTemplate, Status };
}

describe("in the middle of an update", () => {
  test("another waits for its end, so that a failure goes back to what has stood the test", async () => {
    service().UpdateStatus = { State: "updating" };
    const answer = put();
    await sleep(300);
    expect(provider.engine.changes()).toEqual([]);
    service().UpdateStatus = { State: "completed" };
    expect((await answer).status).toBe(202);
    expect(service().Spec.TaskTemplate.ContainerSpec.Image).toBe("a:2");
  });

  test.each(["updating", "rollback_started"])("%s, another does not wait for ever", async (State) => {
    service().UpdateStatus = { State };
    expect(await put()).toMatchObject({ status: 409, text: expect.stringContaining("f is being updated") });
    expect(provider.engine.changes()).toEqual([]);
  });

  test("that was only just asked for, and of which the engine says nothing yet", async () => {
    provider.engine.tasks = [{ ...task("running"), Spec: OLD }];
    expect((await put()).status).toBe(409);
    expect((await provider.call("POST", "/system/scale-function/f", { replicas: 2 })).status).toBe(409);
    provider.engine.tasks = [{ ...task("running"), Spec: OLD, DesiredState: "shutdown" }, task("running")];
    expect((await put()).status).toBe(202);
  });

  test("a secret gets no new value, and no version of it is made", async () => {
    const secret = (value: string) => provider.call("PUT", "/system/secrets", { name: "key", value });
    await provider.call("POST", "/system/secrets", { name: "key", value: "1" });
    await provider.call("PUT", "/system/functions", { ...body, secrets: ["key"] });
    service().UpdateStatus = { State: "updating" };
    const made = provider.engine.changes().length;
    expect(await secret("2")).toMatchObject({
      status: 409,
      text: expect.stringContaining("f is being updated"),
    });
    expect(provider.engine.changes()).toHaveLength(made);
    service().UpdateStatus = { State: "completed" };
    expect((await secret("2")).text).toBe("rolled out to f");
  });

  test("back to a version that finds no node either, nothing is waited for", async () => {
    service().UpdateStatus = { State: "rollback_started" };
    provider.engine.tasks = [task("pending", { Err: "no suitable node" })];
    expect((await put()).status).toBe(202);
  });

  test("of a function without a replica there is nothing to wait for", async () => {
    service().UpdateStatus = { State: "updating" };
    service().Spec.Mode.Replicated.Replicas = 0;
    expect((await put()).status).toBe(202);
  });
});

describe("an update that no node will have", () => {
  const warnings: string[] = [];
  const log = { info: () => undefined, warn: (_: object, text: string) => void warnings.push(text) };
  const look = (now: number) => {
    const options = { limitMs: 30_000, intervalMs: 1000, log };
    return new Unplaced(new Engine(provider.engine.socket, 1000), options, () => now).look();
  };
  const made = Date.parse("2026-01-01T12:00:00Z");
  const waiting = (more: object = {}) => ({
    ...task("pending", { Err: "no suitable node (scheduling constraints not satisfied on 1 node)" }),
    CreatedAt: new Date(made).toISOString(),
    ...more,
  });

  beforeEach(() => {
    service().UpdateStatus = { State: "updating" };
    provider.engine.tasks = [{ ...task("running"), Spec: OLD }, waiting()];
  });

  test("is taken back after a while, and not before", async () => {
    expect(await look(made + 29_000)).toEqual([]);
    expect(provider.engine.changes()).toEqual([]);
    expect(await look(made + 31_000)).toEqual(["f"]);
    const { query, body: sent } = provider.engine.lastAsked("/services/id-f/update");
    expect(Object.fromEntries(query)).toEqual({
      version: "5",
      rollback: "previous",
      registryAuthFrom: "previous-spec",
    });
    expect(sent).toMatchObject({ Name: "f" });
  });

  test.each([
    ["one that was started", () => task("starting")],
    ["one that the engine has not looked at", () => ({ ...waiting(), ...{ Status: { State: "pending" } } })],
    ["one of a version before", () => waiting({ Spec: OLD })],
    ["one that is not wanted any more", () => waiting({ DesiredState: "shutdown" })],
  ])("is not: %s", async (_what, other) => {
    provider.engine.tasks = [other()];
    expect(await look(made + 60_000)).toEqual([]);
    expect(provider.engine.changes()).toEqual([]);
  });

  test("is undefined for a first deployment, which cannot be rolled back", async () => {
    for (const State of [undefined, "completed", "rollback_started", "paused"]) {
      service().UpdateStatus = State && { State };
      expect(await look(made + 60_000)).toEqual([]);
    }
  });

  test("does not keep another from its turn when the engine refuses", async () => {
    provider.engine.addService("g");
    provider.engine.services[1].UpdateStatus = { State: "updating" };
    provider.engine.intercept = ({ path }) =>
      path.endsWith("/id-f/update")
        ? { status: 500, body: { message: "update out of sequence" } }
        : undefined;
    expect(await look(made + 60_000)).toEqual(["g"]);
    expect(warnings).toEqual(["update could not be taken back"]);
  });

  test("is reported in the function's status and in the list", async () => {
    const of = async (path: string) => (await provider.call("GET", path)).json();
    const status = await of("/system/function/f");
    expect(status.problem).toMatchObject({
      kind: "cannot start",
      message: expect.stringContaining("constraints"),
    });
    expect(status.rollout).toEqual({ running: 0, preparing: 0 });
    expect((await of("/system/functions"))[0].problem.kind).toBe("cannot start");
  });
});
