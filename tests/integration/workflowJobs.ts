/** Runs the `run:` steps of a GitHub workflow as they are written, with what a runner gives each. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import type { Outcome, PreviewRepo } from "./previewRepo";

interface Step {
  name?: string;
  id?: string;
  run?: string;
  env?: Record<string, string>;
  if?: string;
}
interface Workflow {
  /** Without steps: a job that calls another workflow. */
  jobs: Record<string, { steps?: Step[] }>;
}

const WORKFLOWS = path.resolve(__dirname, "../../.github/workflows");
/** The one step that every job starts with, half a minute each: once in a clone is enough. */
const INSTALL = "npm ci";

const stepsOf = ({ steps = [] }: Workflow["jobs"][string]) => steps.filter(({ run }) => run !== undefined);

export const workflow = (name: string): Workflow =>
  parse(fs.readFileSync(path.join(WORKFLOWS, `${name}.yml`), "utf8")) as Workflow;

/** Workflow, job and step of all that some workflows run. */
export const everyStep = (...names: string[]): string[] =>
  names.flatMap((name) =>
    Object.entries(workflow(name).jobs).flatMap(([jobName, job]) =>
      stepsOf(job).map((step) => `${name} ${jobName} ${step.name}`),
    ),
  );

/** Exit codes, and what a step that failed said. */
export const codes = (outcomes: Outcome[]): string[] =>
  outcomes.map(({ code, out, err }) => (code === 0 ? "0" : `${code}: ${out}${err}`));

export class WorkflowJobs {
  /** Workflow, job and step of what was executed. */
  readonly executed = new Set<string>();
  /** What the installation of the clone's modules came to, once it was tried. */
  installed?: Outcome;

  /** @param dir for the files of the runner @param env of every step */
  constructor(
    public repo: PreviewRepo,
    readonly dir: string,
    readonly env: NodeJS.ProcessEnv,
  ) {}

  file(name: string): string {
    return path.join(this.dir, name);
  }

  /** What was written into a file of the runner: "output", "env", "summary". */
  said(name: string): string {
    return fs.existsSync(this.file(name)) ? fs.readFileSync(this.file(name), "utf8") : "";
  }

  /** One job's steps in order. @param context what stands between `${{` and `}}` → its value */
  async job(name: string, jobName: string, context: Record<string, string>): Promise<Outcome[]> {
    for (const one of ["output", "env"]) fs.writeFileSync(this.file(one), "");
    const outcomes: Outcome[] = [];
    for (const step of stepsOf(workflow(name).jobs[jobName]!)) {
      const failed = outcomes.some(({ code }) => code !== 0);
      if (failed && !/always\(\)|!cancelled\(\)/.test(step.if ?? "")) continue;
      outcomes.push(await this.step(step, context));
      this.executed.add(`${name} ${jobName} ${step.name}`);
    }
    return outcomes;
  }

  private async step(step: Step, context: Record<string, string>): Promise<Outcome> {
    if (step.run === INSTALL && this.installed) return this.installed;
    fs.writeFileSync(this.file("step.sh"), step.run!);
    const lines = this.said("env").split("\n").filter(Boolean);
    const env = {
      ...this.env,
      GITHUB_OUTPUT: this.file("output"),
      GITHUB_ENV: this.file("env"),
      GITHUB_STEP_SUMMARY: this.file("summary"),
      ...Object.fromEntries(
        lines.map((line) => [line.split("=")[0]!, line.slice(line.indexOf("=") + 1)] as const),
      ),
      ...Object.fromEntries(
        Object.entries(step.env ?? {}).map(([key, value]) => [key, filled(value, context)] as const),
      ),
    };
    const outcome = await this.repo.run(["bash", "-e", this.file("step.sh")], env);
    if (step.run === INSTALL) this.installed = outcome;
    return outcome;
  }
}

function filled(text: string, context: Record<string, string>): string {
  return text.replace(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => {
    if (!(expression in context)) throw new Error(`the test has no value for ${expression}`);
    return context[expression]!;
  });
}
