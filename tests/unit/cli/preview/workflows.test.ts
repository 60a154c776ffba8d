/** What a workflow may do, by what is written in it; what its steps do is executed in tests/integration/workflows.test.ts. And GitLab's job. */
import { execFile, execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { parseOptions } from "./parseOptions";

const ROOT = path.resolve(__dirname, "../../../..");
const FOLDER = path.join(ROOT, ".github/workflows");

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}
interface Job {
  if?: string;
  "runs-on"?: string;
  /** Another workflow, in place of steps. */
  uses?: string;
  needs?: string | string[];
  concurrency?: { group: string; "cancel-in-progress": boolean };
  strategy?: { matrix: Record<string, unknown> };
  outputs?: Record<string, string>;
  permissions?: Record<string, string>;
  "timeout-minutes"?: number;
  environment?: string;
  steps?: Step[];
}
interface Workflow {
  on: Record<string, unknown>;
  permissions: object;
  jobs: Record<string, Job>;
}

const texts = fs
  .readdirSync(FOLDER)
  .map((name) => [name, fs.readFileSync(path.join(FOLDER, name), "utf8")] as const);
const workflows = texts.map(([name, text]) => [name, parse(text) as Workflow] as const);
const stepsOf = ({ steps = [] }: Job): Step[] => steps;
const workflow = (wanted: string) => workflows.find(([name]) => name === wanted)![1];

