/** Every `run:` step of the workflows, executed as it is written: on a clone with a small program, a real sshd and the real engine. */
import * as fs from "node:fs";
import * as path from "node:path";
import { resolveToolchain } from "../../lab/toolchain/resolve";
import { type Outcome, PreviewRepo, smallProgram, smallStack } from "./previewRepo";
import { type Sshd, startSshd } from "./sshd";
import { codes, everyStep, WorkflowJobs } from "./workflowJobs";

jest.setTimeout(600_000);

const STACK = "oslo-test";
const PASSPHRASE = "passphrase-of-the-test";
let repo: PreviewRepo;
let sshd: Sshd;
let folder: string;
let before: string;
let jobs: WorkflowJobs;

const file = (name: string) => path.join(sshd.dir, name);
const said = (name: string): string => jobs.said(name);
const job = (...args: Parameters<WorkflowJobs["job"]>): Promise<Outcome[]> => jobs.job(...args);

/** `gh api` on a file of comments: what the workflow asks of it, and an error for all else. */
const GH = (store: string) => `#!${process.execPath}
const fs = require("node:fs");
const store = ${JSON.stringify(store)};
const comments = fs.existsSync(store) ? JSON.parse(fs.readFileSync(store, "utf8")) : [];
const args = process.argv.slice(2);
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const url = args.find((arg) => arg.startsWith("repos/"));
if (args[0] !== "api" || process.env.GH_TOKEN !== "token-of-the-job") process.exit(3);
const method = option("--method") ?? "GET";
const body = () => JSON.parse(fs.readFileSync(option("--input"), "utf8")).body;
if (method === "GET" && url === "repos/owner/name/issues/7/comments") {
  // As gh prints pages: one array after the other.
  console.log(JSON.stringify(comments.slice(0, 1)));
  console.log(JSON.stringify(comments.slice(1)));
} else if (method === "POST" && url === "repos/owner/name/issues/7/comments") {
  comments.push({ id: 100 + comments.length, user: { login: "github-actions[bot]", type: "Bot" }, body: body() });
} else if (method === "PATCH" && /^repos\\/owner\\/name\\/issues\\/comments\\/\\d+$/.test(url)) {
  comments.find(({ id }) => id === Number(url.split("/").at(-1))).body = body();
} else process.exit(4);
fs.writeFileSync(store, JSON.stringify(comments));
`;

beforeAll(async () => {
  sshd = await startSshd();
  folder = file("files");
  repo = new PreviewRepo({ modules: false });
  for (const name of ["oslo-dev", "oslo-prod", "oslo-staging"])
    fs.rmSync(path.join(repo.dir, `stacks/Pulumi.${name}.yaml`));
  repo.write("index.ts", smallProgram(folder));
  // No key in the file: the agent logs in, as on a runner.
  repo.write(`stacks/Pulumi.${STACK}.yaml`, smallStack(sshd, ""));
  const toolchain = await resolveToolchain({ quiet: true, args: ["--stack", STACK] });
  fs.mkdirSync(file("backend"));
  fs.mkdirSync(file("bin"));
  fs.writeFileSync(file("bin/gh"), GH(file("comments.json")), { mode: 0o755 });
  const base = {
    // What pulumi/actions installs.
    PULUMI_HOME: toolchain.env.PULUMI_HOME,
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: toolchain.env.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION,
    PATH: [file("bin"), toolchain.env.PATH].join(":"),
    SSH_AUTH_SOCK: "",
    // Empty where a secret is not set, as on a runner.
    PULUMI_BACKEND_URL: "",
    PULUMI_CONFIG_PASSPHRASE: "",
  };
  jobs = new WorkflowJobs(repo, sshd.dir, base);
  const state = {
    ...toolchain.env,
    PULUMI_BACKEND_URL: `file://${file("backend")}`,
    PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
  };
  const init = await repo.run([toolchain.pulumi, "stack", "init", STACK, "--non-interactive"], state);
  const set = ["config", "set", "--secret", "gatewayPassword", "canary-of-the-workflows", "--stack", STACK];
  const config = await repo.run([toolchain.pulumi, ...set], state);
  expect([init.code, config.code]).toEqual([0, 0]);
  repo.commit("base");
  before = repo.git("rev-parse", "HEAD").trim();
  repo.git("update-ref", "refs/remotes/origin/main", "main");
});
afterAll(async () => {
  repo.remove();
  await sshd.stop();
});

