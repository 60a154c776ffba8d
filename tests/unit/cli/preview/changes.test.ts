/** From the engine's steps to changes: which count, as what, and what is at stake. */
import { apart, changesOf } from "../../../../cli/preview/changes";
import { type Event, readEvents, type Step } from "../../../../cli/preview/engine";
import { stakesOf } from "../../../../cli/preview/stakes";

type Values = Record<string, unknown>;
const urn = (type: string, name: string) => `urn:pulumi:oslo-prod::oslo-faas::parent$${type}::${name}`;

function step(
  op: string,
  type: string,
  name: string,
  old?: Values,
  news?: Values,
  more: Partial<Step> = {},
): Step {
  const state = (inputs?: Values) => (inputs ? { type, custom: true, inputs, outputs: {} } : null);
  return { op, urn: urn(type, name), type, old: state(old), new: state(news), ...more };
}

const FILE = "host:index:File";
const VOLUME = "docker:index/volume:Volume";
const SERVICE = "docker:index/service:Service";
const changed = (path: string) => ({ [path]: { diffKind: "update", inputDiff: true } });

test("each step counts once, as what it is, and what is lost comes first", () => {
  const changes = changesOf([
    step("create", FILE, "b", undefined, { path: "/b" }),
    step("import", FILE, "a", undefined, { path: "/a" }),
    step("update", FILE, "c", { x: 1 }, { x: 2 }),
    // Of a replacement the engine tells three steps.
    step("delete-replaced", FILE, "d", { x: 1 }),
    step("replace", FILE, "d", { x: 1 }, { x: 2 }),
    step("create-replacement", FILE, "d", { x: 1 }, { x: 2 }),
    step("delete", FILE, "e", { x: 1 }),
    step("same", FILE, "f", { x: 1 }, { x: 1 }),
    step("read", FILE, "g", undefined, { x: 1 }),
  ]);
  expect(changes.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    "deleted e",
    "replaced d",
    "changed c",
    "created a",
    "created b",
  ]);
});

test("components and the engine's own providers are no changes; a resource that is called like one is", () => {
  const component = step("create", "oslo-faas:index:Nginx", "nginx", undefined, {});
  component.new!.custom = false;
  const changes = changesOf([
    component,
    step("create", "pulumi:providers:docker", "default_5_2_0", undefined, {}),
    step("create", "pulumi:providers:host", "host", undefined, {}),
    step("create", FILE, "default_site", undefined, {}),
  ]);
  expect(changes.map(({ name }) => name)).toEqual(["default_site", "host"]);
});

test("a command that runs again because of something else is not a replacement", () => {
  const type = "command:remote:Command";
  const again = step(
    "replace",
    type,
    "check",
    { triggers: [1] },
    { triggers: [2] },
    { detailedDiff: changed("triggers[0]") },
  );
  const other = step(
    "replace",
    type,
    "made",
    { create: "a", delete: "undo" },
    { create: "b", delete: "undo" },
    { detailedDiff: changed("create") },
  );
  expect(changesOf([again, other]).map(({ kind }) => kind)).toEqual(["replaced", "again"]);
  expect(changesOf([again])[0]!.parts).toEqual([]);
});

test("a config of the engine is shown as its text, a secret one not at all", () => {
  const type = "docker:index/serviceConfig:ServiceConfig";
  const data = (text: string) => ({ data: Buffer.from(text).toString("base64") });
  const [plain] = changesOf([step("replace", type, "conf", data("a: 1\nb: 2\n"), data("a: 1\nb: 3\n"))]);
  expect(plain!.parts).toEqual([{ path: "data", lines: ["@@ -1,2 +1,2 @@", " a: 1", "-b: 2", "+b: 3"] }]);
  const [secret] = changesOf([step("create", type, "conf", undefined, { data: "[secret]" })]);
  expect(secret!.parts).toEqual([{ path: "", lines: ["+ data: (secret)"] }]);
});

