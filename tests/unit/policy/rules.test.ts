/** The rules by themselves, on resources that the program makes and on ones that it does not. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Secret, type PolicyResource, type StackValidationPolicy } from "@pulumi/policy";
import { renderFirewall, renderFirewallUnit } from "../../../components/host/render";
import { renderNats } from "../../../components/openfaas/render";
import { parseEnvironment } from "../../../environment/parse";
import { RULES } from "../../../policy/rules";
import { clientLimits, hsts, logs, management, tls } from "../../../policy/rules/door";
import { gatewayIsClosed } from "../../../policy/rules/gateway";
import { allowedRegistries, pinnedImages, unjudgedImages } from "../../../policy/rules/images";
import { closedByDefault, queueEncrypted, sandboxKept } from "../../../policy/rules/platform";
import { always, inProduction, type Rule } from "../../../policy/rules/production";
import { productionInNorway } from "../../../policy/rules/residency";
import { plainSecretsOf } from "../../../policy/rules/secrets";
import { hasLockedImages, saidOfProduction } from "../../../policy/rules/stack";

type Props = Record<string, unknown>;
const resource = (type: string, name: string, props: Props, stack = "oslo-prod"): PolicyResource =>
  ({ type, name, props, urn: `urn:pulumi:${stack}::oslo-faas::${type}::${name}` }) as PolicyResource;

/** What a preview does not know throws when it is read. */
const unknown = (key: string): Props =>
  Object.defineProperty({}, key, {
    enumerable: true,
    get: () => {
      throw new Error("not known yet");
    },
  });

async function violations(
  rule: StackValidationPolicy,
  resources: PolicyResource[],
  config = {},
): Promise<string[]> {
  const told: string[] = [];
  const args = { resources, getConfig: () => config } as never;
  const validate = rule.validateStack as (
    args: never,
    report: (message: string) => void,
  ) => Promise<void> | void;
  await validate(args, (message) => told.push(message));
  return told;
}