describe("preview.yml", () => {
  const context = {
    "github.base_ref": "main",
    "github.token": "token-of-the-job",
    "github.repository": "owner/name",
    "github.server_url": "https://github.example",
    "github.run_id": "99",
    "github.event.pull_request.number": "7",
    "github.event.pull_request.head.sha": "0123456789abcdef0123456789abcdef01234567",
    "needs.preview.outputs.reported": "true",
  };
  const comments = () => JSON.parse(said("comments.json")) as { id: number; body: string }[];

  test("previews a pull request without any secret, and shows the report", async () => {
    repo.branch("pull-request");
    repo.edit(`stacks/Pulumi.${STACK}.yaml`, "keepalive: 64", "keepalive: 128");
    repo.commit("change");
    expect(codes(await job("preview", "preview", context))).toEqual(["0", "0", "0"]);
    expect(said("summary")).toContain("-keepalive 64\n+keepalive 128");
    expect(said("summary")).toContain("`0123456789abcdef0123456789abcdef01234567`, compared with ");
    expect(said("output")).toBe("reported=true\n");
    expect(fs.readdirSync(path.join(repo.dir, "report/comments"))).toEqual([`${STACK}.md`]);
  });

  test("writes one comment, and the next run updates it in place; others are left alone", async () => {
    const others = ["a-person", "another[bot]"].map((login, id) => ({
      id,
      user: { login },
      body: `<!-- oslo-faas preview: ${STACK} -->\nfrom ${login}`,
    }));
    fs.writeFileSync(file("comments.json"), JSON.stringify(others));
    expect(codes(await job("preview", "comment", context))).toEqual(["0"]);
    expect(comments()).toHaveLength(3);
    expect(comments()[2]!.body).toMatch(
      new RegExp(`^<!-- oslo-faas preview: ${STACK} -->\n# What this change does`),
    );
    const report = path.join(repo.dir, `report/comments/${STACK}.md`);
    fs.writeFileSync(report, 'the second report with `$(date)` and "quotes"\n');
    expect(codes(await job("preview", "comment", context))).toEqual(["0"]);
    expect(comments().map(({ body }) => body)).toEqual([
      ...others.map(({ body }) => body),
      `<!-- oslo-faas preview: ${STACK} -->\nthe second report with \`$(date)\` and "quotes"\n`,
    ]);
  });

  test("says of an environment that it is touched no more, and writes nothing where none is", async () => {
    fs.rmSync(path.join(repo.dir, `report/comments/${STACK}.md`));
    expect(codes(await job("preview", "comment", context))).toEqual(["0"]);
    expect(comments()).toHaveLength(3);
    expect(comments()[2]!.body).toContain(`${STACK} is not touched any more by this pull request.`);
  });

  test("a preview without a report leaves no older one that looks like it, and makes no new comment", async () => {
    const none = { ...context, "needs.preview.outputs.reported": "" };
    // What an earlier run left here is not read.
    fs.writeFileSync(path.join(repo.dir, "report/comments/oslo-other.md"), "of an earlier run\n");
    const others = comments().slice(0, 2);
    expect(codes(await job("preview", "comment", none))).toEqual(["0"]);
    expect(comments()).toHaveLength(3);
    expect(comments().slice(0, 2)).toEqual(others);
    expect(comments()[2]!.body).toBe(
      `<!-- oslo-faas preview: ${STACK} -->\n**The preview failed for 0123456789abcdef0123456789abcdef01234567, and there is no report of it.** [Its run](https://github.example/owner/name/actions/runs/99) says why.\n`,
    );
    fs.rmSync(path.join(repo.dir, "report"), { recursive: true });
  });

  test("fails with an unusable base, and does not claim a report", async () => {
    repo.branch("no-base");
    const outcomes = await job("preview", "preview", { ...context, "github.base_ref": "no-such-branch" });
    expect(outcomes.map(({ code }) => code)).toEqual([0, 2, 0]);
    expect(said("output")).toBe("");
  });

  test("fails for a wrong configuration, and the report is shown all the same", async () => {
    repo.branch("wrong");
    repo.edit(`stacks/Pulumi.${STACK}.yaml`, "keepalive: 64", "keepAlive: 64");
    fs.rmSync(file("summary"));
    const [install, preview, summary] = await job("preview", "preview", context);
    expect([install!.code, preview!.code, summary!.code]).toEqual([0, 1, 0]);
    expect(said("output")).toBe("reported=true\n");
    expect(said("summary")).toContain("nginx.keepAlive: unknown, did you mean nginx.keepalive?");
  });
});

