/** Each rule of the policy pack, passing and failing, over the whole program through the real engine; tests/unit/policy has the rest. */
import { PreviewRepo } from "./previewRepo";

jest.setTimeout(300_000);

const DIGEST = `sha256:${"0".repeat(64)}`;
const IMAGES = [
  "ghcr.io/openfaas/gateway:0.25.4",
  "ghcr.io/openfaas/basic-auth:0.25.4",
  "haproxy:3.0.11",
  "nats:2.15.3",
  "nats-streaming:0.25.6",
  "prom/prometheus:v2.42.0",
  "prom/alertmanager:v0.28.1",
];

let repo: PreviewRepo;
/** One run over all of them. */
let code: number;
let report: string;

/** "- ENVIRONMENTS: **POLICY** (LEVEL)…": what one policy says of one environment. */
const violations = (policy: string, environment: string): string[] =>
  report
    .split("\n")
    .filter((line) => line.includes(`**${policy}** (`))
    .filter((line) => line.slice(2, line.indexOf(":")).split(", ").includes(environment))
    .map((line) => line.slice(line.indexOf(`**${policy}**`)));

const all = (environment: string): string[] =>
  [
    "production-in-norway",
    "tls-in-production",
    "hsts-in-production",
    "management-from-named-networks",
    "one-client-is-limited",
    "gateway-port-closed",
    "images-from-allowed-registries",
    "images-pinned",
    "images-not-judged",
    "no-plain-secret",
    "queue-encrypted",
    "functions-closed-by-default",
    "callers-not-in-logs",
    "sandbox-not-lifted",
  ].flatMap((policy) => violations(policy, environment));

beforeAll(async () => {
  repo = new PreviewRepo();
  // New ones: nothing has to be brought up on paper before.
  const production = repo.read("stacks/Pulumi.oslo-prod.yaml");
  repo.commit("base");
  repo.branch("policies");
  repo.write(
    "stacks/images.lock.json",
    JSON.stringify({ version: 1, images: Object.fromEntries(IMAGES.map((name) => [name, DIGEST])) }),
  );
  repo.write(
    "functions/token.yml",
    repo
      .read("functions/stack.yml")
      .replace("    labels:", "    environment:\n      api_token: hunter2hunter2\n    labels:")
      .replace("    annotations:\n", "    annotations:\n      com.oslo-faas.capabilities: CHOWN\n"),
  );
  // A password of one's own, so that one is in the inputs: as a secret, which is as it should be.
  const password = "  oslo-faas:gatewayPassword:\n    secure: v1:bm9ib2R5IGNhbiEh:ZGVjcnlwdCB0aGlzIGhlcmU=\n";
  const sweden = '  oslo-faas:location:\n    country: "SE"\n';
  const closed = production.replace("oslo-faas:openfaas:\n", "oslo-faas:openfaas:\n    access: internal\n");
  repo.write("stacks/Pulumi.good-prod.yaml", closed + password);
  const openDoor = "  oslo-faas:nginx:\n    perClient: { requests: 0 }\n    logAddresses: whole\n";
  repo.write(
    "stacks/Pulumi.bad-prod.yaml",
    `${production.replace(/ {2}oslo-faas:nginx:\n( {4}.*\n)*/, openDoor)}${sweden}  oslo-faas:firewall:\n    enabled: false\n  oslo-faas:images:\n    gateway: quay.io/somebody/gateway:1\n  oslo-faas:functions:\n    - stack: functions/token.yml\n`,
  );
  repo.write(
    "stacks/Pulumi.world.yaml",
    `${repo.read("stacks/Pulumi.oslo-staging.yaml")}${sweden}  oslo-faas:firewall:\n    swarmPeers: ["0.0.0.0/0"]\n`,
  );
  const names = ["good-prod", "bad-prod", "world"].flatMap((name) => ["--env", name]);
  const ended = await repo.preview(["--base", "main", "--whole", ...names]);
  [code, report] = [ended.code, ended.out];
  if (!report) throw new Error(ended.err);
});
afterAll(() => repo.remove());