test("what only the plugin sees is shown by its outputs, and where those say nothing either, by its path", () => {
  const seen = step(
    "update",
    SERVICE,
    "nats",
    { a: 1 },
    { a: 1 },
    { detailedDiff: changed("mode.replicas") },
  );
  expect(changesOf([seen])[0]!.parts[0]!.lines).toEqual([
    "! mode.replicas: a difference that only the plugin sees",
  ]);
  seen.old!.outputs = { mode: { replicas: 1 }, other: 1 };
  seen.new!.outputs = { mode: { replicas: 2 }, other: 2 };
  expect(changesOf([seen])[0]!.parts[0]!.lines).toEqual(["- mode.replicas: 1", "+ mode.replicas: 2"]);
});

test("a service whose new task starts first is exchanged without a pause, unless it is made anew", () => {
  const type = "docker:index/service:Service";
  const seamless = (op: string, order: string) =>
    changesOf([
      step(op, type, "edge", { updateConfig: { order }, a: 1 }, { updateConfig: { order }, a: 2 }),
    ])[0]!.seamless;
  expect(seamless("update", "start-first")).toBe(true);
  expect(seamless("update", "stop-first")).toBe(false);
  expect(seamless("replace", "start-first")).toBe(false);
});

test("what the base would do just so is pending; what comes out otherwise is the change's own", () => {
  const of = (...steps: Step[]) => changesOf(steps);
  const keepalive = (value: number) => step("update", FILE, "conf", { keepalive: 64 }, { keepalive: value });
  const other = step("update", FILE, "other", { x: 1 }, { x: 2 });
  const told = (now: Step[], before: Step[]) => {
    const { changes, pending } = apart(of(...now), of(...before), true);
    return [changes.map(({ name }) => name), pending.map(({ name }) => name)];
  };
  expect(told([keepalive(128), other], [keepalive(128)])).toEqual([["other"], ["conf"]]);
  expect(told([keepalive(256)], [keepalive(128)])).toEqual([["conf"], []]);
  expect(told([], [keepalive(128)])).toEqual([[], []]);
  expect(told([step("delete", FILE, "conf", { keepalive: 64 })], [keepalive(128)])).toEqual([["conf"], []]);
});

test("of two secrets nobody sees whether they are the same: pending only where both sides have the same ones", () => {
  const secret = step("update", FILE, "login", { content: "[secret]" }, { content: "[secret]" });
  secret.detailedDiff = changed("content");
  const made = step("create", FILE, "made", undefined, { content: "[secret]" });
  const plain = step("update", FILE, "conf", { x: 1, login: "[secret]" }, { x: 2, login: "[secret]" });
  const all = changesOf([secret, made, plain]);
  const names = (list: { name: string }[]) => list.map(({ name }) => name);
  expect(names(apart(all, all, true).pending)).toEqual(["conf", "login", "made"]);
  const { changes, pending, unsure } = apart(all, all, false);
  expect([names(changes), names(pending), names(unsure)]).toEqual([
    ["login", "made"],
    ["conf"],
    ["login", "made"],
  ]);
});

test("two values that read alike, because they are too long to be shown, are two", () => {
  const long = (end: string) =>
    changesOf([step("update", FILE, "conf", { x: "" }, { x: "y".repeat(5000) + end })]);
  const [one, other] = [long("a"), long("b")];
  expect(one[0]!.parts).toEqual(other[0]!.parts);
  expect(apart(one, other, true).pending).toEqual([]);
  expect(apart(one, one, true).pending).toHaveLength(1);
});

test("what is replaced only because its content is its name is no replacement", () => {
  const image = "docker:index/remoteImage:RemoteImage";
  const anew = (type: string, before: Values, after: Values) =>
    changesOf([step("replace", type, "a", before, after, { detailedDiff: changed("name") })])[0]!;
  const kept = anew(image, { name: "fn:1", keepLocally: true }, { name: "fn:2", keepLocally: true });
  expect([kept.kind, kept.parts[0]!.lines]).toEqual(["changed", ['- name: "fn:1"', '+ name: "fn:2"']]);
  expect(anew(image, { name: "fn:1" }, { name: "fn:2" }).kind).toBe("replaced");
  expect(anew("command:remote:Command", { create: "a" }, { create: "b" }).kind).toBe("changed");
  const config = "docker:index/serviceConfig:ServiceConfig";
  expect(anew(config, { data: "YQ==" }, { data: "Yg==" }).kind).toBe("changed");
  expect(anew(SERVICE, { name: "a" }, { name: "b" }).kind).toBe("replaced");
});

