/** What is asked of the engine for one environment, and what is made of its answers. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { isWrong, previewEnvironment, type Settings } from "../../../../cli/preview/environment";
import { CIPHER } from "../../environment/writing";
import { HOST, makeTree, standIn, write } from "./standIn";

let dir: string;
beforeEach(() => (dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-environment-"))));
afterEach(() => fs.rmSync(dir, { recursive: true }));

const event = (op: string, name: string, inputs: object) => {
  const type = "host:index:File";
  const state = { type, custom: true, inputs };
  const urn = `urn:pulumi:e::oslo-faas::${type}::${name}`;
  return JSON.stringify({
    resourcePreEvent: { metadata: { op, urn, type, old: op === "create" ? null : state, new: state } },
  });
};
const answering = (...events: string[]) => `return { out: ${JSON.stringify(`${events.join("\n")}\n`)} };`;

interface Wanted {
  base?: string;
  head?: string;
  answers?: string;
  settings?: Partial<Settings>;
  because?: string[];
}
async function preview({ base, head, answers = "", settings = {}, because = [] }: Wanted) {
  const { engine, calls } = standIn(dir, answers);
  const tree = (name: string, config?: string) => makeTree(path.join(dir, name), config);
  const scratch = path.join(dir, "scratch");
  const sides = { base: tree("base", base), head: tree("head", head), scratch };
  fs.mkdirSync(scratch);
  const all = {
    engine,
    stacks: new Set<string>(),
    refresh: false,
    repair: false,
    policy: { policyPacks: ["p"] },
  };
  const result = await previewEnvironment({ name: "e", because }, sides, { ...all, ...settings });
  const commands = calls().map(({ args }) => args.join(" ").replaceAll(dir, ""));
  return { result, calls: calls(), commands };
}
const REAL = { stacks: new Set(["e"]) };

test("an environment whose file is gone needs no engine", async () => {
  const { result, commands } = await preview({ base: HOST });
  expect([result.removed, result.errors, commands]).toEqual([true, [], []]);
});

test("mistakes of a file, such as an unset variable, are reported before an engine starts", async () => {
  const stack = "  oslo-faas:functions: functions/stack.yml\n";
  write(
    path.join(dir, "head"),
    "functions/stack.yml",
    'provider:\n  name: openfaas\nfunctions:\n  f:\n    image: a:1\n    namespace: other\n    environment:\n      MEMORY: "${MEMORY}"\n',
  );
  const { result, commands } = await preview({ head: HOST + stack });
  expect(commands).toEqual([]);
  expect(result.errors).toEqual([
    expect.stringMatching(/^functions\/stack\.yml:6: functions\.f\.namespace: /),
    "functions/stack.yml:8: ${MEMORY}: is not set and has no default; set it, or write ${MEMORY:-default}",
  ]);
});

test("on paper: an empty stack, the base brought up in it, and the head previewed against it, with dummies", async () => {
  const answers = `if (command === "preview") ${answering(event("create", "conf", { a: 1 }))}`;
  const { result, commands, calls } = await preview({ base: HOST, head: HOST, answers });
  expect(result).toMatchObject({ comparedWith: "the base on paper", errors: [] });
  expect(result.changes.map(({ name }) => name)).toEqual(["conf"]);
  expect(commands).toEqual([
    "stack init e --secrets-provider passphrase --no-select",
    expect.stringMatching(/^up --yes .* --config-file \S*Pulumi\.e\.base\.yaml$/),
    expect.stringMatching(/^preview --policy-pack p --config-file \S*Pulumi\.e\.head\.yaml --stack e$/),
  ]);
  const [, up, head] = calls;
  expect([up!.cwd, head!.cwd]).toEqual([path.join(dir, "base"), path.join(dir, "head")]);
  // Only the base's providers are on paper; the backend and its passphrase are this run's own.
  expect(up!.env.PULUMI_DEBUG_PROVIDERS).toMatch(/^host:\d+$/);
  expect(head!.env.PULUMI_DEBUG_PROVIDERS).toBeUndefined();
  expect(head!.env.PULUMI_BACKEND_URL).toBe(`file://${dir}/scratch/paper/e`);
  expect(head!.env.PULUMI_CONFIG_PASSPHRASE).toBe(up!.env.PULUMI_CONFIG_PASSPHRASE);
});

test("a base that does not come up is reported with its own error, and the head is compared with nothing", async () => {
  const answers = `if (command === "up") return { code: 1, out: "a\\nDiagnostics:\\n  boom here\\n" };`;
  const { result, commands } = await preview({ base: HOST, head: HOST, answers });
  expect(result.comparedWith).toBe("nothing (the base fails)");
  expect(result.notes.join("\n")).toContain("everything is shown as new:\nDiagnostics:\n  boom here");
  expect(result.errors).toEqual([]);
  expect(commands.map((one) => one.split(" ")[0])).toEqual(["stack", "up", "stack", "preview"]);
});

test("a new one is compared with nothing", async () => {
  const { result, commands } = await preview({ head: HOST });
  expect(result.comparedWith).toBe("nothing (it is new)");
  expect(commands.map((one) => one.split(" ")[0])).toEqual(["stack", "preview"]);
});

test("an engine that fails before there is a plan is an error in its last words", async () => {
  const answers = `if (command === "preview") return { code: 255, err: "first\\nlast words\\n" };`;
  expect((await preview({ head: HOST, answers })).result.errors).toEqual(["first\nlast words"]);
});

test("drift and plans need a state", async () => {
  const asked = await preview({ head: HOST, settings: { refresh: true, plans: path.join(dir, "plans") } });
  expect(asked.commands).toEqual([]);
  expect(asked.result.errors.map((one) => one.split(":")[0])).toEqual(["--refresh", "--plans"]);
});

describe("with the state", () => {
  const saving = `fs.writeFileSync(option("--save-plan") ?? "/dev/null", "{}");`;

  test("the base is previewed too, and what both would do is pending", async () => {
    const both = event("create", "both", {});
    const answers = `if (args.includes("--config-file")) ${answering(both, event("create", "own", {}))} else ${answering(both)}`;
    const { result, commands, calls } = await preview({ base: HOST, head: HOST, answers, settings: REAL });
    expect(result.comparedWith).toBe("the stack's state");
    expect([result.changes, result.pending].map((list) => list.map(({ name }) => name))).toEqual([
      ["own"],
      ["both"],
    ]);
    expect(commands).toEqual([
      "preview --policy-pack p --config-file /scratch/head/Pulumi.e.yaml --stack e",
      "preview --stack e",
    ]);
    expect(calls.map(({ cwd }) => cwd)).toEqual([path.join(dir, "head"), path.join(dir, "base")]);
    // The engine may write a salt into the one it is given.
    expect(fs.statSync(path.join(dir, "scratch/head/Pulumi.e.yaml")).mode & 0o777).toBe(0o600);
  });

  test.each([
    ["as it was", [], HOST, ["secret"]],
    ["encrypted anew", [], `${HOST}  oslo-faas:gatewayPassword:\n    secure: ${CIPHER}\n`, []],
    ["as it was, with another program", ["index.ts"], HOST, []],
  ])("a secret %s", async (_name, because, head, pending) => {
    const answers = answering(event("create", "secret", { content: "[secret]" }));
    const { result } = await preview({ base: HOST, head, because, answers, settings: REAL });
    expect(result.pending.map(({ name }) => name)).toEqual(pending);
    expect(result.notes.join("\n").includes("perhaps to another secret")).toBe(pending.length === 0);
  });

  test("nothing is listed as pending if the base cannot be previewed", async () => {
    const answers = `if (!args.includes("--config-file")) return { code: 1, err: "boom" }; ${answering(event("create", "own", {}))}`;
    const { result } = await preview({ base: HOST, head: HOST, answers, settings: REAL });
    expect(result.changes.map(({ name }) => name)).toEqual(["own"]);
    expect(result.notes).toEqual([expect.stringMatching(/nothing is listed as pending:\nboom$/)]);
    expect(isWrong(result)).toBe(false);
  });

  test.each([
    [false, ""],
    [true, " --refresh"],
  ])("a plan does all of it, and drift where it is to repair: %s", async (repair, more) => {
    const plans = path.join(dir, "plans");
    const settings = { ...REAL, plans, refresh: true, repair };
    const { result, commands } = await preview({ base: HOST, head: HOST, answers: saving, settings });
    expect(commands).toEqual([
      "refresh --preview-only --config-file /scratch/head/Pulumi.e.yaml --stack e",
      `preview${more} --policy-pack p --save-plan /plans/e.json --config-file /scratch/head/Pulumi.e.yaml --stack e`,
    ]);
    expect([result.drift, result.pending]).toEqual([[], []]);
    expect(fs.existsSync(path.join(plans, "e.json"))).toBe(true);
  });

  test("what is wrong is nobody's plan, and neither is an older one", async () => {
    const plans = path.join(dir, "plans");
    write(plans, "e.json", "of yesterday");
    const violation = JSON.stringify({
      policyEvent: { policyName: "rule", enforcementLevel: "mandatory", message: "x" },
    });
    const answers = `${saving} return { code: 1, out: ${JSON.stringify(`${violation}\n`)} };`;
    const { result } = await preview({ head: HOST, answers, settings: { ...REAL, plans } });
    expect([result.errors, result.violations.length, isWrong(result)]).toEqual([[], 1, true]);
    expect(fs.readdirSync(plans)).toEqual([]);
  });
});

test("wrong is an error and a mandatory violation, and no advice", () => {
  const violation = (level: string) => ({ policy: "p", level, resource: "", message: "" });
  const of = (more: object) => isWrong({ errors: [], violations: [], ...more } as never);
  expect([of({}), of({ violations: [violation("advisory")] })]).toEqual([false, false]);
  expect([of({ errors: ["x"] }), of({ violations: [violation("mandatory")] })]).toEqual([true, true]);
});
