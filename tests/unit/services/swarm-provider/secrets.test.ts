import { setTimeout as sleep } from "node:timers/promises";
import { Engine } from "../../../../services/swarm-provider/src/engine";
import { Functions } from "../../../../services/swarm-provider/src/functions";
import { Readiness } from "../../../../services/swarm-provider/src/readiness";
import { Secrets } from "../../../../services/swarm-provider/src/secrets";
import { byName, engineName } from "../../../../services/swarm-provider/src/secretVersions";
import { Provider } from "./support";

let provider: Provider;

beforeEach(async () => {
  provider = await Provider.start();
});
afterEach(async () => provider.stop());

const call = (method: string, body?: object) => provider.call(method, "/system/secrets", body);
const names = () => provider.engine.secrets.map(({ Spec }) => Spec.Name);
const secretsOf = (name: string) =>
  provider.engine.services.find(({ Spec }) => Spec.Name === name).Spec.TaskTemplate.ContainerSpec.Secrets;

async function deploy(service: string, secrets: string[]): Promise<void> {
  const answer = await provider.call("POST", "/system/functions", { service, image: "a:1", secrets });
  expect(answer.status).toBe(202);
  const spec = provider.engine.lastAsked("/services/create").body;
  provider.engine.addService(service, spec);
}

/** With a clock of its own, so that a test need not wait for the next look. */
function sweeper(): Secrets {
  const engine = new Engine(provider.engine.socket, 1000);
  const options = {
    network: "openfaas-fn",
    port: 8080,
    stopGraceMs: 1000,
    deleteTimeoutMs: 100,
    settleMs: 300,
  };
  const functions = new Functions(engine, options, new Readiness("openfaas-fn", 8080));
  return new Secrets(engine, functions, { network: "openfaas-fn", sweepMs: 10 });
}

test("are created with the owner's label, text or raw, and once", async () => {
  expect((await call("POST", { name: "key", value: "væ" })).status).toBe(201);
  expect(provider.engine.asked.at(-1)!.body).toEqual({
    Name: "key",
    Labels: { "com.openfaas.owner": "openfaas" },
    Data: Buffer.from("væ").toString("base64"),
  });
  await call("POST", { name: "raw", rawValue: "AAEC" });
  expect(provider.engine.asked.at(-1)!.body.Data).toBe("AAEC");
  expect((await call("POST", { name: "key", value: "other" })).status).toBe(409);
});

test.each([
  [{ value: "x" }, /^name: is required/],
  [{ name: "a/b", value: "x" }, /^name: must be/],
  [{ name: "a" }, /^value: is required/],
  [{ name: "a", value: "x".repeat(512001) }, /^value: has 512001 bytes; at most 512000/],
  [{ name: "a", value: "x", namespace: "other" }, /^namespace: /],
])("of %# are refused", async (body, text) => {
  expect(await call("POST", body)).toMatchObject({ status: 400, text: expect.stringMatching(text) });
  expect(provider.engine.changes()).toEqual([]);
});

test("that are not there are neither replaced nor removed", async () => {
  expect((await call("PUT", { name: "key", value: "new" })).status).toBe(404);
  expect((await call("DELETE", { name: "key" })).status).toBe(404);
});

