import { faasFunction } from "../../../plugin/src/resources/function";
import {
  type FunctionInputs,
  type FunctionStatus,
  cpuShare,
  extrasOf,
  inputsFound,
  memoryBytes,
  renderDeployment,
  sameImage,
} from "../../../plugin/src/resources/functionSpec";

const wanted = (more: object = {}): FunctionInputs =>
  faasFunction.schema.parse({
    username: "admin",
    password: "canary-5f1d",
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

  it.each([
    ["128Mi", 134217728],
    ["128m", 134217728],
    ["1G", 1e9],
    ["1024", 1024],
    ["1.5Ki", 1536],
  ])("of %s has %d bytes", (text, bytes) => expect(memoryBytes(text)).toBe(bytes));

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

  it("allows zero replicas where the function scales to zero", () => {
    const zero = wanted({ labels: { "com.openfaas.scale.zero": "true" } });
    expect(
      inputsFound(zero, { name: "hello", replicas: 0 }, extrasOf(zero, { name: "hello" })).replicas,
    ).toBeUndefined();
  });
});

it("a new password rolls no function, a new variable does", () => {
  expect(
    faasFunction.changed?.(wanted(), wanted({ password: "new", gateway: { port: 8081 }, waitSeconds: 9 })),
  ).toEqual([]);
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