describe.each(workflows)("%s", (name, { on, permissions, jobs }) => {
  test("runs no code of a stranger, and nothing of a pull request with a secret or the right to write", () => {
    expect(Object.keys(on)).not.toContain("pull_request_target");
    expect(Object.keys(on)).not.toContain("workflow_run");
    if (!("pull_request" in on)) return;
    const text = texts.find(([file]) => file === name)![1];
    expect(text).not.toMatch(/\$\{\{\s*secrets\./);
    if (name === "ci.yml") return;
    for (const job of Object.values(jobs)) {
      expect(job.if).toContain("github.event.pull_request.head.repo.full_name == github.repository");
      const runs = stepsOf(job).some(({ uses }) => uses?.startsWith("actions/checkout@"));
      expect(Object.values(job.permissions!)).toEqual([runs ? "read" : "write"]);
    }
  });

  test("has no permission but what a job names, a limit for each job, and no login left in the clone", () => {
    expect(permissions).toEqual({});
    for (const job of Object.values(jobs)) {
      expect(job.permissions).toBeDefined();
      // A job that calls a workflow has the limits of that one's jobs.
      if (job.uses === undefined) expect(job["timeout-minutes"]).toBeLessThanOrEqual(60);
      for (const { uses, with: options } of stepsOf(job))
        if (uses?.startsWith("actions/checkout@")) expect(options!["persist-credentials"]).toBe(false);
    }
  });

  test("takes actions by commit, with their release for people", () => {
    const text = texts.find(([file]) => file === name)![1];
    // What lies in the same repository has no commit of its own.
    const uses = text.match(/^.*\buses: (?!\.\/).*$/gm)!;
    for (const line of uses) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("puts nothing of others into a script: what differs comes as a variable", () => {
    for (const job of Object.values(jobs))
      for (const { run } of stepsOf(job)) expect(run ?? "").not.toContain("${{");
  });
});

test("ci.yml runs the code of forks, on a runner of GitHub's, with the right to read and nothing else", () => {
  const { jobs } = workflow("ci.yml");
  expect(Object.keys(jobs)).toEqual(["unit", "host"]);
  for (const job of Object.values(jobs)) {
    expect(job.permissions).toEqual({ contents: "read" });
    expect(job.environment).toBeUndefined();
    expect(job["runs-on"]).toBe("ubuntu-24.04");
  }
});

test("release.yml is for tags, and what may write runs no code of the repository", () => {
  const { on, jobs } = workflow("release.yml");
  expect(on).toEqual({ push: { tags: ["v*"] } });
  const mayWrite = Object.entries(jobs).filter(
    ([, { permissions }]) => !("contents" in permissions!) || permissions.contents !== "read",
  );
  expect(mayWrite.map(([name, { permissions }]) => [name, permissions])).toEqual([
    ["images", { packages: "write" }],
    ["npm", { "id-token": "write" }],
    ["release", { contents: "write" }],
  ]);
  for (const [, job] of mayWrite)
    for (const { uses, run } of stepsOf(job)) {
      expect(uses ?? "").not.toContain("actions/checkout@");
      expect(run ?? "").not.toMatch(/npm (ci|i|install|run|pack)\b|node /);
    }
});

test("apply.yml is for main alone, and only the jobs of an environment see its secrets", () => {
  const { on, jobs } = workflow("apply.yml");
  expect(on).toMatchObject({ push: { branches: ["main"] } });
  expect(jobs.which!.if).toBe("github.ref == 'refs/heads/main'");
  expect(jobs.which!.environment).toBeUndefined();
  expect(JSON.stringify(jobs.which)).not.toContain("secrets.");
  expect(Object.keys(workflow("apply-environment.yml").on)).toEqual(["workflow_call"]);
  const { plan, apply } = workflow("apply-environment.yml").jobs;
  expect([plan!.environment, apply!.environment]).toEqual([
    "${{ inputs.environment }}-plan",
    "${{ inputs.environment }}",
  ]);
});

test("what has no plan asks nobody for approval, and an environment is planned and brought up one run at a time", () => {
  const { jobs } = workflow("apply-environment.yml");
  expect(jobs.apply!.needs).toBe("plan");
  // With a condition of its own it would also start after a plan that failed.
  expect(jobs.apply!.if).toBeUndefined();
  const { apply } = workflow("apply.yml").jobs;
  expect(apply!.uses).toBe("./.github/workflows/apply-environment.yml");
  expect(apply!.concurrency).toEqual({
    group: "apply-${{ matrix.environment }}",
    "cancel-in-progress": false,
  });
  for (const job of Object.values(jobs)) expect(job.concurrency).toBeUndefined();
});

test("preview.yml looks again when the base is another one, and at every edit, so that none shows as a check that passed", () => {
  const { on, jobs } = workflow("preview.yml");
  expect((on.pull_request as { types: string[] }).types).toContain("edited");
  for (const job of Object.values(jobs)) expect(job.if).not.toContain("event.action");
  // Only a report of this very run is read.
  const [download] = stepsOf(jobs.comment!);
  expect(download).toMatchObject({ if: "needs.preview.outputs.reported == 'true'" });
  expect(jobs.preview!.outputs).toEqual({ reported: "${{ steps.report.outputs.reported }}" });
});

test("every environment in the repository can be brought up by hand", () => {
  const { on } = workflow("apply.yml");
  const { options } = (on.workflow_dispatch as { inputs: { environment: { options: string[] } } }).inputs
    .environment;
  // Those that git has: a lab has one there for a while.
  const listed = execFileSync("git", ["ls-files", "stacks"], { cwd: ROOT, encoding: "utf8" });
  const files = [...listed.matchAll(/Pulumi\.(.+)\.yaml$/gm)].map(([, name]) => name);
  expect([...options, "local"].sort()).toEqual(files.sort());
});

describe("the job for GitLab, as docs/pull-requests.md has it", () => {
  const page = fs.readFileSync(path.join(ROOT, "docs/pull-requests.md"), "utf8");
  const [, text] = /```yaml\n(preview:\n[\s\S]*?)```/.exec(page)!;
  const jobs = parse(text!) as Record<string, { script: string[]; artifacts?: { paths: string[] } }>;

  test("previews against the base of the merge request, into the file that it keeps", async () => {
    const line = jobs.preview!.script.find((one) => one.includes("oslo-faas preview"))!;
    const options = await parseOptions(line.split("oslo-faas preview ")[1]!.replaceAll('"', "").split(" "));
    expect(options.base).toBe("$CI_MERGE_REQUEST_DIFF_BASE_SHA");
    expect(jobs.preview!.artifacts!.paths).toEqual([options.out]);
  });

  describe("writes one note", () => {
    const BOT = 9;
    const MARKER = "<!-- oslo-faas preview -->\n";
    const TOKEN = "token-of-the-project";
    const URL = "/projects/3/merge_requests/7/notes";
    interface Note {
      id: number;
      author: { id: number };
      body: string;
    }
    let dir: string;
    let notes: Note[];
    let asked: string[];
    let server: http.Server;

    // What GitLab's API does with notes, as far as the job asks for it.
    const answer = (method: string, url: string, body: string): unknown => {
      const [folder = "", query = ""] = url.split("?");
      asked.push(`${method} ${folder}`);
      if (folder === "/user") return { id: BOT };
      const note = new URLSearchParams(body).get("body")!;
      if (method === "POST") notes.push({ id: 500, author: { id: BOT }, body: note });
      if (method === "PUT") notes.find(({ id }) => folder.endsWith(`/${id}`))!.body = note;
      const [size, page] = ["per_page", "page"].map((name) => Number(new URLSearchParams(query).get(name)));
      return notes.slice(size! * (page! - 1), size! * page!);
    };

    beforeEach(async () => {
      dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-gitlab-"));
      asked = [];
      server = http.createServer((request, response) => {
        let body = "";
        request.on("data", (data: Buffer) => (body += data.toString()));
        request.on("end", () => {
          if (request.headers["private-token"] !== TOKEN) response.statusCode = 401;
          response.end(JSON.stringify(answer(request.method!, request.url!, body)));
        });
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    });
    afterEach(() => {
      server.close();
      fs.rmSync(dir, { recursive: true });
    });

    const run = (report?: string) => {
      fs.rmSync(path.join(dir, "report.md"), { force: true });
      if (report !== undefined) fs.writeFileSync(path.join(dir, "report.md"), report);
      const env = {
        PATH: process.env.PATH,
        CI_API_V4_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        CI_PROJECT_ID: "3",
        CI_MERGE_REQUEST_IID: "7",
        CI_COMMIT_SHA: "0123abcd",
        CI_PIPELINE_URL: "https://gitlab.example/pipelines/1",
        PREVIEW_TOKEN: TOKEN,
      };
      const script = jobs["preview:note"]!.script.join("\n");
      return promisify(execFile)("sh", ["-e", "-c", script], { cwd: dir, env });
    };

    test.each([1, 100, 250])("beside %d of others, and the next run updates it", async (count) => {
      const others = Array.from({ length: count }, (_, id) => ({
        id,
        author: { id: 1 },
        body: `${id % 2 ? MARKER : ""}from a person`,
      }));
      notes = structuredClone(others);
      for (const report of ["first & `report` = 100 %\n", "second\n"]) await run(report);
      const pages = Array.from({ length: Math.floor(count / 100) + 1 }, () => `GET ${URL}`);
      const again = Array.from({ length: Math.floor((count + 1) / 100) + 1 }, () => `GET ${URL}`);
      expect(asked).toEqual([
        ...["GET /user", ...pages, `POST ${URL}`],
        ...["GET /user", ...again, `PUT ${URL}/500`],
      ]);
      expect(notes.slice(0, count)).toEqual(others);
      expect(notes.slice(count).map(({ body }) => body)).toEqual([`${MARKER}second\n`]);
    });

    test("the note names the pipeline if there is no report", async () => {
      notes = [{ id: 5, author: { id: BOT }, body: `${MARKER}of another commit` }];
      await run();
      expect(notes.map(({ body }) => body)).toEqual([
        `${MARKER}**The preview failed for 0123abcd, and there is no report of it.** [Its pipeline](https://gitlab.example/pipelines/1) says why.\n`,
      ]);
    });
  });
});