describe("a new value", () => {
  beforeEach(async () => {
    for (const name of ["key", "other"]) await call("POST", { name, value: "1" });
    await deploy("user", ["key", "other"]);
    await deploy("bystander", ["other"]);
  });

  test("rolls the functions that use the old one, and no others", async () => {
    const before = structuredClone(provider.engine.services);
    const answer = await call("PUT", { name: "key", value: "2" });
    expect(answer).toMatchObject({ status: 200, text: "rolled out to user" });
    const created = provider.engine.lastAsked("/secrets/create");
    expect(created.body).toEqual({
      Name: "key.v2",
      Labels: {
        "com.openfaas.owner": "openfaas",
        "com.openfaas.secret.name": "key",
        "com.openfaas.secret.version": "2",
      },
      Data: Buffer.from("2").toString("base64"),
    });
    const key = secretsOf("user").find(({ File }: any) => File.Name === "/var/openfaas/secrets/key");
    expect(key).toMatchObject({ SecretName: "key.v2" });
    const [user, bystander] = structuredClone(provider.engine.services);
    expect(bystander).toEqual(before[1]);
    // But for that one secret the function is what it was.
    user.Spec.TaskTemplate.ContainerSpec.Secrets = before[0].Spec.TaskTemplate.ContainerSpec.Secrets;
    expect(user.Spec).toEqual(before[0].Spec);
  });

  test("is listed and read back under the secret's own name", async () => {
    await call("PUT", { name: "key", value: "2" });
    const list = [
      { name: "key", namespace: "openfaas-fn" },
      { name: "other", namespace: "openfaas-fn" },
    ];
    expect((await call("GET")).json()).toEqual(list);
    const status = (await provider.call("GET", "/system/function/user")).json();
    expect(status.secrets).toEqual(["key", "other"]);
    await deploy("later", ["key"]);
    expect(secretsOf("later")).toMatchObject([{ SecretName: "key.v2" }]);
    expect((await call("POST", { name: "key", value: "3" })).status).toBe(409);
  });

  test("leaves the old one as long as the update may go back to it, and no longer", async () => {
    await call("PUT", { name: "key", value: "2" });
    const user = provider.engine.services[0];
    for (const State of [undefined, "updating", "rollback_started", "paused"]) {
      user.UpdateStatus = State && { State };
      expect(await sweeper().sweep()).toBe(1);
    }
    user.UpdateStatus = { State: "completed" };
    expect(await sweeper().sweep()).toBe(0);
    expect(names()).toEqual(["other", "key.v2"]);
  });

  test("of a function that has gone back leaves it what it uses", async () => {
    await call("PUT", { name: "key", value: "2" });
    const user = provider.engine.services[0];
    [user.Spec, user.PreviousSpec] = [user.PreviousSpec, user.Spec];
    user.UpdateStatus = { State: "rollback_completed" };
    expect(await sweeper().sweep()).toBe(1);
    expect((await call("DELETE", { name: "key" })).status).toBe(409);
    expect(names()).toEqual(["key", "other", "key.v2"]);
    // The next value reaches it as well.
    await call("PUT", { name: "key", value: "3" });
    expect(secretsOf("user")).toMatchObject([{ SecretName: "key.v3" }, { SecretName: "other" }]);
  });

  test("is swept by itself once nothing needs the old one", async () => {
    await call("PUT", { name: "key", value: "2" });
    const secrets = sweeper();
    secrets.sweepSoon();
    await sleep(50);
    expect(names()).toContain("key");
    provider.engine.services[0].UpdateStatus = { State: "completed" };
    for (let i = 0; i < 100 && names().includes("key"); i++) await sleep(20);
    secrets.close();
    expect(names()).toEqual(["other", "key.v2"]);
  });

  test("passes over a number that is taken", async () => {
    await call("POST", { name: "key.v2", value: "somebody's own" });
    await call("PUT", { name: "key", value: "2" });
    expect(names()).toEqual(["key", "other", "key.v2", "key.v3"]);
    expect(secretsOf("user")).toMatchObject([{ SecretName: "key.v3" }, { SecretName: "other" }]);
  });

  test("is removed in all versions, once no function uses one", async () => {
    await call("PUT", { name: "key", value: "2" });
    expect(await call("DELETE", { name: "key" })).toMatchObject({
      status: 409,
      text: expect.stringContaining("in use by a function"),
    });
    provider.engine.services.shift();
    expect((await call("DELETE", { name: "key" })).status).toBe(200);
    expect(names()).toEqual(["other"]);
  });
});

test("a version's name has room for its number", () => {
  const name = engineName("k".repeat(64), 12);
  expect(name).toHaveLength(64);
  expect(name.endsWith("k.v12")).toBe(true);
});

test("versions are counted, not spelled", () => {
  const secret = (version: number) => ({
    ID: String(version),
    Spec: {
      Name: `k.v${version}`,
      Labels: { "com.openfaas.secret.name": "k", "com.openfaas.secret.version": `${version}` },
    },
  });
  expect(
    byName([secret(9), secret(10), secret(2)])
      .get("k")!
      .map(({ ID }) => ID),
  ).toEqual(["10", "9", "2"]);
});
