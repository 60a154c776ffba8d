/** The command line of `npm run preview:pr`. */
import { parseArgs } from "node:util";

export interface Options {
  /** What the change is compared with: a branch, tag or commit. */
  base: string;
  /** What the report calls the work tree. Default: its commit. */
  head?: string;
  /** Environments to look at, whether their inputs changed or not. Default: those whose inputs changed. */
  environments: string[];
  /** Ask the hosts what they are, and show drift. Default: false. */
  refresh: boolean;
  /** File for the report. Default: stdout. */
  out?: string;
  /** Folder for one comment per environment, NAME.md. Default: none. */
  comments?: string;
  /** Folder for the saved plans, NAME.json: only where a state can be reached. Default: none. */
  plans?: string;
  /** The saved plans put back what drifted as well. Default: false. */
  repair: boolean;
  /** Do not shorten the report (never the comments). Default: false. */
  whole: boolean;
  /** Print the names of the environments that are there and whose inputs changed, as JSON, and nothing else. */
  list: boolean;
  help: boolean;
}

export const USAGE = `npm run preview:pr -- [--base REF] [--head NAME] [--env NAME …] [--refresh] [--out FILE] [--whole] [--comments DIR] [--plans DIR [--repair]] [--list]

What the work tree changes in each environment, against where it left REF, as one Markdown report.

  --base REF      branch, tag or commit to compare with. Default: main
  --head NAME     what the report calls the work tree. Default: its commit
  --env NAME      this environment, whether its inputs changed or not; may be repeated. Default: each whose inputs changed
  --refresh       asks the hosts and shows drift; needs the stacks' state (PULUMI_BACKEND_URL) and a way to the hosts
  --out FILE      where the report goes. Default: standard output
  --whole         does not shorten the report to what a comment may hold
  --comments DIR  also one report per environment, DIR/NAME.md, for a comment each
  --plans DIR     saves each plan as DIR/NAME.json, for \`pulumi up --plan\`; needs the stacks' state
  --repair        the plans put back what drifted as well, for \`pulumi up --refresh --plan\`; needs --plans and --refresh
  --list          prints the names of the environments that are there and whose inputs changed, as JSON, and ends

Exit code: 0 report written; 1 something is wrong (a configuration, a program that fails, a mandatory policy that is violated), and the
report says what; 2 the command line or the base cannot be used, and there is no report.`;

/** What a person can put right on the command line. */
export class UsageError extends Error {}

export function parseOptions(args: string[]): Options {
  const { values } = parse(args);
  if (values.base?.trim() === "") throw new UsageError("--base needs a branch, a tag or a commit");
  if (values.repair && !(values.plans && values.refresh))
    throw new UsageError("--repair is for plans of what drifted: it needs --plans and --refresh");
  return {
    base: values.base ?? "main",
    head: values.head,
    environments: [...new Set(values.env ?? [])],
    refresh: values.refresh ?? false,
    out: values.out,
    comments: values.comments,
    plans: values.plans,
    repair: values.repair ?? false,
    whole: values.whole ?? false,
    list: values.list ?? false,
    help: values.help ?? false,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        base: { type: "string" },
        head: { type: "string" },
        env: { type: "string", multiple: true },
        refresh: { type: "boolean" },
        out: { type: "string" },
        comments: { type: "string" },
        plans: { type: "string" },
        repair: { type: "boolean" },
        whole: { type: "boolean" },
        list: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
