/**
 * `npm run check`: everything about the sources that can be known without running them. Each check says how long it took; all of
 * them run even when one fails, and what a failed one printed comes at the end. `npm run check -- types lint`: those alone whose
 * names have one of these words.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Command } from "commander";
import { run as runProgram, runSync } from "../programs/run";
import { ensureActionlint } from "./actionlint/install";

const ROOT = path.resolve(__dirname, "..");
/** A check on a busy machine may take minutes; one that takes this long hangs. */
const TIMEOUT_MS = 10 * 60_000;
const APT_TIMEOUT_MS = 5 * 60_000;

interface Check {
  name: string;
  /** The program and its arguments; what it prints is shown when it fails. */
  command: string[];
  /** Where it runs, relative to the clone. Default: the clone. */
  cwd?: string;
  /** A program that has to print nothing, whatever its exit code says. Default: false. */
  silent?: boolean;
}

interface Outcome {
  name: string;
  seconds: number;
  /** What is wrong; undefined when nothing is. */
  problem?: string;
}

/** Files that a program writes and that are in the repository: `command` has to fail when a file is not what it would write. */
const GENERATED: Check[] = [
  {
    name: "schema and docs of the configuration",
    command: [process.execPath, "--import", "tsx", "cli/main.ts", "env", "generate", "--check"],
  },
  {
    name: "schemas and SDKs of the providers",
    command: [process.execPath, "--require", "./bundle/text.cjs", "--import", "tsx", "dev/sdk.ts", "--check"],
  },
  {
    name: "environments (stacks/)",
    command: [process.execPath, "--import", "tsx", "cli/main.ts", "env", "validate"],
  },
];

/** What holds TypeScript; `imports` reads what is in them. */
const PROGRAMS = [
  "index.ts",
  "cli",
  "lab",
  "policy",
  "components",
  "environment",
  "providers",
  "services",
  "programs",
  "shared",
  "bundle",
  "dev",
  "bench",
  "tests",
];

const bin = (name: string) => path.join(ROOT, "node_modules", ".bin", name);

function listed(): string[] {
  const out = runSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: ROOT });
  return out.split("\n").filter((file) => file && fs.existsSync(path.join(ROOT, file)));
}

function firstLine(file: string): string {
  const handle = fs.openSync(file, "r");
  try {
    const buffer = Buffer.alloc(80);
    return buffer.toString("utf8", 0, fs.readSync(handle, buffer)).split("\n")[0] ?? "";
  } finally {
    fs.closeSync(handle);
  }
}

/** Shell scripts by name, and those without an extension by their first line (.ci/run, providers/host/pulumi-resource-host). */
export function shellScripts(files: string[], head: (file: string) => string): string[] {
  return files.filter((file) => {
    if (file.endsWith(".sh")) return true;
    return path.extname(file) === "" && /^#!.*\b(ba|da)?sh\b/.test(head(file));
  });
}

function has(program: string): boolean {
  return (process.env.PATH ?? "")
    .split(path.delimiter)
    .some((folder) => fs.existsSync(path.join(folder, program)));
}

