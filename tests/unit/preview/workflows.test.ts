/** What a workflow may do, by what is written in it; what its steps do is executed in tests/integration/workflows.test.ts. And GitLab's job. */
import { execFile, execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { parseOptions } from "../../../preview/options";

const ROOT = path.resolve(__dirname, "../../..");
const FOLDER = path.join(ROOT, ".github/workflows");

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}
interface Job {
  if?: string;
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

describe("the job for GitLab, as docs/operations.md has it", () => {
  const page = fs.readFileSync(path.join(ROOT, "docs/operations.md"), "utf8");
  const [, text] = /```yaml\n(preview:\n[\s\S]*?)```/.exec(page)!;
  const jobs = parse(text!) as Record<string, { script: string[]; artifacts?: { paths: string[] } }>;

  test("previews against the base of the merge request, into the file that it keeps", () => {
    const line = jobs.preview!.script.find((one) => one.includes("preview:pr"))!;
    const options = parseOptions(line.split(" -- ")[1]!.replaceAll('"', "").split(" "));
    expect(options.base).toBe("$CI_MERGE_REQUEST_DIFF_BASE_SHA");
    expect(jobs.preview!.artifacts!.paths).toEqual([options.out]);
  });

  test("writes one note, and the next run updates it", async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-gitlab-"));
    const notes = [{ id: 1, body: "from a person" }];
    const asked: string[] = [];
    // What GitLab's API does with notes, as far as the job asks for it.
    const server = http.createServer((request, response) => {
      let body = "";
      request.on("data", (data: Buffer) => (body += data.toString()));
      request.on("end", () => {
        const url = request.url!.replace("?per_page=100", "");
        asked.push(`${request.method} ${url} ${request.headers["private-token"]}`);
        const note = new URLSearchParams(body).get("body")!;
        if (request.method === "POST") notes.push({ id: 5, body: note });
        if (request.method === "PUT") notes.find(({ id }) => url.endsWith(`/${id}`))!.body = note;
        response.end(JSON.stringify(notes));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const env = {
      PATH: process.env.PATH,
      CI_API_V4_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      CI_PROJECT_ID: "3",
      CI_MERGE_REQUEST_IID: "7",
      PREVIEW_TOKEN: "token-of-the-project",
    };
    const script = jobs["preview:note"]!.script.join("\n");
    for (const report of ["first & `report` = 100 %\n", "second\n"]) {
      fs.writeFileSync(path.join(dir, "report.md"), report);
      await promisify(execFile)("sh", ["-e", "-c", script], { cwd: dir, env });
    }
    server.close();
    fs.rmSync(dir, { recursive: true });
    const url = "/projects/3/merge_requests/7/notes";
    const token = "token-of-the-project";
    expect(asked).toEqual([
      `GET ${url} ${token}`,
      `POST ${url} ${token}`,
      `GET ${url} ${token}`,
      `PUT ${url}/5 ${token}`,
    ]);
    expect(notes.map(({ body }) => body)).toEqual(["from a person", "<!-- oslo-faas preview -->\nsecond\n"]);
  });
});
