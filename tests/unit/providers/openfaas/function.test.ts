import { faasFunction } from "../../../../providers/openfaas/src/resources/function";
import {
  type FunctionInputs,
  type FunctionStatus,
  cpuShare,
  extrasOf,
  inputsFound,
  memoryBytes,
  renderDeployment,
  sameImage,
  strayReplicas,
} from "../../../../providers/openfaas/src/resources/functionSpec";

import { RolloutTimeout } from "../../../../providers/openfaas/src/resources/rollout";
import { parseMemory } from "../../../../shared/size";

const wanted = (more: object = {}): FunctionInputs =>
  faasFunction.schema.parse({
    name: "hello",
    image: "registry/hello:1",
    env: { GREETING: "hei" },
    labels: { team: "a" },
    waitSeconds: 5,
    ...more,
  });

describe("a deployment", () => {
  it("is what the gateway takes, with our label and without the credentials", () => {
    expect(
      renderDeployment(wanted({ limits: { memory: "64Mi" }, secrets: ["key"], envProcess: "cat" })),
    ).toEqual({
      service: "hello",
      image: "registry/hello:1",
      envProcess: "cat",
      envVars: { GREETING: "hei" },
      constraints: [],
      secrets: ["key"],
      labels: { team: "a", "com.oslo-faas.managed": "true" },
      annotations: {},
      limits: { memory: "64Mi" },
      readOnlyRootFilesystem: false,
    });
  });

  it("carries the login of its registry in OpenFaaS's own form, and a new one is an update and no replacement", () => {
    const with_ = (registryAuth: string) => wanted({ registryAuth });
    const { registryAuth } = renderDeployment(with_("ci:pass:word")) as { registryAuth: string };
    expect(Buffer.from(registryAuth, "base64").toString()).toBe("ci:pass:word");
    expect(faasFunction.changed!(with_("ci:a"), with_("ci:b"))).toEqual(["registryAuth"]);
    expect(faasFunction.replaceOn).not.toContain("registryAuth");
    expect(faasFunction.secrets).toContain("registryAuth");
    const error = faasFunction.schema.safeParse({ ...with_("ci:a"), registryAuth: "canary" }).error!;
    expect(error.message).toContain("is not user:password");
    expect(error.message).not.toContain("canary");
  });

  it.each([
    ["128Mi", 134217728],
    ["128m", 134217728],
    // As Docker and the provider read it, whatever Kubernetes would make of it.
    ["1G", 1024 ** 3],
    ["1GB", 1024 ** 3],
    ["512M", 512 * 1024 ** 2],
    ["2k", 2048],
    ["1024", 1024],
    ["1.5Ki", 1536],
  ])("of %s has %d bytes, for the provider as well", (text, bytes) => {
    expect(memoryBytes(text)).toBe(bytes);
    expect(parseMemory(text)).toBe(bytes);
  });

  it.each([
    ["100m", 0.1],
    ["0.5", 0.5],
  ])("of cpu %s has the share %d", (text, share) => expect(cpuShare(text)).toBeCloseTo(share));

  it("runs an image also where the provider says its digest, and not where it is another", () => {
    expect(sameImage("r/hello:1", "r/hello:1@sha256:ab")).toBe(true);
    expect(sameImage("r/hello:1", "r/hello:10")).toBe(false);
  });
});