/** A check that is passed over because its tool is missing is worth nothing, so it is got or the run fails. */
function ensureShellcheck(): string | undefined {
  if (has("shellcheck")) return undefined;
  const remedy = "shellcheck is missing; install it (apt-get install shellcheck, as root)";
  if (process.getuid?.() !== 0 || !has("apt-get")) return remedy;
  process.stderr.write("check: installing shellcheck\n");
  const options = { limitMs: APT_TIMEOUT_MS, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  try {
    runSync("apt-get", ["update", "-q"], options);
    runSync("apt-get", ["install", "-qy", "--no-install-recommends", "shellcheck"], options);
    return undefined;
  } catch (error) {
    return `${remedy}\n${String(error)}`;
  }
}

/** The workflows, with the shell in them. In a process of its own, since the first time it is built. */
const WORKFLOWS: Check = {
  name: "workflows (actionlint)",
  command: [process.execPath, "--import", "tsx", "dev/check.ts", "actionlint"],
};

async function actionlint(): Promise<number> {
  const options = { cwd: ROOT, shown: true, limitMs: TIMEOUT_MS };
  // It says itself what is wrong in a workflow.
  const { code, problem } = await runProgram(ensureActionlint(), ["-color=false"], options);
  if (code === undefined) console.log(`actionlint ${problem}`);
  return code === 0 ? 0 : 1;
}

function checks(files: string[]): Check[] {
  const cache = (name: string) => path.join(ROOT, ".cache", name);
  const scripts = shellScripts(files, (file) => firstLine(path.join(ROOT, file)));
  const list: Check[] = [
    {
      name: "types (tsc)",
      command: [bin("tsc"), "--noEmit", "--incremental", "--tsBuildInfoFile", cache("tsc.json"), "-p", "."],
    },
    {
      name: "lint (eslint)",
      // By content: a checkout gives every file a new time.
      command: [
        bin("eslint"),
        ".",
        "--max-warnings=0",
        "--cache",
        "--cache-strategy=content",
        "--cache-location",
        cache("eslint"),
      ],
    },
    {
      name: "imports (dependency-cruiser)",
      command: [bin("depcruise"), "--config", ".dependency-cruiser.cjs", "--output-type", "err", ...PROGRAMS],
    },
    {
      name: "format (prettier)",
      command: [
        bin("prettier"),
        "--check",
        "--log-level=warn",
        "--cache",
        "--cache-strategy=content",
        "--cache-location",
        cache("prettier"),
        ".",
      ],
    },
  ];
  if (scripts.length > 0)
    list.push({
      name: `shell scripts (shellcheck, ${scripts.length})`,
      command: ["shellcheck", "-x", ...scripts],
    });
  if (has("go")) {
    const cwd = "lab/toolchain/go/command";
    list.push({ name: "Go sources (go vet)", command: ["go", "vet", "./..."], cwd });
    list.push({
      name: "Go format (gofmt)",
      command: ["gofmt", "-l", "."],
      cwd: "lab/toolchain/go",
      silent: true,
    });
  }
  return [...list, WORKFLOWS, ...GENERATED];
}

async function run({ name, command, cwd = ".", silent }: Check): Promise<Outcome> {
  const start = Date.now();
  const [program = "", ...args] = command;
  const options = { cwd: path.join(ROOT, cwd), limitMs: TIMEOUT_MS };
  const ended = await runProgram(program, args, options);
  const output = ended.output.trim();
  const problem = ended.problem ? output || ended.problem : silent ? output || undefined : undefined;
  const seconds = (Date.now() - start) / 1000;
  console.log(`${problem === undefined ? "ok  " : "FAIL"}  ${name.padEnd(34)} ${seconds.toFixed(1)} s`);
  return { name, seconds, problem };
}

/** As many at a time as there are cores: more only makes each of them slower. */
async function runAll(list: Check[]): Promise<Outcome[]> {
  const waiting = [...list];
  const outcomes: Outcome[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) outcomes.push(await run(next));
  };
  await Promise.all(Array.from({ length: Math.max(1, os.availableParallelism()) }, worker));
  return outcomes;
}

/** @throws an Error for a word that no check's name has: a check that was not run has not passed */
function chosen(list: Check[], words: string[]): Check[] {
  const unknown = words.filter((word) => !list.some(({ name }) => name.includes(word)));
  if (unknown.length > 0)
    throw new Error(
      `No check is called ${unknown.join(" or ")}; there is:\n${list.map(({ name }) => `  ${name}`).join("\n")}`,
    );
  return words.length === 0 ? list : list.filter(({ name }) => words.some((word) => name.includes(word)));
}

async function main(words: string[]): Promise<number> {
  if (words[0] === "actionlint") return actionlint();
  fs.mkdirSync(path.join(ROOT, ".cache"), { recursive: true });
  const list = chosen(checks(listed()), words);
  const missing = list.some(({ command }) => command[0] === "shellcheck") ? ensureShellcheck() : undefined;
  const outcomes = await runAll(list);
  if (missing) outcomes.push({ name: "shellcheck", seconds: 0, problem: missing });
  const failed = outcomes.filter((outcome) => outcome.problem !== undefined);
  for (const { name, problem } of failed) console.log(`\n---- ${name}\n${problem}`);
  console.log(
    failed.length === 0 ? "\nall checks passed" : `\n${failed.length} of ${outcomes.length} checks failed`,
  );
  return failed.length === 0 ? 0 : 1;
}

if (require.main === module)
  new Command("npm run check --")
    .argument(
      "[word...]",
      "only the checks whose names have one of these words; all of them when none is given",
    )
    .description("Everything about the sources that can be known without running them.")
    .addHelpText("after", "\nExample:\n  npm run check -- types lint")
    .action(async (words: string[]) => {
      process.exitCode = await main(words);
    })
    .parseAsync()
    .catch((error: Error) => {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 1;
    });