describe("at stake", () => {
  const kept = (one: Step, flags: object) => ({ ...one, old: { ...one.old!, ...flags } });

  test("a volume that is deleted or replaced, and whether its data stays", () => {
    const gone = step("delete", VOLUME, "queue", { name: "openfaas-queue" });
    expect(stakesOf(gone)).toEqual(["volume `openfaas-queue` is deleted: **its data is lost**"]);
    expect(stakesOf(kept(gone, { retainOnDelete: true }))[0]).toMatch(/is deleted: it stays on the host/);
    const other = step("replace", VOLUME, "queue", { name: "a" }, { name: "b" });
    expect(stakesOf(other)[0]).toMatch(/^volume `a` is replaced/);
    expect(stakesOf(step("update", VOLUME, "queue", { name: "a" }, { name: "a" }))).toEqual([]);
  });

  test("a service that starts without the volume it had, or with another", () => {
    const mount = (source?: string) => ({
      name: "nats",
      taskSpec: { containerSpec: { mounts: source ? [{ type: "volume", target: "/data", source }] : [] } },
    });
    expect(stakesOf(step("update", SERVICE, "s", mount("a"), mount("a")))).toEqual([]);
    for (const after of [mount("b"), mount()])
      expect(stakesOf(step("update", SERVICE, "s", mount("a"), after))).toEqual([
        "service `nats` no longer mounts volume `a` at `/data`: **it starts without that data**",
      ]);
  });

  test("a host at another address, which the engine takes for the same one", () => {
    const at = (host: string, user = "ops") => ({ host, user });
    const connection = (before: Values, after: Values) =>
      stakesOf(step("update", "pulumi:providers:host", "host-connection", before, after));
    expect(connection(at("a.example.no"), at("a.example.no", "root"))).toEqual([]);
    expect(connection(at("a.example.no"), at("b.example.no"))[0]).toMatch(
      /^the host changes from `a\.example\.no` to `b\.example\.no`: .*without `--refresh`/,
    );
  });

  test("an environment that moves to another country", () => {
    const labels = (country: string, city = "Oslo") => ({
      labels: { "no.oslo-faas.country": country, "no.oslo-faas.city": city },
    });
    const moved = (before: Values, after: Values) =>
      stakesOf(step("update", "host:index:SwarmMember", "swarm-manager", before, after));
    expect(moved(labels("NO"), labels("NO", "Bergen"))).toEqual([]);
    expect(moved(labels("NO"), labels("SE"))).toEqual([
      "the environment stands in `SE`, no longer in `NO`: **its data leaves the country**",
    ]);
  });

  test("what was kept or protected and is no longer is named, also where nothing else changes", () => {
    const same = step("same", FILE, "data", { x: 1 }, { x: 1 });
    expect(stakesOf(kept(same, { protect: true }))).toEqual([
      "`data` is no longer protected against deletion",
    ]);
    expect(stakesOf(kept(same, { retainOnDelete: true }))[0]).toMatch(/^`data` is no longer kept/);
    expect(changesOf([kept(same, { protect: true })])).toHaveLength(1);
    expect(stakesOf(kept(step("delete", FILE, "data", {}), { protect: true }))[0]).toMatch(
      /was marked to be kept/,
    );
  });

  test("names of others are no Markdown", () => {
    const bad = "x` <img src=y> @all\n# heading";
    const mount = (source: string) => ({
      name: bad,
      taskSpec: { containerSpec: { mounts: [{ type: "volume", target: bad, source }] } },
    });
    const at = (host: string) => ({ host });
    const secrets = (...names: string[]) => ({ name: bad, secrets: names });
    const told = [
      step("delete", VOLUME, bad, { name: bad }),
      kept(step("delete", VOLUME, bad, { name: bad }), { retainOnDelete: true }),
      kept(step("delete", FILE, bad, {}), { protect: true }),
      kept(step("same", FILE, bad, { name: bad }, { name: bad }), { protect: true, retainOnDelete: true }),
      step("delete", "docker:index/secret:Secret", bad, { name: bad }),
      step("delete", "openfaas:index:FunctionSecret", bad, { name: bad }),
      step("replace", "host:index:Password", bad, {}, {}),
      step("update", SERVICE, bad, mount(bad), mount("b")),
      step("update", "pulumi:providers:host", "c", at(bad), at(`${bad}2`)),
      step("update", "openfaas:index:Function", "f", secrets(bad), secrets()),
    ].flatMap(stakesOf);
    expect(told).toHaveLength(11);
    for (const line of told) {
      expect(line).not.toContain("\n");
      // Outside of what is between two double backticks.
      expect(line.replace(/``.*?``(?!`)/g, "")).not.toMatch(/<img|@all/);
      expect(line).toContain("``x` <img src=y> @all␊# heading");
    }
  });

  test("a swarm, a secret, a password, a function's secret", () => {
    expect(stakesOf(step("replace", "host:index:SwarmMember", "m", {}, {}))[0]).toMatch(
      /membership of the swarm/,
    );
    expect(stakesOf(step("delete", "docker:index/secret:Secret", "s", {}))[0]).toMatch(/restart without it/);
    expect(stakesOf(step("replace", "host:index:Password", "p", {}, {}))[0]).toMatch(/stops working/);
    expect(stakesOf(step("delete", "openfaas:index:FunctionSecret", "f", { name: "api-key" }))[0]).toMatch(
      /^secret `api-key` of functions is deleted/,
    );
    const secrets = (...names: string[]) => ({ name: "hello", secrets: names });
    expect(stakesOf(step("update", "openfaas:index:Function", "f", secrets("a", "b"), secrets("b")))).toEqual(
      ["function `hello` loses its secret `a`"],
    );
  });
});

describe("the engine's events", () => {
  const stack = "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s";

  test("errors and warnings with their resource, violations with their level, and no line that says nothing", () => {
    const diagnostic = (severity: string, message: string, at = urn(FILE, "conf")) => ({
      diagnosticEvent: { severity, message: `${message}\n`, urn: at },
    });
    const events = readEvents([
      diagnostic("error", "boom"),
      diagnostic("error", "preview failed", stack),
      diagnostic("warning", "mind this", stack),
      diagnostic("warning", "using pulumi-analyzer-policy-oslofaas from $PATH at /x", stack),
      diagnostic("info", "nothing"),
      {
        policyEvent: {
          policyName: "rule",
          enforcementLevel: "mandatory",
          resourceUrn: urn(FILE, "conf"),
          message: "What the rule is about.\nwhat was found\n",
        },
      },
    ]);
    expect(events.errors).toEqual(["conf: boom"]);
    expect(events.warnings).toEqual(["mind this"]);
    expect(events.violations).toEqual([
      { policy: "rule", level: "mandatory", resource: "conf", message: "what was found" },
    ]);
  });

  test("of a refresh, what was found counts, and not that it was looked for", () => {
    const looked = step("refresh", FILE, "conf", { x: 1 }, { x: 1 });
    const found = { ...looked, op: "delete", new: null };
    const text: Event[] = [
      { resourcePreEvent: { metadata: looked } },
      { resOutputsEvent: { metadata: found } },
    ];
    expect(changesOf(readEvents(text).steps).map(({ kind }) => kind)).toEqual(["deleted"]);
    // Before a plan it is only looked for: what is done about it is told by the steps of the plan.
    const planned = step("create", FILE, "conf", undefined, { x: 1 });
    const all = [
      ...text,
      { resourcePreEvent: { metadata: planned } },
      { resOutputsEvent: { metadata: planned } },
    ];
    const { steps } = readEvents(all, { refresh: false });
    expect(steps.map(({ op }) => op)).toEqual(["create"]);
    const same = [text[0]!, { resOutputsEvent: { metadata: { ...looked, op: "same" } } }];
    expect(changesOf(readEvents(same).steps)).toEqual([]);
  });
});