describe("gateway-port-closed", () => {
  const rules = (closedTcp: number[], peers: string[] = []) =>
    resource("host:index:File", "rules", {
      path: "/etc/oslo-faas/firewall.nft",
      content: renderFirewall({ closedTcp, closedUdp: [4789], peers, openTcp: [80], containersReach: [] }),
    });
  const unit = (active = true) =>
    resource("host:index:SystemdUnit", "unit", {
      active,
      content: renderFirewallUnit({
        rules: "/etc/oslo-faas/firewall.nft",
        script: "/etc/oslo-faas/firewall.sh",
      }),
    });
  const service = (...ports: Props[]) =>
    resource("docker:index/service:Service", "gateway", { endpointSpec: { ports } });
  const published = service({ targetPort: 8080, publishedPort: 8080 });
  const open = [
    "gateway publishes port 8080 and nothing closes it to the outside (firewall.enabled, firewall of the host component)",
  ];

  test("a published port needs its number in the table that is loaded, and the unit that loads it", async () => {
    expect(await violations(gatewayIsClosed, [published, rules([8080, 2377]), unit()])).toEqual([]);
    for (const rest of [[], [rules([8080])], [unit()], [rules([2377]), unit()], [rules([8080]), unit(false)]])
      expect(await violations(gatewayIsClosed, [published, ...rest])).toEqual(open);
  });

  test("a port that the engine chooses cannot be in any table", async () => {
    const told = await violations(gatewayIsClosed, [service({ targetPort: 8080 }), rules([8080]), unit()]);
    expect(told).toEqual([expect.stringContaining("gateway publishes a port that the engine chooses")]);
  });

  test("a container's ports count likewise, but on the loopback interface", async () => {
    const container = (ip?: string) =>
      resource("docker:index/container:Container", "c", { ports: [{ internal: 80, external: 9000, ip }] });
    for (const ip of [undefined, "0.0.0.0", "198.51.100.1"])
      expect(await violations(gatewayIsClosed, [container(ip)])).toHaveLength(1);
    for (const ip of ["127.0.0.1", "::1"])
      expect(await violations(gatewayIsClosed, [container(ip)])).toEqual([]);
  });

  test.each(["0.0.0.0/0", "128.0.0.0/1", "64.0.0.0/7", "::/0", "8000::/1", "2000::/3"])(
    "peers %s are the world",
    async (peer) => {
      const told = await violations(gatewayIsClosed, [rules([8080], ["192.0.2.0/24", peer]), unit()]);
      expect(told).toEqual([expect.stringContaining(`open to ${peer},`)]);
    },
  );

  test.each(["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "fd00::/16"])(
    "peers %s are somebody",
    async (peer) => {
      expect(await violations(gatewayIsClosed, [rules([8080], [peer]), unit()])).toEqual([]);
    },
  );

  test("a resource that is not known yet keeps no other from being judged", async () => {
    const vague = resource("docker:index/service:Service", "vague", unknown("endpointSpec"));
    const file = resource("host:index:File", "other", unknown("path"));
    expect(await violations(gatewayIsClosed, [file, vague, published])).toEqual(open);
  });
});

describe("images", () => {
  const service = (image: string) =>
    resource("docker:index/service:Service", "s", { taskSpec: { containerSpec: { image } } });
  const registries = { registries: ["docker.io", "ghcr.io/openfaas", "localhost/oslo-faas"] };
  const from = (...all: PolicyResource[]) => violations(allowedRegistries, all, registries);

  test.each([
    "nats-streaming:0.25.6",
    "prom/prometheus",
    "docker.io/a/b:1",
    "ghcr.io/openfaas/gateway:0.25.4",
  ])("%s is from an allowed registry", async (image) => expect(await from(service(image))).toEqual([]));

  test.each([
    "quay.io/a/b",
    "ghcr.io/other/x",
    "ghcr.io/openfaas-evil/x",
    "docker.io.evil.example/a",
    "evil:5000/docker.io/a",
  ])("%s is not", async (image) => expect(await from(service(image))).toHaveLength(1));

  test("functions, containers and pulled images count; built ones where they run, unknown ones not yet", async () => {
    const image = "quay.io/a/b";
    expect(await from(resource("openfaas:index:Function", "f", { image }))).toHaveLength(1);
    expect(await from(resource("docker:index/container:Container", "c", { image }))).toHaveLength(1);
    expect(await from(resource("docker:index/remoteImage:RemoteImage", "r", { name: image }))).toHaveLength(
      1,
    );
    expect(
      await from(resource("docker:index/remoteImage:RemoteImage", "r", { name: image, build: {} })),
    ).toEqual([]);
    expect(
      await from(resource("openfaas:index:Function", "f", unknown("image")), service(image)),
    ).toHaveLength(1);
    expect(await from(service("Not/A::Reference"))).toHaveLength(1);
  });

  test("pinned is by digest, or an image of this project by the hash of what it is made of", async () => {
    const digest = `sha256:${"0".repeat(64)}`;
    const own = "localhost/oslo-faas/swarm-provider:0123456789ab";
    const rule = pinnedImages(() => true);
    const loaded = `localhost/oslo-faas/fn-hello:${"0".repeat(64)}`;
    expect(await violations(rule, [service(`a:1@${digest}`), service(own), service(loaded)])).toEqual([]);
    const open = [service("b:1"), service("a:1"), service("a:1"), service("localhost/oslo-faas/x:latest")];
    expect(await violations(rule, open)).toEqual([
      "not pinned by digest: a:1, b:1, localhost/oslo-faas/x:latest (npx oslo-faas images lock)",
    ]);
  });

  test("unlocked images are only listed while the lock file is empty", async () => {
    const asked: string[] = [];
    const hasLock = (stack: string) => asked.push(stack) > 0 && false;
    const open = [service("b:1")];
    expect(await violations(pinnedImages(hasLock), open)).toEqual([]);
    expect(await violations(unjudgedImages(hasLock), open)).toEqual([
      "nothing is locked yet, so these run by their tags: b:1 (npx oslo-faas images lock)",
    ]);
    expect(asked).toEqual(["oslo-prod", "oslo-prod"]);
    expect(
      await violations(
        unjudgedImages(() => true),
        open,
      ),
    ).toEqual([]);
    const rules = [pinnedImages(), unjudgedImages()];
    expect(rules.map(({ enforcementLevel }) => enforcementLevel)).toEqual(["mandatory", "advisory"]);
  });

  test("a stack's lock file is the one that its file names, or its base, or the one of all", () => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-locked-"));
    const write = (file: string, text: string) => {
      fs.mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
      fs.writeFileSync(path.join(root, file), text);
    };
    const lock = (images: object) => JSON.stringify({ version: 1, images });
    const full = lock({ "a:1": `sha256:${"0".repeat(64)}` });
    expect(hasLockedImages("any", root)).toBe(false);
    write("stacks/images.lock.json", full);
    write("empty.json", lock({}));
    write("stacks/base.yaml", "config:\n  oslo-faas:images: {lock: ./empty.json}\n");
    write("stacks/Pulumi.plain.yaml", "config: {}\n");
    write("stacks/Pulumi.own.yaml", "config:\n  oslo-faas:images: {lock: empty.json}\n");
    write("stacks/Pulumi.based.yaml", "config:\n  oslo-faas:extends: stacks/base.yaml\n");
    const locked = ["any", "plain", "own", "based"].filter((name) => hasLockedImages(name, root));
    expect(locked).toEqual(["any", "plain"]);
    write("stacks/images.lock.json", lock({}));
    write("empty.json", full);
    expect(hasLockedImages("based", root)).toBe(true);
    expect(hasLockedImages("plain", root)).toBe(false);
    fs.rmSync(root, { recursive: true });
  });
});

