/** Function against a gateway over real HTTP: waiting, taking over, refusing, rolling back of counts. The gateway is this test's own. */
import { faasFunction } from "../../plugin/src/resources/function";
import { type FunctionInputs, type FunctionStatus, extrasOf } from "../../plugin/src/resources/functionSpec";
import { FakeGateway } from "../unit/plugin/fakeGateway";
import { LocalSession, contextOf } from "../unit/plugin/localSession";

const PASSWORD = "canary-5f1d";

describe("through a gateway", () => {
  let gateway: FakeGateway;
  let port: number;
  const at = (more: object = {}): FunctionInputs =>
    faasFunction.schema.parse({
      gateway: { host: "127.0.0.1", port },
      username: "admin",
      password: PASSWORD,
      name: "hello",
      image: "registry/hello:1",
      env: { GREETING: "hei" },
      labels: { team: "a" },
      waitSeconds: 5,
      ...more,
    });
  const context = () => contextOf(new LocalSession());

  beforeEach(async () => {
    gateway = new FakeGateway(PASSWORD);
    port = await gateway.start();
  });
  afterEach(() => gateway.stop());

  it("deploys, sees no difference, updates, and removes", async () => {
    const { id, outputs } = await faasFunction.create(context(), at());
    expect([id, outputs.path]).toEqual(["hello", "/function/hello"]);
    expect(gateway.calledWith("POST", "/system/functions")?.body).toMatchObject({ service: "hello" });
    expect((await faasFunction.read(context(), id, at(), outputs))?.inputs).toEqual(at());

    await faasFunction.update(context(), id, at(), at({ image: "registry/hello:2" }), outputs);
    expect(gateway.functions.get("hello")?.image).toBe("registry/hello:2");

    await faasFunction.delete(context(), id, at(), outputs);
    expect(gateway.functions.size).toBe(0);
    await expect(faasFunction.read(context(), id, at(), outputs)).resolves.toBeUndefined();
    await faasFunction.delete(context(), id, at(), outputs);
  });

  it("does not overwrite a function that someone else deployed", async () => {
    gateway.functions.set("hello", { name: "hello", image: "theirs", labels: {} });
    await expect(faasFunction.create(context(), at())).rejects.toThrow("deployed by someone else");
    expect(gateway.functions.get("hello")?.image).toBe("theirs");
  });

  it("takes up a function of ours that an interrupted run left", async () => {
    gateway.functions.set("hello", {
      name: "hello",
      image: "old",
      labels: { "com.oslo-faas.managed": "true" },
      replicas: 1,
    });
    await faasFunction.create(context(), at());
    expect(gateway.calledWith("PUT", "/system/functions")?.body).toMatchObject({ image: "registry/hello:1" });
  });

  it("waits for a gateway that is on its way up", async () => {
    gateway.troubles = [
      [502, "no provider"],
      [200, "OK"],
      [503, "rolling"],
      [500, 'Get "http://basic-auth-plugin:8080/validate": dial tcp: lookup basic-auth-plugin: no such host'],
    ];
    await faasFunction.create(context(), at());
    expect(gateway.functions.has("hello")).toBe(true);
  });

  it("does not try again what the gateway itself gets wrong", async () => {
    gateway.troubles = [
      [200, "OK"],
      [500, "panic in a handler"],
    ];
    await expect(faasFunction.create(context(), at())).rejects.toThrow("panic in a handler");
  });

  it("fails where the function does not come up, and says what is known", async () => {
    gateway.comesUpWith = () => 0;
    await expect(faasFunction.create(context(), at())).rejects.toThrow(
      "was not up within 5 s: 0 of 1 replicas answer",
    );
  });

  it("brings a count back that no autoscaler would choose", async () => {
    const { outputs } = await faasFunction.create(context(), at());
    (gateway.functions.get("hello") as FunctionStatus).replicas = 0;
    const drift = await faasFunction.read(context(), "hello", at(), outputs);
    expect(drift?.inputs.replicas).toBe(0);
    await faasFunction.update(context(), "hello", drift?.inputs as FunctionInputs, at(), outputs);
    expect(gateway.functions.get("hello")?.replicas).toBe(1);
  });

  it("names the user and never the password where the gateway refuses them", async () => {
    const attempt = faasFunction.create(context(), at({ password: "wrong-canary" }));
    await expect(attempt).rejects.toThrow(/refuses the user admin \(401\)/);
    await expect(attempt).rejects.not.toThrow("wrong-canary");
  });

  it("goes on with a warning where a refresh meets no gateway: it has to be able to repair it", async () => {
    gateway.troubles = Array.from({ length: 100 }, () => [502, "no provider"] as [number, string]);
    const log = context();
    const outputs = { path: "/function/hello", extras: extrasOf(at(), { name: "hello" }) };
    await expect(faasFunction.read(log, "hello", at(), outputs)).resolves.toEqual({ inputs: at(), outputs });
    expect(log.logged[0]).toMatchObject({
      severity: "warning",
      message: expect.stringContaining("within 10 s: 502"),
    });
  });

  it("passes on why the provider refuses", async () => {
    gateway.troubles = [
      [200, "OK"],
      [404, ""],
      [400, "secret key not found"],
    ];
    await expect(faasFunction.create(context(), at())).rejects.toThrow("(400): secret key not found");
  });
});
