import { parseDeployment } from "../../../../services/swarm-provider/src/deployment";
import { initialReplicas, renderSpec, type SpecContext } from "../../../../services/swarm-provider/src/spec";
import { isFunction, toStatus } from "../../../../services/swarm-provider/src/status";
import type { ServiceRecord } from "../../../../services/swarm-provider/src/records";

const NETWORK = "openfaas-fn";
const DIGEST = `sha256:${"a".repeat(64)}`;

const full = {
  service: "resize",
  image: `registry.lab:5000/resize:1@${DIGEST}`,
  envProcess: "node index.js",
  envVars: { zeta: "1", alpha: "a=b" },
  constraints: ["node.role==worker"],
  secrets: ["tls-key", "api-key"],
  labels: { team: "web", "com.openfaas.scale.min": "2", "com.openfaas.scale.max": "4" },
  annotations: { topic: "images" },
  limits: { memory: "128m", cpu: "500m" },
  requests: { memory: "64Mi", cpu: "0.1" },
  readOnlyRootFilesystem: true,
};

function render(body: object = full, context: Partial<SpecContext> = {}) {
  const secrets = {
    "tls-key": { ID: "id-tls", Spec: { Name: "tls-key" } },
    "api-key": { ID: "id-api", Spec: { Name: "api-key.v3" } },
  };
  return renderSpec(parseDeployment(body, NETWORK), {
    network: NETWORK,
    secrets,
    stopGraceMs: 60_000,
    ...context,
  });
}

function record(spec: ReturnType<typeof render>): ServiceRecord {
  return { ID: "s1", Version: { Index: 1 }, CreatedAt: "2026-01-02T03:04:05.123456789Z", Spec: spec };
}

const small = { service: "a", image: "a:1" };

test("less memory than the engine takes becomes its least amount, and is read back as it was written", () => {
  const amounts = { limits: { memory: "5Mi" }, requests: { memory: "1Mi" } };
  const spec = render({ ...small, ...amounts });
  expect(spec.TaskTemplate.Resources).toEqual({
    Limits: { MemoryBytes: 6 * 1024 ** 2, Pids: 1024 },
    Reservations: { MemoryBytes: 4 * 1024 ** 2 },
  });
  expect(toStatus(record(spec), 1, NETWORK)).toMatchObject(amounts);
});

test("a full deployment renders as it always did", () => expect(render()).toMatchSnapshot());

test("a small one renders as it always did", () => expect(render(small)).toMatchSnapshot());

test("it is named and marked as the function it is, whatever its labels", () => {
  expect(render()).toMatchObject({
    Name: "resize",
    Labels: { "com.openfaas.function": "resize", function: "true", team: "web" },
  });
});

test("it is found by DNS, has no port, and only the functions' network", () => {
  expect(render().EndpointSpec).toEqual({ Mode: "dnsrr" });
  expect(render().TaskTemplate.Networks).toEqual([{ Target: NETWORK }]);
});

test("it is updated by starting before stopping, and rolled back when that fails", () => {
  expect(render().UpdateConfig).toMatchObject({ Order: "start-first", FailureAction: "rollback" });
  expect(render().UpdateConfig!.Monitor).toBeGreaterThan(0);
});

test("its secrets are where OpenFaaS's functions look for them", () => {
  expect(
    render().TaskTemplate.ContainerSpec!.Secrets!.map((s) => [s.SecretID, s.SecretName, s.File!.Name]),
  ).toEqual([
    ["id-api", "api-key.v3", "/var/openfaas/secrets/api-key"],
    ["id-tls", "tls-key", "/var/openfaas/secrets/tls-key"],
  ]);
});

test("it has an init, so that functions without a handler for SIGTERM end when they are told to", () =>
  expect(render(small).TaskTemplate.ContainerSpec!.Init).toBe(true));