describe("production-in-norway", () => {
  const config = { country: "NO", production: "(^|-)prod(uction)?$" };
  const member = (stack: string, labels?: Props) =>
    resource("host:index:SwarmMember", "m", { labels }, stack);
  const at = (country: string) => ({ "no.oslo-faas.country": country });
  const told = (...all: PolicyResource[]) => violations(productionInNorway, all, config);

  test("every node says where it stands, and stands in Norway", async () => {
    expect(await told(member("oslo-prod", at("NO")), member("oslo-prod", at("NO")))).toEqual([]);
    expect(await told(member("oslo-prod", at("NO")), member("oslo-prod", at("SE")))).toEqual([
      'm stands in "SE", not in "NO" (location.country)',
    ]);
    expect(await told(member("oslo-prod"))).toEqual([expect.stringContaining("an unnamed country")]);
    expect(await told(resource("host:index:File", "f", {}))).toEqual([
      expect.stringContaining("no host:index:SwarmMember"),
    ]);
  });

  test("production is told by the stack's name where its file does not say", async () => {
    for (const stack of ["prod", "oslo-production"])
      expect(await told(member(stack, at("SE")))).toHaveLength(1);
    for (const stack of ["oslo-dev", "product", "preprod"])
      expect(await told(member(stack, at("SE")))).toEqual([]);
  });
});