describe("apply.yml and apply-environment.yml", () => {
  const context = (environment = STACK) => ({
    "inputs.environment": environment,
    "github.event.before": before,
    "secrets.SSH_PRIVATE_KEY": fs.readFileSync(sshd.privateKeyPath, "utf8"),
    "secrets.PULUMI_BACKEND_URL": `file://${file("backend")}`,
    "secrets.PULUMI_ACCESS_TOKEN": "",
    "secrets.PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
  });

  test("finds the environments of a merge, and takes the one that a person names", async () => {
    repo.branch("merged");
    repo.edit(`stacks/Pulumi.${STACK}.yaml`, "keepalive: 64", "keepalive: 256");
    repo.commit("merged");
    expect(codes(await job("apply", "which", context("")))).toEqual(["0", "0"]);
    expect(said("output")).toBe(`environments=["${STACK}"]\n`);
    expect(codes(await job("apply", "which", context("oslo-other")))).toEqual(["0", "0"]);
    expect(said("output")).toBe('environments=["oslo-other"]\n');
  });

  test("plans with the state and the host, brings up what was planned, and leaves no agent", async () => {
    fs.rmSync(file("summary"));
    expect(codes(await job("apply-environment", "plan", context()))).toEqual(["0", "0", "0", "0", "0"]);
    expect(said("summary")).toContain("the stack's state");
    expect(said("summary")).not.toContain("canary-of-the-workflows");
    expect(fs.readFileSync(path.join(repo.dir, `plans/${STACK}.json`), "utf8")).not.toContain(
      "canary-of-the-workflows",
    );
    expect(fs.existsSync(`${folder}/conf`)).toBe(false);
    const agent = /^SSH_AUTH_SOCK=(.*)$/m.exec(said("env"))![1]!;
    // It was told to end, and takes its socket away as it does.
    for (let i = 0; i < 100 && fs.existsSync(agent); i++) await new Promise((next) => setTimeout(next, 100));
    expect(fs.existsSync(agent)).toBe(false);
    expect(codes(await job("apply-environment", "apply", context()))).toEqual(["0", "0", "0", "0", "0"]);
    expect(fs.readFileSync(`${folder}/conf`, "utf8")).toBe("one\nkeepalive 256\nthree\n");
    expect(fs.readFileSync(`${folder}/login`, "utf8")).toBe("canary-of-the-workflows\n");
  });

  test("puts back what somebody changed on the host, as the plan says", async () => {
    fs.writeFileSync(`${folder}/conf`, "somebody was here\n");
    fs.rmSync(file("summary"));
    expect(codes(await job("apply-environment", "plan", context()))).toEqual(["0", "0", "0", "0", "0"]);
    expect(said("summary")).toContain("The plan reverts it");
    expect(codes(await job("apply-environment", "apply", context()))).toEqual(["0", "0", "0", "0", "0"]);
    expect(fs.readFileSync(`${folder}/conf`, "utf8")).toBe("one\nkeepalive 256\nthree\n");
  });

  test("refuses a plan that is older than the last update, and forgets the key all the same", async () => {
    const outcomes = await job("apply-environment", "apply", context());
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 1, 0]);
    expect(outcomes[2]!.out).toContain(`::error::${STACK} was brought up after this plan was made.`);
  });
});

describe("ci.yml", () => {
  /** One quick file of each kind stands for the tests, which run by themselves anyway. */
  const KEPT = ["unit/shared/hostKey", "unit/lab/parts", "integration/lab-registry", "e2e/environment"];
  let other: PreviewRepo;

  beforeAll(() => {
    other = repo;
    // The project as it is, without the other workflows' small program.
    repo = jobs.repo = new PreviewRepo({ modules: false });
    jobs.installed = undefined;
    const tests = fs.readdirSync(path.join(repo.dir, "tests"), { recursive: true, encoding: "utf8" });
    // Snapshots too: on CI one without its test is a failure.
    for (const name of tests.filter((one) => /\.test\.ts(\.snap)?$/.test(one)))
      if (!KEPT.includes(name.replace(/\.test\.ts$/, ""))) fs.rmSync(path.join(repo.dir, "tests", name));
    repo.commit("as it is, with few tests");
    repo.takeChecked();
  });
  afterAll(() => {
    repo.remove();
    repo = jobs.repo = other;
  });

  test("checks the project and runs the tests of each kind", async () => {
    expect(codes(await job("ci", "unit", {}))).toEqual(["0", "0", "0"]);
    for (const kind of ["integration", "e2e"])
      expect(codes(await job("ci", "host", { "matrix.tests": kind }))).toEqual(["0", "0"]);
  });
});

test("no step was left out", () => {
  expect([...jobs.executed].sort()).toEqual(everyStep("ci", "preview", "apply", "apply-environment").sort());
});