test("a production environment in Norway, with pinned images, a closed gateway and its secrets marked, violates nothing", () => {
  expect(all("good-prod")).toEqual([]);
  expect(report).toMatch(/^\| good-prod \| \d\d \| 0 \| 0 \| 0 \| {2}\| nothing \(it is new\) \|$/m);
});

test("each rule is broken by what it is about, and names the resource", () => {
  expect(code).toBe(1);
  expect(all("bad-prod")).toEqual([
    '**production-in-norway** (mandatory) at `swarm-manager`: swarm-manager stands in "SE", not in "NO" (location.country)',
    "**tls-in-production** (mandatory) at `nginx`: passwords and calls travel in plain text (nginx.tls)",
    expect.stringContaining("at `nginx`: /system/ and /ui/ are open to every network"),
    expect.stringContaining("at `nginx`: requests of one client have no limit (nginx.perClient.requests)"),
    expect.stringContaining(
      "at `openfaas-gateway`: openfaas-gateway publishes port 8080 and nothing closes it",
    ),
    expect.stringContaining(
      "openfaas-gateway runs quay.io/somebody/gateway:1, which is from none of docker.io, ghcr.io",
    ),
    expect.stringMatching(/\(mandatory\): not pinned by digest: quay\.io\/somebody\/gateway:1 \(/),
    // In the state it stands twice: with what the component was given, and with the function.
    expect.stringContaining(
      "at `functions`: functions: functions[0].env.api_token is a secret in plain text",
    ),
    expect.stringContaining("at `functions-hello`: functions-hello: env.api_token is a secret in plain text"),
    expect.stringContaining("(advisory) at `openfaas`: a function without com.oslo-faas.access is open"),
    expect.stringContaining("(advisory) at `nginx`: the access log has callers' whole addresses"),
    expect.stringContaining("(advisory) at `functions-hello`: keeps the capabilities CHOWN"),
  ]);
  expect(report).toMatch(/^\| bad-prod \|.*\*\*9 policy violations\*\*, 3 advisory violations \|/m);
});

test("peers that are the whole world violate gateway-port-closed; another country and HTTP are allowed outside of production", () => {
  expect(all("world")).toEqual([
    expect.stringContaining("open to 0.0.0.0/0, a network that is the whole world"),
    expect.stringContaining("**functions-closed-by-default** (advisory)"),
  ]);
});

test("a secret in plain text is named by its place, and not shown", () => {
  expect(report).not.toContain("hunter2");
});

describe("a tag that is changed", () => {
  const NAME = "tag-changed";
  const file = `stacks/Pulumi.${NAME}.yaml`;
  const changed = "ghcr.io/openfaas/gateway:0.25.5";
  const lock = (names: string[]) =>
    JSON.stringify({ version: 1, images: Object.fromEntries(names.map((name) => [name, DIGEST])) });
  const previewed = async () => {
    const ended = await repo.preview(["--base", "main", "--whole", "--env", NAME]);
    report = ended.out;
    return ended.code;
  };

  beforeAll(() =>
    repo.write(
      file,
      `${repo.read("stacks/Pulumi.oslo-staging.yaml")}  oslo-faas:images:\n    gateway: ${changed}\n    lock: stacks/own.lock.json\n  oslo-faas:openfaas:\n    access: internal\n`,
    ),
  );

  test("and not locked again fails the preview, by that rule alone", async () => {
    repo.write("stacks/own.lock.json", lock(IMAGES));
    expect(await previewed()).toBe(1);
    expect(all(NAME)).toEqual([
      `**images-pinned** (mandatory): not pinned by digest: ${changed} (npx oslo-faas images lock)`,
    ]);
  });

  test("and locked again is as it should be", async () => {
    repo.write("stacks/own.lock.json", lock([...IMAGES, changed]));
    expect(await previewed()).toBe(0);
    expect(all(NAME)).toEqual([]);
  });

  test("unlocked images are listed and fail nothing while the lock file is empty", async () => {
    repo.write("stacks/own.lock.json", lock([]));
    expect(await previewed()).toBe(0);
    expect(all(NAME)).toEqual([
      expect.stringMatching(
        /^\*\*images-not-judged\*\* \(advisory\): nothing is locked yet.*gateway:0\.25\.5/,
      ),
    ]);
  });
});