describe("no-plain-secret", () => {
  const found = (inputs: Props, type = "host:index:File") => plainSecretsOf(type, inputs);

  test("what is named like a secret or is a key is one, wherever it is", () => {
    const uuid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    expect(
      found({
        password: "x",
        env: { api_token: "x", DB_PASSWORD: "x", apiKey: uuid },
        list: [{ privateKey: "x" }, "-----BEGIN RSA PRIVATE KEY-----"],
        slash: { token: "/x+y=" },
      }),
    ).toEqual([
      "password",
      "env.api_token",
      "env.DB_PASSWORD",
      "env.apiKey",
      "list[0].privateKey",
      "list[1]",
      "slash.token",
    ]);
  });

  test("no-plain-secret ignores values that are marked, empty, unknown, or the path or name of a secret", () => {
    const inputs = {
      password: new Secret("x"),
      token: "",
      secret: "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
      credential: "/run/secrets/basic-auth-password",
      secret_mount_path: "/run/secrets",
      pass_filename: "basic-auth-password",
      secrets: ["a-name"],
      monkey: "x",
      passwordless: "x",
    };
    expect(found(inputs)).toEqual([]);
  });

  test("what a secret of the engine or of functions holds is one under any name", () => {
    const type = "docker:index/secret:Secret";
    expect(found({ name: "n", data: "cGxhaW4=" }, type)).toEqual(["data"]);
    expect(found({ name: "n", value: "plain" }, "openfaas:index:FunctionSecret")).toEqual(["value"]);
    expect(found({ registryAuth: "ci:plain" }, "openfaas:index:Function")).toEqual(["registryAuth"]);
    expect(found({ registryAuth: "[{}]" }, "pulumi:providers:docker")).toEqual(["registryAuth"]);
    expect(found({ registryAuth: new Secret("[{}]") }, "pulumi:providers:docker")).toEqual([]);
    expect(found({ name: "n", data: new Secret("cGxhaW4=") }, type)).toEqual([]);
    expect(found({ data: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" }, type)).toEqual([]);
  });
});

describe("rules about one resource", () => {
  const NGINX = "oslo-faas:index:Nginx";
  const told = (rule: Rule, type: string, props: Props): string[] => {
    const found: string[] = [];
    rule.judge({ type, props }, (message) => found.push(message));
    return found;
  };
  const closed = {
    tls: { redirect: true, hsts: true },
    managementAllow: ["198.51.100.0/24"],
    perClient: { requests: 10, connections: 10 },
    logAddresses: "shortened",
    logQueries: false,
  };

  test.each<[Rule, Props, string[]]>([
    [tls, { tls: undefined }, ["nginx.tls"]],
    [tls, { tls: { redirect: false } }, ["nginx.tls.redirect"]],
    [hsts, { tls: { hsts: false } }, ["nginx.tls.hsts"]],
    [management, { managementAllow: [] }, ["open to every network"]],
    [management, { managementAllow: ["10.0.0.0/8", "::/0"] }, ["open to ::/0"]],
    [clientLimits, { perClient: { requests: 0, connections: 5 } }, ["nginx.perClient.requests"]],
    [clientLimits, { perClient: { requests: 0, connections: 0 } }, ["requests", "connections"]],
    [logs, { logAddresses: "whole" }, ["nginx.logAddresses"]],
    [logs, { logQueries: true }, ["nginx.logQueries"]],
  ])("$name is broken by %j, and kept by a closed door", (rule, props, problems) => {
    expect(told(rule, NGINX, { ...closed, ...props })).toEqual(
      problems.map((problem) => expect.stringContaining(problem)),
    );
    expect(told(rule, NGINX, closed)).toEqual([]);
    expect(told(rule, "other:index:Nginx", { ...closed, ...props })).toEqual([]);
    // What is not known yet is judged when it is.
    for (const key of Object.keys(props)) expect(told(rule, NGINX, unknown(key))).toEqual([]);
  });

  test("functions-closed-by-default is about the level of an environment, which is public where nothing says it", () => {
    const of = (props: Props) => told(closedByDefault, "oslo-faas:index:OpenFaaS", props);
    expect(of({ access: "internal" })).toEqual([]);
    for (const props of [{ access: "public" }, {}]) expect(of(props)).toHaveLength(1);
  });

  test("queue-encrypted takes NATS's configuration as it is made, and not without its cipher or key", () => {
    const { openfaas } = parseEnvironment({
      host: {
        address: "a.example.no",
        hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ",
      },
    });
    const text = renderNats(openfaas.queue);
    const of = (content: string) =>
      told(queueEncrypted, "docker:index/serviceConfig:ServiceConfig", {
        data: Buffer.from(content).toString("base64"),
      });
    expect(of(text)).toEqual([]);
    for (const line of ["  cipher: chachapoly\n", "  key: $QUEUE_KEY\n"]) {
      expect(text).toContain(line);
      expect(of(text.replace(line, ""))).toHaveLength(1);
    }
    expect(of("global:\n  scrape_interval: 5s\n")).toEqual([]);
  });

  test("sandbox-not-lifted names what a function lifts", () => {
    const of = (annotations?: Record<string, string>) =>
      told(sandboxKept, "openfaas:index:Function", { annotations });
    expect(of()).toEqual([]);
    expect(of({ "com.oslo-faas.pids": "4096", "com.oslo-faas.new-privileges": "false" })).toEqual([]);
    expect(
      of({ "com.oslo-faas.capabilities": "SETUID, CHOWN", "com.oslo-faas.new-privileges": "true" }),
    ).toEqual([expect.stringContaining("CHOWN, SETUID"), expect.stringContaining("more rights")]);
  });
});

describe("levels", () => {
  const rule: Rule = { name: "r", description: "d", judge: (_, report) => report("broken") };
  const judged = (said: unknown, stack: string) => {
    const found: string[] = [];
    const policy = inProduction(rule, () => said);
    const validate = policy.validateResource as (args: never, report: (message: string) => void) => void;
    const config = { production: "(^|-)prod(uction)?$" };
    const args = { ...resource("t", "n", {}, stack), getConfig: () => config };
    validate(args as never, (message) => found.push(message));
    return found.length;
  };

  test("mandatory in production: by the key, or by the name if the key is not set", () => {
    expect([judged(undefined, "oslo-prod"), judged(undefined, "oslo-dev")]).toEqual([1, 0]);
    expect([judged(false, "oslo-prod"), judged(true, "oslo-dev")]).toEqual([0, 1]);
    expect(inProduction(rule).enforcementLevel).toBe("mandatory");
    expect(always(rule, "advisory").enforcementLevel).toBe("advisory");
  });

  test("the key is read from the stack's file, or its base", () => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-production-"));
    fs.mkdirSync(path.join(root, "stacks"));
    const write = (file: string, text: string) => fs.writeFileSync(path.join(root, "stacks", file), text);
    write("base.yaml", "config:\n  oslo-faas:production: true\n");
    write("Pulumi.based.yaml", "config:\n  oslo-faas:extends: stacks/base.yaml\n");
    write(
      "Pulumi.own.yaml",
      "config:\n  oslo-faas:extends: stacks/base.yaml\n  oslo-faas:production: false\n",
    );
    write("Pulumi.plain.yaml", "config: {}\n");
    const said = ["based", "own", "plain", "absent"].map((name) => saidOfProduction(name, root));
    expect(said).toEqual([true, false, undefined, undefined]);
    fs.rmSync(root, { recursive: true });
  });

  test("the page has every rule with its level, and no other", () => {
    const page = fs.readFileSync(path.resolve(__dirname, "../../../docs/pull-requests.md"), "utf8");
    const rows = [...page.matchAll(/^\| `([a-z-]+)` +\| (mandatory in production|mandatory|advisory) +\|/gm)];
    const there = RULES.map(({ name, enforcementLevel, configSchema }) => {
      const level = enforcementLevel === "remediate" ? "mandatory" : String(enforcementLevel);
      return `${name}: ${configSchema?.properties.production ? "mandatory in production" : level}`;
    });
    expect(rows.map(([, name, level]) => `${name}: ${level}`)).toEqual(there);
  });
});
