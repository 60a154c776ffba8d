/** Each rule of the policy pack, passing and failing, over the whole program through the real engine. */
import { PreviewRepo } from "./previewRepo";

jest.setTimeout(300_000);

const DIGEST = `sha256:${"0".repeat(64)}`;
const IMAGES = [
  "ghcr.io/openfaas/gateway:0.25.4",
  "ghcr.io/openfaas/basic-auth:0.25.4",
  "ghcr.io/openfaas/queue-worker:0.13.3",
  "nats-streaming:0.25.6",
  "prom/prometheus:v2.42.0",
  "prom/alertmanager:v0.25.0",
];

let repo: PreviewRepo;

/** "- ENVIRONMENTS: **POLICY** (LEVEL)…", the lines of one policy. */
const violations = (report: string, policy: string): string[] =>
  report.split("\n").filter((line) => line.includes(`**${policy}** (`));

beforeAll(() => {
  repo = new PreviewRepo();
  repo.write(
    "stacks/images.lock.json",
    JSON.stringify({ version: 1, images: Object.fromEntries(IMAGES.map((name) => [name, DIGEST])) }),
  );
  // A password of one's own, so that one is in the inputs: as a secret, which is as it should be.
  repo.edit(
    "stacks/Pulumi.oslo-prod.yaml",
    /$/,
    "  oslo-faas:gatewayPassword:\n    secure: v1:bm9ib2R5IGNhbg==:ZGVjcnlwdCB0aGlzIGhlcmU=\n",
  );
  repo.commit("base");
});
afterAll(() => repo.remove());

test("a production environment in Norway, with pinned images, a closed gateway and its secrets marked, violates nothing", async () => {
  repo.branch("good");
  const { code, out, err } = await repo.preview(["--base", "main", "--env", "oslo-prod"]);
  expect({ code, err: code === 0 ? "" : out + err }).toEqual({ code: 0, err: "" });
  expect(out).not.toContain("## Policy violations");
});

test("each rule is broken by what it is about, and names the resource", async () => {
  repo.branch("bad");
  repo.edit("stacks/Pulumi.oslo-prod.yaml", /$/, '  oslo-faas:location:\n    country: "SE"\n');
  repo.edit("stacks/Pulumi.oslo-prod.yaml", /$/, "  oslo-faas:firewall:\n    enabled: false\n");
  repo.edit(
    "stacks/Pulumi.oslo-prod.yaml",
    /$/,
    "  oslo-faas:images:\n    gateway: quay.io/somebody/gateway:1\n",
  );
  repo.edit(
    "functions/stack.yml",
    "    labels:",
    "    environment:\n      api_token: hunter2hunter2\n    labels:",
  );
  const { code, out } = await repo.preview(["--base", "main", "--env", "oslo-prod"]);
  expect(code).toBe(1);
  expect(violations(out, "production-in-norway")).toEqual([
    '- oslo-prod: **production-in-norway** (mandatory) at `swarm-manager`: swarm-manager stands in "SE", not in "NO" (location.country)',
  ]);
  expect(violations(out, "gateway-port-closed")).toEqual([
    expect.stringContaining(
      "at `openfaas-gateway`: openfaas-gateway publishes port 8080 and nothing closes it",
    ),
  ]);
  expect(violations(out, "images-from-allowed-registries")).toEqual([
    expect.stringContaining(
      "openfaas-gateway runs quay.io/somebody/gateway:1, which is from none of docker.io, ghcr.io",
    ),
  ]);
  expect(violations(out, "images-pinned")).toEqual([
    expect.stringMatching(/\(advisory\): not pinned by digest: quay\.io\/somebody\/gateway:1 \(/),
  ]);
  expect(violations(out, "no-plain-secret")).toEqual([
    expect.stringContaining("at `functions-hello`: functions-hello: env.api_token is a secret in plain text"),
  ]);
  // The four mandatory ones count; the place is named, the secret itself only where the function's own change shows it.
  expect(out).toContain("**4 policy violations**, 1 advisory violation");
});

test("peers that are the whole world are no closed port; another country is no matter outside of production", async () => {
  repo.branch("world");
  repo.edit("stacks/Pulumi.oslo-staging.yaml", /$/, '  oslo-faas:location:\n    country: "SE"\n');
  repo.edit("stacks/Pulumi.oslo-staging.yaml", /$/, '  oslo-faas:firewall:\n    swarmPeers: ["0.0.0.0/0"]\n');
  const { code, out } = await repo.preview(["--base", "main"]);
  expect(code).toBe(1);
  expect(violations(out, "gateway-port-closed")).toEqual([
    expect.stringContaining("open to a network that is the whole world"),
  ]);
  expect(violations(out, "production-in-norway")).toEqual([]);
});