describe("drift", () => {
  const inputs = wanted({
    secrets: ["b", "a"],
    limits: { memory: "64Mi", cpu: "100m" },
    labels: { "com.openfaas.scale.min": "2", "com.openfaas.scale.max": "5" },
  });
  const status: FunctionStatus = {
    name: "hello",
    image: "registry/hello:1@sha256:ab",
    envVars: { GREETING: "hei", fprocess: "cat" },
    secrets: ["a", "b"],
    labels: { ...inputs.labels, "com.oslo-faas.managed": "true", "com.openfaas.function": "hello" },
    annotations: {},
    limits: { memory: "67108864", cpu: "0.1" },
    replicas: 2,
    availableReplicas: 2,
  };
  const extras = extrasOf(inputs, status);
  const found = (change: Partial<FunctionStatus>) => inputsFound(inputs, { ...status, ...change }, extras);

  it.each([2, 3, 5])(
    "is none with %d replicas of 2 to 5, although units and order are written otherwise",
    (replicas) => {
      expect(found({ replicas })).toEqual(inputs);
    },
  );

  it.each<[string, Partial<FunctionStatus>, Partial<FunctionInputs>]>([
    ["too few replicas", { replicas: 0 }, { replicas: 0 }],
    ["too many replicas", { replicas: 9 }, { replicas: 9 }],
    ["another image", { image: "registry/hello:2" }, { image: "registry/hello:2" }],
    ["another variable", { envVars: { GREETING: "hallo", fprocess: "cat" } }, { env: { GREETING: "hallo" } }],
    [
      "one variable more",
      { envVars: { GREETING: "hei", DEBUG: "1" } },
      { env: { GREETING: "hei", DEBUG: "1" } },
    ],
    ["variables gone altogether", { envVars: undefined }, { env: {} }],
    [
      "another limit",
      { limits: { memory: "128Mi", cpu: "0.1" } },
      { limits: { memory: "128Mi", cpu: "100m" } },
    ],
    ["no limit any more", { limits: undefined }, { limits: {} }],
    ["a secret less", { secrets: ["a"] }, { secrets: ["a"] }],
  ])("shows %s", (_what, change, difference) => {
    expect(found(change)).toEqual({ ...inputs, ...difference });
  });

  it.each([
    ["no alert scales it", { "com.openfaas.scale.factor": "0" }, [1], [0, 2]],
    ["its least is its most", { "com.openfaas.scale.min": "3", "com.openfaas.scale.max": "3" }, [3], [2, 4]],
    [
      "it may sleep and no alert scales it",
      { "com.openfaas.scale.zero": "true", "com.openfaas.scale.factor": "0" },
      [0, 1],
      [2],
    ],
    ["an alert may scale it", { "com.openfaas.scale.factor": "20" }, [1, 2, 20], [0, 21]],
  ])("of replicas where %s is every other count", (_what, labels, none, drift) => {
    const one = wanted({ labels });
    const stray = (replicas: number) => strayReplicas(one, { name: "hello", replicas });
    expect(none.map(stray)).toEqual(none.map(() => undefined));
    expect(drift.map(stray)).toEqual(drift);
  });

  it("allows zero replicas where the function scales to zero", () => {
    const zero = wanted({ labels: { "com.openfaas.scale.zero": "true" } });
    expect(
      inputsFound(zero, { name: "hello", replicas: 0 }, extrasOf(zero, { name: "hello" })).replicas,
    ).toBeUndefined();
  });
});

it("a longer wait rolls no function, a new variable does", () => {
  expect(faasFunction.changed?.(wanted(), wanted({ waitSeconds: 9 }))).toEqual([]);
  expect(faasFunction.changed?.(wanted(), wanted({ env: {} }))).toEqual(["env"]);
});

it.each([
  { name: "Hello" },
  { labels: { "com.openfaas.scale.min": "x" } },
  { labels: { "com.openfaas.scale.min": "5", "com.openfaas.scale.max": "2" } },
  { labels: { "com.oslo-faas.managed": "no" } },
  { limits: { memory: "a lot" } },
])("%j is refused", (change) => {
  expect(() => wanted(change)).toThrow();
});

describe("a rollout is waited for", () => {
  let now = 0;
  let timeout: RolloutTimeout;
  const found = (running: number, preparing = 0, more: object = {}): FunctionStatus => ({
    name: "hello",
    rollout: { running, preparing },
    ...more,
  });
  const after = (seconds: number, status?: FunctionStatus) => {
    now += seconds * 1000;
    timeout.note(status);
    return timeout.isOver();
  };
  beforeEach(() => {
    now = 0;
    timeout = new RolloutTimeout(120, () => now);
  });

  it("for its time where nothing moves", () => {
    expect(after(119, found(0))).toBe(false);
    expect(after(1, found(0))).toBe(true);
    expect(timeout.progressed).toBe(false);
  });

  it("for as long as its image is fetched, and its time from then on", () => {
    for (let minute = 0; minute < 20; minute++) expect(after(60, found(0, 1))).toBe(false);
    expect(after(119, found(0))).toBe(false);
    expect(after(1, found(0))).toBe(true);
    expect(timeout.progressed).toBe(true);
  });

  it("for half an hour at most", () => {
    for (let minute = 1; minute < 30; minute++) expect(after(60, found(0, 1))).toBe(false);
    expect(after(60, found(0, 1))).toBe(true);
  });

  it("anew with each replica that comes up, and not with one that comes and goes", () => {
    for (const running of [1, 2, 3]) expect(after(100, found(running))).toBe(false);
    expect(after(60, found(2))).toBe(false);
    expect(after(60, found(3))).toBe(true);
  });

  it("no longer for an image that cannot be had, or by a provider that does not say", () => {
    const problem = { kind: "cannot start", message: "No such image" };
    expect(after(100, found(0, 1, { problem }))).toBe(false);
    expect(after(19, { name: "hello" })).toBe(false);
    expect(after(1, undefined)).toBe(true);
  });
});