describe("what a replica may do", () => {
  const sandbox = (annotations: Record<string, string>) => {
    const { ContainerSpec: container, Resources } = render({ ...small, annotations }).TaskTemplate;
    const { CapabilityDrop, CapabilityAdd, Privileges } = container!;
    return { CapabilityDrop, CapabilityAdd, Privileges, Pids: Resources!.Limits!.Pids };
  };

  test("is next to nothing", () =>
    expect(sandbox({})).toEqual({
      CapabilityDrop: ["ALL"],
      Privileges: { NoNewPrivileges: true },
      Pids: 1024,
    }));

  test("is what its annotations give back, each by name", () =>
    expect(
      sandbox({
        "com.oslo-faas.pids": "64",
        "com.oslo-faas.capabilities": "SETUID, CHOWN",
        "com.oslo-faas.new-privileges": "true",
      }),
    ).toEqual({ CapabilityDrop: ["ALL"], CapabilityAdd: ["CAP_CHOWN", "CAP_SETUID"], Pids: 64 }));
});

test("a read-only root still has a /tmp", () => {
  const container = render().TaskTemplate.ContainerSpec!;
  expect(container.ReadOnly).toBe(true);
  expect(container.Mounts).toMatchObject([{ Type: "tmpfs", Target: "/tmp" }]);
  expect(render(small).TaskTemplate.ContainerSpec).not.toHaveProperty("ReadOnly");
});

test("the order in which a deployment is written changes nothing that runs", () => {
  const turned = { ...full, envVars: { alpha: "a=b", zeta: "1" }, secrets: ["api-key", "tls-key"] };
  expect(render(turned).TaskTemplate).toEqual(render().TaskTemplate);
});

test("labels and annotations change nothing that runs", () => {
  const other = { ...full, labels: { ...full.labels, "com.openfaas.scale.max": "9" }, annotations: {} };
  expect(render(other).TaskTemplate).toEqual(render().TaskTemplate);
});

test("an update starts new replicas of a tag, which may be another image by now, and not of a digest", () => {
  const current = { replicas: 1, forceUpdate: 7 };
  expect(render(small, { current }).TaskTemplate.ForceUpdate).toBe(8);
  expect(render(full, { current }).TaskTemplate.ForceUpdate).toBe(7);
});

test.each([
  ["new", {}, undefined, 1],
  ["new with a minimum", { min: "3" }, undefined, 3],
  ["new with a minimum of none", { min: "0" }, undefined, 0],
  ["update", {}, 5, 5],
  ["update of one that is scaled to none", {}, 0, 0],
  ["update with a higher minimum", { min: "3" }, 1, 3],
  ["update with a lower maximum", { max: "2" }, 5, 2],
])("replicas: %s", (_what, { min, max }: { min?: string; max?: string }, current, expected) => {
  const labels = {
    ...(min ? { "com.openfaas.scale.min": min } : {}),
    ...(max ? { "com.openfaas.scale.max": max } : {}),
  };
  expect(initialReplicas(labels, current)).toBe(expected);
});

describe("read back", () => {
  test("it is what was sent", () => {
    const { service, ...sent } = full;
    const status = toStatus(record(render()), 1, NETWORK);
    expect(status).toMatchObject({
      name: service,
      ...sent,
      secrets: ["api-key", "tls-key"],
      replicas: 2,
      availableReplicas: 1,
    });
    expect(status.labels).toEqual(full.labels);
    expect(new Date(status.createdAt).getUTCFullYear()).toBe(2026);
  });

  test("nothing is null, which crashes clients", () => {
    const text = JSON.stringify(toStatus(record(render(small)), 0, NETWORK));
    expect(text).not.toContain("null");
    expect(JSON.parse(text)).toMatchObject({
      labels: {},
      annotations: {},
      envVars: {},
      constraints: [],
      secrets: [],
    });
  });

  test("a limit changed by hand shows, and not what was once written", () => {
    const spec = render();
    spec.TaskTemplate.Resources!.Limits = { MemoryBytes: 256 * 1024 * 1024, NanoCPUs: 2e9 };
    expect(toStatus(record(spec), 0, NETWORK).limits).toEqual({ memory: "256Mi", cpu: "2" });
  });
});

test("a service is a function only when its label names it", () => {
  const service = record(render());
  expect(isFunction(service)).toBe(true);
  expect(isFunction({ ...service, Spec: { ...service.Spec, Name: "other" } })).toBe(false);
  expect(isFunction({ ...service, Spec: { ...service.Spec, Labels: {} } })).toBe(false);
  expect(isFunction({ ...service, Spec: { ...service.Spec, Mode: { Global: {} } } })).toBe(false);
});
