/** Function against a gateway over real HTTP: waiting, taking over, refusing, rolling back of counts. The gateway is this test's own. */
import type { RunOptions, RunResult, Session } from "../../providers/host/src/session";
import { faasFunction } from "../../providers/openfaas/src/resources/function";
import {
  type FunctionInputs,
  type FunctionStatus,
  extrasOf,
} from "../../providers/openfaas/src/resources/functionSpec";
import { functionSecret } from "../../providers/openfaas/src/resources/functionSecret";
import { FakeGateway } from "../unit/providers/openfaas/fakeGateway";
import { gatewayContext } from "../unit/providers/openfaas/gatewayContext";
import { LocalSession } from "../unit/providers/host/localSession";

const PASSWORD = "canary-5f1d";

/** An engine whose update goes through these states, one a look; the last one stays. */
class EngineSession extends LocalSession {
  constructor(private readonly states: string[]) {
    super();
  }

  async run(script: string, options: RunOptions): Promise<RunResult> {
    const answer = (stdout: string) => ({ code: 0, stdout, stderr: "" });
    if (options.step.includes("update"))
      return answer(this.states.length > 1 ? this.states.shift()! : this.states[0]!);
    if (options.step.includes("log")) return answer("--- its log\nno such module: fjord");
    return super.run(script, options);
  }
}

