import { parseDeployment } from "../../../../services/swarm-provider/src/deployment";
import { ApiError } from "../../../../services/swarm-provider/src/errors";

const NETWORK = "openfaas-fn";
const least = { service: "hello", image: "registry.example:5000/team/hello:1.2" };

function problems(body: unknown): string[] {
  try {
    parseDeployment(body, NETWORK);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).status).toBe(400);
    return (error as ApiError).details;
  }
}

const with_ = (part: object) => problems({ ...least, ...part });

test("the least there can be is filled up with nothing", () => {
  expect(parseDeployment(least, NETWORK)).toMatchObject({
    ...least,
    envVars: {},
    labels: {},
    annotations: {},
    constraints: [],
    secrets: [],
    readOnlyRootFilesystem: false,
  });
});

test("null means nothing, as Go's clients send it", () => {
  const nothing = {
    envVars: null,
    labels: null,
    annotations: null,
    constraints: null,
    secrets: null,
    limits: null,
  };
  expect(
    with_({ ...nothing, requests: null, readOnlyRootFilesystem: null, namespace: "", network: "" }),
  ).toEqual([]);
});

test.each(["openfaas-fn", "func_functions"])("network %s is the functions' network", (network) =>
  expect(with_({ network })).toEqual([]),
);

test("fields of other versions are let through", () => {
  expect(with_({ debug: true, asset: { a: 1 } })).toEqual([]);
});

test.each(["a", "a1", "resize-image", "0-0", "a".repeat(63)])("name %s is taken", (service) =>
  expect(with_({ service })).toEqual([]),
);

test.each(["", "-a", "a-", "A", "a_b", "a.b", "a b", "../x", "a\n", "ä", "a".repeat(64), 7, null])(
  "name %j is refused",
  (service) => expect(with_({ service })[0]).toMatch(/^service: /),
);

test.each([
  "hello",
  "team/hello:latest",
  "localhost:5000/hello",
  "ghcr.io/a/b/c:v1.0_x",
  `hello:1@sha256:${"a".repeat(64)}`,
  `reg.example/hello@sha256:${"0".repeat(64)}`,
])("image %s is taken", (image) => expect(with_({ image })).toEqual([]));

test.each(["", "Hello", "hello:", "a b", "hello@sha256:1", "http://x/y", "hello --privileged", undefined])(
  "image %j is refused",
  (image) => expect(with_({ image })[0]).toMatch(/^image: /),
);

test.each([
  ["namespace", { namespace: "other" }, /^namespace: there is only openfaas-fn/],
  ["network", { network: "host" }, /^network: there is only openfaas-fn/],
  ["a number as variable", { envVars: { n: 1 } }, /^envVars\.n: must be text/],
  ["a variable's name", { envVars: { "a=b": "1" } }, /^envVars\.a=b: cannot name a variable/],
  ["fprocess twice", { envProcess: "a", envVars: { fprocess: "b" } }, /^envVars\.fprocess: /],
  ["a constraint", { constraints: ["node.role==manager", "nonsense"] }, /^constraints\[1\]: "nonsense"/],
  ["a secret's name", { secrets: ["../../etc/passwd"] }, /^secrets\[0\]: /],
  ["a secret twice", { secrets: ["a", "a"] }, /^secrets\[1\]: a is given twice/],
  [
    "a label of the provider",
    { labels: { "com.openfaas.function": "nats" } },
    /^labels\.com\.openfaas\.function: /,
  ],
  ["an annotation as label", { labels: { "com.openfaas.annotations.x": "1" } }, /^labels\.com/],
  [
    "a minimum",
    { labels: { "com.openfaas.scale.min": "-1" } },
    /^labels\.com\.openfaas\.scale\.min: "-1" must be/,
  ],
  [
    "a maximum",
    { labels: { "com.openfaas.scale.max": "0" } },
    /^labels\.com\.openfaas\.scale\.max: "0" must be/,
  ],
  [
    "a factor",
    { labels: { "com.openfaas.scale.factor": "101" } },
    /^labels\.com\.openfaas\.scale\.factor: "101" must be a whole number, from 0 to 100/,
  ],
  [
    "minimum above maximum",
    { labels: { "com.openfaas.scale.min": "5", "com.openfaas.scale.max": "2" } },
    /^labels\.com\.openfaas\.scale\.min: 5 is above/,
  ],
  ["no memory size", { limits: { memory: "lots" } }, /^limits\.memory: "lots" is not an amount such as 64Mi/],
  [
    "more asked than allowed",
    { limits: { cpu: "1" }, requests: { cpu: "2" } },
    /^requests\.cpu: 2 is above limits\.cpu, 1/,
  ],
  ["a read-only word", { readOnlyRootFilesystem: "yes" }, /^readOnlyRootFilesystem: /],
])("%s is refused with its field", (_what, part, message) => {
  const found = with_(part);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(message);
});

test("all mistakes are reported at once", () => {
  const found = problems({
    service: "No",
    envVars: { a: 1 },
    limits: { memory: "0", cpu: "x" },
    secrets: ["/"],
    labels: [],
  });
  expect(found.map((line) => line.split(":")[0])).toEqual([
    "service",
    "image",
    "envVars.a",
    "secrets[0]",
    "labels",
    "limits.cpu",
  ]);
});

test.each([undefined, null, "text", [], 7])("a body of %j is refused", (body) =>
  expect(problems(body)).toEqual(["the request's body must be a JSON object"]),
);
