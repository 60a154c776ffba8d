/** What `npx oslo-faas preview` says of branches of a repository, with the real engine and plugins, and no host. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type Outcome, PreviewRepo } from "./previewRepo";

jest.setTimeout(300_000);

let repo: PreviewRepo;

/** Headings "### Changed: `name` (type)" and the lists under the others. */
const changes = (report: string): string[] =>
  [...report.matchAll(/^### (\w+): `([^`]+)`/gm)].map(([, kind, name]) => `${kind} ${name}`);

/** Lines of all diffs that were taken away or put in. */
const changedLines = (report: string): string[] =>
  [...report.matchAll(/^```+diff\n([\s\S]*?)^```+$/gm)].flatMap(([, diff]) =>
    diff!.split("\n").filter((line) => /^[-+]/.test(line)),
  );

const row = (report: string, name: string): string[] | undefined =>
  report
    .split("\n")
    .find((line) => line.startsWith(`| ${name} |`))
    ?.split("|")
    .map((cell) => cell.trim());

/** What production's stack.yml asks of the machine that it is previewed on. */
const VARIABLES = { ARCHIVE_URL: "https://archive.example.no", MEMORY: "32Mi", MOST: "5", READONLY: "true" };

beforeAll(() => {
  Object.assign(process.env, VARIABLES);
  repo = new PreviewRepo();
  repo.write(
    "functions/prod.yml",
    repo
      .read("functions/stack.yml")
      .replace("    labels:", '    environment:\n      archive: "${ARCHIVE_URL}"\n    labels:')
      .replace("memory: 32Mi", 'memory: "${MEMORY}"')
      .replace('scale.max: "5"', 'scale.max: "${MOST}"')
      .replace("readonly_root_filesystem: true", 'readonly_root_filesystem: "${READONLY}"'),
  );
  repo.edit("stacks/Pulumi.oslo-prod.yaml", /$/, "  oslo-faas:functions:\n    - stack: functions/prod.yml\n");
  repo.commit("base");
});
afterAll(() => repo.remove());

test("the environments as they are committed, previewed with a stack of their own and no host", async () => {
  const clone = new PreviewRepo();
  try {
    const pulumi = (...args: string[]) =>
      clone.run([process.execPath, "dev/bootstrap.mjs", "pulumi", ...args, "--non-interactive"], {
        PULUMI_CONFIG_PASSPHRASE: "of a test",
      });
    for (const name of ["oslo-dev", "oslo-staging", "oslo-prod"]) {
      expect((await pulumi("stack", "init", name)).code).toBe(0);
      const { code, out, err } = await pulumi("preview", "--stack", name);
      expect({ name, code, err: code === 0 ? "" : err + out }).toEqual({ name, code: 0, err: "" });
      expect(out).toMatch(/\+ \d\d to create/);
      // The committed lock file is empty.
      expect(out + err).toContain(`npx oslo-faas images lock -s ${name}`);
    }
  } finally {
    clone.remove();
  }
});

test("a parameter of Nginx in staging and a function's scale in production: exactly those two, with exactly those lines", async () => {
  repo.branch("two");
  repo.edit("stacks/Pulumi.oslo-staging.yaml", "keepalive: 64", "keepalive: 128");
  repo.edit("functions/prod.yml", 'com.openfaas.scale.min: "1"', 'com.openfaas.scale.min: "2"');
  repo.commit("two changes");
  const { code, out, err } = await repo.preview(["--base", "main"]);
  expect({ code, err: code === 0 ? "" : err + out }).toEqual({ code: 0, err: "" });
  expect(row(out, "oslo-staging")!.slice(1, 6)).toEqual(["oslo-staging", "0", "1", "0", "0"]);
  expect(row(out, "oslo-prod")!.slice(1, 6)).toEqual(["oslo-prod", "0", "1", "0", "0"]);
  expect(row(out, "oslo-dev")).toBeUndefined();
  expect(out).toContain("Untouched: oslo-dev.");
  expect(changes(out)).toEqual(["Changed functions-hello", "Changed nginx-conf"]);
  expect(changedLines(out)).toEqual([
    '- labels["com.openfaas.scale.min"]: "1"',
    '+ labels["com.openfaas.scale.min"]: "2"',
    "-        keepalive 64;",
    "+        keepalive 128;",
  ]);
  const head = repo.git("rev-parse", "--short", "HEAD").trim();
  expect(out).toMatch(
    new RegExp(`^\`${head}\`, compared with \`[0-9a-f]+\`, where it branched off \`main\`\\.$`, "m"),
  );
  // With the lines around it, as a diff has them.
  expect(out).toContain("         server unix:/run/oslo-faas-door/edge.sock;\n-        keepalive 64;");
  expect(repo.git("status", "--short")).toBe("");
});

test("a variable of a stack.yml that is not set is an error that names it, with its file and line", async () => {
  repo.branch("unset");
  repo.edit("functions/prod.yml", 'com.openfaas.scale.min: "1"', 'com.openfaas.scale.min: "2"');
  repo.commit("a change");
  const { code, out } = await repo.preview(["--base", "main"], { MEMORY: undefined });
  expect(code).toBe(1);
  expect(out).toMatch(/functions\/prod\.yml:\d+: \$\{MEMORY\}: is not set and has no default/);
});

test("an environment whose files did not change is not looked at", async () => {
  repo.branch("one");
  repo.edit("stacks/Pulumi.oslo-staging.yaml", "keepalive: 64", "keepalive: 96");
  const { out } = await repo.preview(["--base", "main", "--list"]);
  expect(JSON.parse(out)).toEqual(["oslo-staging"]);
});

describe("a branch that takes the queue's volume away, with secrets wherever one can be", () => {
  const canary = (place: string) => `canary-${place}-5f0e1d`;
  let ended: Outcome;
  let report: string;
  let comments: Record<string, string>;

  beforeAll(async () => {
    repo.branch("volume");
    repo.edit(
      "components/openfaas/queue.ts",
      /^\s*volumes: \{ "\/data": this\.swarm\.volume\("calls", keepOnDestroy\) \},$/m,
      "",
    );
    repo.edit(
      "stacks/Pulumi.oslo-dev.yaml",
      /$/,
      "  oslo-faas:gatewayPassword:\n    secure: v1:bm9ib2R5IGNhbiEh:ZGVjcnlwdCB0aGlzIGhlcmU=\n",
    );
    repo.edit(
      "components/osloFaas/index.ts",
      "const onHost =",
      `new (require("../../providers/host/sdk").File)("canary", { path: "/etc/canary", content: require("@pulumi/pulumi").secret(${JSON.stringify(`${canary("file")}\nline\n`)}) }, { provider: machine.provider });\nconst onHost =`,
    );
    repo.edit(
      "functions/stack.yml",
      "    labels:",
      '    environment:\n      greeting: "${CANARY_TOKEN}"\n    labels:',
    );
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-report-"));
    const env = { PULUMI_CONFIG_PASSPHRASE: canary("passphrase"), CANARY_TOKEN: canary("token") };
    const files = ["--out", `${folder}/report.md`, "--comments", `${folder}/comments`];
    ended = await repo.preview(["--base", "main", "--env", "oslo-dev", "--env", "oslo-prod", ...files], env);
    const read = (file: string) => fs.readFileSync(path.join(folder, file), "utf8");
    report = read("report.md");
    comments = Object.fromEntries(
      fs.readdirSync(`${folder}/comments`).map((name) => [name, read(`comments/${name}`)]),
    );
    fs.rmSync(folder, { recursive: true });
  });

  test("is flagged as data loss before anything else", () => {
    // oslo-dev does not keep its queue, the others do.
    expect(ended.code).toBe(0);
    expect(row(report, "oslo-dev")).toContain("**data at stake**, 2 advisory violations");
    expect(report).toContain("- oslo-dev: volume `openfaas-calls` is deleted: **its data is lost**");
    expect(report).toContain(
      "- oslo-prod: volume `openfaas-calls` is deleted: it stays on the host with its data",
    );
    expect(report).toMatch(/oslo-dev: service `nats` no longer mounts volume `openfaas-calls` at `\/data`/);
    expect(report.indexOf("## Data at stake")).toBeLessThan(report.indexOf("\n## oslo-dev"));
    expect(report).toContain("Affected, but not previewed: oslo-staging.");
  });

  test("has no secret in its report: not of the environment, the configuration, a file or a function", () => {
    const everything = [report, ended.out, ended.err, ...Object.values(comments)].join("\n");
    expect(everything).not.toContain("5f0e1d");
    expect(everything).not.toContain(Buffer.from(canary("file")).toString("base64").slice(0, 20));
    // It was there: the report shows the places.
    expect(report).toContain("`canary`");
    expect(report).toMatch(/env\.greeting: "\(secret\)"/);
    expect(report).toContain("placeholders stand in for `gatewayPassword` (a secret)");
    expect(Object.keys(comments).sort()).toEqual(["oslo-dev.md", "oslo-prod.md"]);
  });
});

test("three errors in one file are three errors with their paths, and a failing exit code", async () => {
  repo.branch("errors");
  repo.edit("stacks/Pulumi.oslo-dev.yaml", "    user: ops", "    user: ops\n    port: 99999");
  repo.edit("stacks/Pulumi.oslo-dev.yaml", "keepOnDestroy: false", "keepOnDestroy: perhaps");
  repo.edit("stacks/Pulumi.oslo-dev.yaml", /$/, "  oslo-faas:nginx:\n    keepAlive: 64\n");
  const { code, out } = await repo.preview(["--base", "main"]);
  expect(code).toBe(1);
  expect(out).toContain("## oslo-dev: 3 errors");
  expect(out).toContain(" with uncommitted changes, compared with ");
  expect(out).toMatch(/^host\.port: .*stacks\/Pulumi\.oslo-dev\.yaml:\d+/m);
  expect(out).toMatch(/^openfaas\.queue\.keepOnDestroy: .*stacks\/Pulumi\.oslo-dev\.yaml:\d+/m);
  expect(out).toMatch(/^nginx\.keepAlive: unknown, did you mean nginx\.keepalive\?.*:\d+/m);
  expect(out).toContain("Untouched: oslo-prod, oslo-staging.");
});

describe("one environment that is new, one that is taken away, and one whose queue and swarm change", () => {
  let out: string;
  beforeAll(async () => {
    repo.branch("keep");
    const production = "stacks/Pulumi.oslo-prod.yaml";
    repo.edit(production, "      workers: 2", "      workers: 2\n      keepOnDestroy: false");
    repo.edit(production, /$/, '  oslo-faas:swarm:\n    addressPool: "10.99.0.0/16"\n');
    const development = repo.read("stacks/Pulumi.oslo-dev.yaml");
    repo.write("stacks/Pulumi.oslo-new.yaml", development.replace("dev.faas", "new.faas"));
    repo.git("rm", "-q", "stacks/Pulumi.oslo-staging.yaml");
    const ended = await repo.preview(["--base", "main"]);
    expect({ code: ended.code, err: ended.code === 0 ? "" : ended.err }).toEqual({ code: 0, err: "" });
    out = ended.out;
  });

  test("a volume that is no longer kept and a replaced swarm come first in the report", () => {
    expect(out).toContain(
      "- oslo-prod: `openfaas-calls` is no longer kept: **deleting it later deletes its data**",
    );
    expect(out).toContain("the swarm's services, secrets and networks are deleted too");
    expect(changes(out)).toContain("Replaced swarm-manager");
  });

  test("values that only the host knows are listed by path", () => {
    const [, unknown] = out.split("### Known only after the host has answered");
    expect(unknown).toMatch(/^- `openfaas-gateway`: .*`taskSpec\.networksAdvanceds\[0\]\.id`/m);
  });

  test("the new one is shown as new, and the one that is taken away as not taken off its host", async () => {
    expect(Number(row(out, "oslo-new")![2])).toBeGreaterThan(30);
    expect(row(out, "oslo-new")).toContain("nothing (it is new)");
    expect(row(out, "oslo-staging")).toContain("**no longer managed**");
    expect(out).toContain("pulumi destroy -s oslo-staging");
    expect(out).not.toContain("nothing changes there");
    const { out: listed } = await repo.preview(["--base", "main", "--list"]);
    expect(JSON.parse(listed)).toEqual(["oslo-new", "oslo-prod"]);
  });
});

test("what cannot be worked out at all is exit code 2 and one sentence", async () => {
  repo.branch("nothing");
  const { code, err } = await repo.preview(["--base", "no-such-branch"]);
  expect(code).toBe(2);
  expect(err).toMatch(/--base no-such-branch: no such commit/);
  expect(err).not.toMatch(/\n\s+at /);
  const other = await repo.preview(["--base", "main", "--env", "oslo-pord"]);
  expect(other.code).toBe(2);
  expect(other.err).toContain(
    "oslo-pord: no such environment. Environments: oslo-dev, oslo-prod, oslo-staging.",
  );
});

test("a program that fails is an error of each environment, and the report is written", async () => {
  repo.branch("broken");
  // A new one: nothing is brought up on paper before.
  repo.git("mv", "stacks/Pulumi.oslo-dev.yaml", "stacks/Pulumi.oslo-new.yaml");
  repo.edit(
    "components/nginx/index.ts",
    "const own = { parent: this };",
    'throw new Error("boom here"); const own = { parent: this };',
  );
  const { code, out } = await repo.preview(["--base", "main", "--env", "oslo-new"]);
  expect(code).toBe(1);
  expect(out).toContain("## oslo-new: 1 error");
  expect(out).toContain("boom here");
});

test("one that is ended half-way leaves no process, no folder and no worktree behind", async () => {
  repo.branch("ended");
  repo.edit("stacks/Pulumi.oslo-staging.yaml", "keepalive: 64", "keepalive: 96");
  const before = repo.git("status", "--porcelain");
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-ended-"));
  // A cache of compiled TypeScript, which outlives every run.
  const folders = () => fs.readdirSync(scratch).filter((name) => !/^(tsx|node-compile-cache)/.test(name));
  const left = () => [...folders(), ...processesIn(scratch)];
  const running = repo.preview(["--base", "main"], { TMPDIR: scratch }, async (end) => {
    // Its engine and a plugin of the base are at work.
    await until(() => processesIn(scratch).length > 1);
    end("SIGTERM");
  });
  expect((await running).code).not.toBe(0);
  await until(() => left().length === 0);
  expect(repo.git("worktree", "list").trim().split("\n")).toHaveLength(1);
  expect(repo.git("status", "--porcelain")).toBe(before);
  fs.rmSync(scratch, { recursive: true });
});

/** Command lines of what runs in or from a folder. */
function processesIn(folder: string): string[] {
  return fs.readdirSync("/proc").flatMap((pid) => {
    try {
      if (!/^\d+$/.test(pid) || !fs.readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)) return [];
      return [fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
    } catch {
      return []; // It has ended.
    }
  });
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !what(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(what()).toBe(true);
}