describe("through a gateway", () => {
  let gateway: FakeGateway;
  let port: number;
  const at = (more: object = {}): FunctionInputs =>
    faasFunction.schema.parse({
      name: "hello",
      image: "registry/hello:1",
      env: { GREETING: "hei" },
      labels: { team: "a" },
      waitSeconds: 5,
      ...more,
    });
  const context = (session: Session = new LocalSession(), password = PASSWORD) =>
    gatewayContext(session, { port, password });

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

  it("takes over a managed function that an interrupted run left", async () => {
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

  it("waits for the end of another update to do so, and does it before its own", async () => {
    const { outputs } = await faasFunction.create(context(), at());
    Object.assign(gateway.functions.get("hello") as FunctionStatus, { replicas: 30 });
    const found = JSON.stringify(gateway.functions.get("hello"));
    gateway.troubles = [
      [200, "OK"],
      [200, found],
      [200, found],
      [409, "hello is being updated"],
    ];
    await faasFunction.update(context(), "hello", at({ replicas: 30 }), at(), outputs);
    const changes = gateway.calls.filter(({ method }) => method !== "GET").slice(1);
    expect(changes.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /system/scale-function/hello",
      "POST /system/scale-function/hello",
      "PUT /system/functions",
    ]);
  });

  it("goes on where a deployment took effect and its answer was lost", async () => {
    gateway.lost = 1;
    await faasFunction.create(context(), at());
    expect(gateway.calls.filter(({ method }) => method === "POST")).toHaveLength(2);
    expect(gateway.functions.get("hello")?.image).toBe("registry/hello:1");
  });

  it("does not take for its own what another deployed in between", async () => {
    const theirs = { name: "hello", image: "theirs", labels: {} };
    gateway.troubles = [
      [200, "OK"],
      [404, ""],
      [502, "rolling"],
    ];
    gateway.functions.set("hello", theirs);
    await expect(faasFunction.create(context(), at())).rejects.toThrow("(400): Deployment error");
    expect(gateway.functions.get("hello")).toBe(theirs);
  });

  it("waits for the end of another update before its own, and not for ever", async () => {
    const { outputs } = await faasFunction.create(context(), at());
    const found = JSON.stringify(gateway.functions.get("hello"));
    const before: [number, string][] = [
      [200, "OK"],
      [200, found],
      [200, found],
    ];
    const news = at({ image: "registry/hello:2" });
    gateway.troubles = [...before, [409, "hello is being updated"]];
    await faasFunction.update(context(), "hello", at(), news, outputs);
    expect(gateway.functions.get("hello")?.image).toBe("registry/hello:2");
    gateway.troubles = [...before, ...Array.from({ length: 30 }, (): [number, string] => [409, "busy"])];
    await expect(faasFunction.update(context(), "hello", news, at(), outputs)).rejects.toThrow("(409): busy");
  });

  it("names the user and never the password where the gateway refuses them", async () => {
    const attempt = faasFunction.create(context(undefined, "wrong-canary"), at());
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

  describe("an update", () => {
    const update = async (states: string[], news: FunctionInputs) => {
      const { outputs } = await faasFunction.create(context(), at());
      gateway.calls.length = 0;
      return faasFunction.update(context(new EngineSession(states)), "hello", at(), news, outputs);
    };

    it("ends when the engine has finished, even while old replicas still answer", async () => {
      await update(["", "updating", "updating", "completed"], at({ image: "registry/hello:2" }));
      expect(gateway.calls.filter(({ method }) => method === "GET").length).toBeGreaterThanOrEqual(4);
    });

    it("that changes nothing for the engine is over as well", async () => {
      await expect(update([""], at({ labels: { team: "b" } }))).resolves.toMatchObject({
        path: "/function/hello",
      });
    });

    it("of a function that idles without a replica wakes nothing, and is not waited for", async () => {
      const zero = (more: object = {}) => at({ labels: { "com.openfaas.scale.zero": "true" }, ...more });
      const { outputs } = await faasFunction.create(context(), zero());
      (gateway.functions.get("hello") as FunctionStatus).replicas = 0;
      const news = zero({ image: "registry/hello:2" });
      await faasFunction.update(context(), "hello", zero(), news, outputs);
      expect(gateway.functions.get("hello")).toMatchObject({ image: "registry/hello:2", replicas: 0 });
    });

    it("that the engine takes back fails with the function's log, and says what serves", async () => {
      const failed = update(["updating", "rollback_started", "rollback_completed"], at({ env: { A: "b" } }));
      await expect(failed).rejects.toMatchObject({
        message:
          "the new version of the function hello did not stay up, and the version before it serves, with 1 replica",
        details: { output: "--- its log\nno such module: fjord" },
      });
    });

    it("of a secret alone is waited for, and deploys nothing by itself", async () => {
      const { outputs } = await faasFunction.create(context(), at({ secretRevisions: { key: 1 } }));
      gateway.calls.length = 0;
      const engine = context(new EngineSession(["updating", "rollback_completed"]));
      const [olds, news] = [at({ secretRevisions: { key: 1 } }), at({ secretRevisions: { key: 2 } })];
      await expect(faasFunction.update(engine, "hello", olds, news, outputs)).rejects.toThrow(
        "did not stay up",
      );
      expect(gateway.calls.map(({ method }) => method)).not.toContain("PUT");
    });

    it("says what the provider knows of the failure", async () => {
      const { outputs } = await faasFunction.create(context(), at());
      gateway.comesUpWith = (status) => {
        status.problem = { kind: "rolled back", message: "exit code 1", log: ["no such fjord"] };
        return 1;
      };
      const failed = faasFunction.update(
        context(),
        "hello",
        at(),
        at({ image: "registry/hello:2" }),
        outputs,
      );
      await expect(failed).rejects.toMatchObject({
        message: expect.stringContaining("with 1 replica (exit code 1)"),
        details: { output: "--- its log\nno such fjord" },
      });
    });
  });

  describe("a secret", () => {
    const CANARY = "canary-of-a-secret";
    const secret = (more: object = {}) =>
      functionSecret.schema.parse({
        name: "key",
        value: CANARY,
        ...more,
      });

    it("is set, found, given another value, and removed", async () => {
      const { id, outputs } = await functionSecret.create(context(), secret());
      expect([id, outputs]).toEqual(["key", { revision: 1 }]);
      expect(gateway.secrets.get("key")).toBe(CANARY);
      expect((await functionSecret.read(context(), id, secret(), outputs))?.inputs).toEqual(secret());
      const news = secret({ value: "another" });
      expect(await functionSecret.update(context(), id, secret(), news, outputs)).toEqual({ revision: 2 });
      expect(gateway.calledWith("PUT", "/system/secrets")?.body).toEqual({ name: "key", value: "another" });
      await functionSecret.delete(context(), id, news, outputs);
      expect(gateway.secrets.size).toBe(0);
      await expect(functionSecret.read(context(), id, news, outputs)).resolves.toBeUndefined();
      await functionSecret.delete(context(), id, news, outputs);
    });

    it("that is gone is set again, and one that is there is given the environment's value", async () => {
      gateway.secrets.set("key", "by hand");
      await functionSecret.create(context(), secret());
      expect(gateway.secrets.get("key")).toBe(CANARY);
      gateway.secrets.clear();
      await functionSecret.update(context(), "key", secret(), secret({ value: "b" }), { revision: 1 });
      expect(gateway.secrets.get("key")).toBe("b");
    });

    it("goes on where it was made and the answer was lost, and waits for an update to end", async () => {
      gateway.lost = 1;
      await functionSecret.create(context(), secret());
      expect(gateway.calls.filter(({ method }) => method !== "GET").map(({ method }) => method)).toEqual([
        "POST",
        "POST",
      ]);
      gateway.troubles = [
        [200, "OK"],
        [200, JSON.stringify([{ name: "key" }])],
        [409, "hello is being updated"],
      ];
      await functionSecret.update(context(), "key", secret(), secret({ value: "b" }), { revision: 1 });
      expect(gateway.secrets.get("key")).toBe("b");
    });

    it("takes over an existing secret with a warning", async () => {
      gateway.secrets.set("key", "by hand");
      const log = context();
      await functionSecret.create(log, secret());
      expect(log.logged).toMatchObject([
        { severity: "warning", message: expect.stringContaining("the secret key already existed") },
      ]);
    });

    it("waits for an update that may go back to it, and is in no message", async () => {
      await functionSecret.create(context(), secret());
      gateway.troubles = [
        [200, "OK"],
        [409, "in use"],
      ];
      await functionSecret.delete(context(), "key", secret(), { revision: 1 });
      expect(gateway.secrets.size).toBe(0);
      gateway.troubles = [
        [200, "OK"],
        [200, "[]"],
        [500, `cannot store ${CANARY}`],
      ];
      const refused = functionSecret.create(context(), secret());
      await expect(refused).rejects.toThrow("refused the secret key (500): cannot store [secret]");
    });
  });
});
