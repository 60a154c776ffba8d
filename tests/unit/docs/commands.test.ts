/** Every command in the README and in docs/ is run here, or listed with the reason why it is not; then its verb, options and files are checked. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Command } from "commander";
import type { Context } from "../../../cli/context";
import { init } from "../../../cli/init/init";
import { main, makeProgram } from "../../../cli/main";
import { scripts } from "../../../package.json";
import { commandsIn, commandsOf, type Found, pages, ROOT } from "./shell";

/** Verbs that are not run here. Their command lines are parsed by the real program. */
const NOT_RUN: Record<string, string> = {
  init: "below, as a function of a folder; tests/integration/package.test.ts runs it as a team does",
  "env new": "fetches the key of a host: tests/integration/environment-new.test.ts",
  "functions build": "needs an engine: tests/e2e",
  "functions run": "goes on until it is stopped; needs the function's language",
  "functions deploy": "needs a host: tests/e2e",
  "functions invoke": "needs a host: tests/e2e",
  "functions logs": "needs a host: tests/e2e",
  "functions describe": "needs a host: tests/e2e",
  "functions templates": "fetches with git",
  "images lock": "needs registries: tests/integration/lab-registry.test.ts",
  preview: "needs git and Pulumi: tests/integration/package.test.ts",
  status: "needs a host: tests/e2e",
  "report compliance": "ends with 1 until a person has said what is missing: tests/unit/cli/report",
  repair: "needs a host: tests/e2e",
};

/** Scripts of package.json, and other words of npm. */
const NPM: Record<string, string> = {
  up: "the lab: tests/e2e",
  down: "the lab: tests/e2e",
  bench: "the lab",
  check: "minutes: tests/integration/check.test.ts",
  sdk: "tests/unit/dev",
  build: "tests/integration/package.test.ts packs what it makes",
  archives: "packs both providers: tests/integration/plugin-install.test.ts",
  test: "this run",
  ci: "npm's own",
  pack: "tests/integration/package.test.ts",
  i: "tests/integration/package.test.ts",
  init: "npm's own",
  update: "npm's own; asks the registry",
};

/** Scripts that are a verb of the command. */
const VERBS: Record<string, string[]> = {
  env: ["env"],
  functions: ["functions"],
  images: ["images"],
  "preview:pr": ["preview"],
  status: ["status"],
  repair: ["repair"],
  "oslo-faas": [],
};

/** Other programs, which are not this project's. */
const PROGRAMS: Record<string, string> = {
  pulumi: "tests/integration/docs-pulumi.test.ts holds its verbs and options against the engine",
  git: "asks GitHub",
  curl: "calls a platform: tests/e2e",
  node: "reads the answer of a platform",
  cd: "",
  eval: "the completion inside is run",
  source: "fish's own",
  rm: "the cache that it removes is everybody's",
  adduser: "needs a server",
  install: "needs a server",
  chmod: "needs a server",
  echo: "",
  "ssh-keygen": "needs a server",
};

/** Paths that a reader makes. */
const MADE = /^(functions\/hei\b|report\.md$|stacks\/images\.lock\.json$)/;
const FOLDERS =
  /^(?:\.\/|@)?((?:bench|cli|docs|functions|lab|policy|providers|services|stacks|templates|tests)(?:\/|$)\S*)/;

const context = (root: string): Context => ({
  name: "oslo-faas",
  root,
  engine: () => Promise.reject(new Error("no engine here")),
  code: 0,
});

/** The real program, whose actions do nothing. */
function parser(): Command {
  const disarm = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
    if (command.commands.length === 0) command.action(() => undefined);
    command.commands.forEach(disarm);
  };
  const program = makeProgram(context(ROOT));
  disarm(program);
  return program;
}

const used = new Set<string>();

/** @returns what is wrong with a command, or undefined */
async function problemOf(words: string[]): Promise<string | undefined> {
  const file = words.map((word) => FOLDERS.exec(word)?.[1]).find((one) => one && isMissing(one));
  if (file) return `${file} does not exist`;
  const [program = "", ...rest] =
    words[0] === "npx" ? words.slice(1).filter((one) => one !== "--no-install") : words;
  if (program === "oslo-faas") return problemOfVerb(rest);
  if (program === "npm") return problemOfNpm(rest);
  used.add(program);
  return program in PROGRAMS ? undefined : `${program} is not in the table of programs`;
}

const isMissing = (file: string) => !MADE.test(file) && !fs.existsSync(path.join(ROOT, file));

async function problemOfNpm(words: string[]): Promise<string | undefined> {
  const [word = "", ...rest] = words;
  const isRun = word === "run" || word === "test";
  const [name = ""] = word === "run" ? rest.filter((one) => !one.startsWith("--")) : [word];
  if (isRun && !(name in scripts)) return `package.json has no script ${name}`;
  const args = words.includes("--") ? words.slice(words.indexOf("--") + 1) : [];
  if (name in VERBS) return problemOfVerb([...VERBS[name]!, ...args]);
  if (name === "pulumi" || name.startsWith("test:")) return undefined;
  used.add(name);
  return name in NPM ? undefined : `npm ${word} ${name} is not in the table of npm's words`;
}

async function problemOfVerb(words: string[]): Promise<string | undefined> {
  const verb = verbOf(words);
  used.add(verb);
  try {
    await parser().parseAsync(words, { from: "user" });
    return undefined;
  } catch (error) {
    // A group that is named alone shows its help.
    const code = (error as { code?: string }).code ?? "";
    if (code === "commander.help" || code === "commander.version" || code === "commander.helpDisplayed")
      return undefined;
    return (error as Error).message;
  }
}

const GROUPS = ["env", "functions", "images", "report"];
const verbOf = (words: string[]) => words.slice(0, GROUPS.includes(words[0]!) ? 2 : 1).join(" ");

const all: Found[] = pages().flatMap(commandsOf);

test("the pages have commands", () => {
  expect(all.length).toBeGreaterThan(60);
  for (const page of ["README.md", "docs/first-host.md", "docs/first-function.md", "docs/every-day.md"])
    expect(all.some((found) => found.page === page)).toBe(true);
});

test.each(pages())("%s: verbs, options, scripts and files exist", async (page) => {
  const problems: string[] = [];
  for (const { words } of commandsOf(page)) {
    const problem = await problemOf(words);
    if (problem) problems.push(`${words.join(" ")}: ${problem}`);
  }
  expect(problems).toEqual([]);
});

test.each([
  ["npx oslo-faas status -s oslo-prod --drfit", "--drfit"],
  ["npx oslo-faas env valdate", "valdate"],
  ["npx oslo-faas functions new hei", "--lang"],
  ["npm run --silent oslo-faas -- preview --bse main", "--bse"],
  ["npm run staus -- -s oslo-prod", "no script staus"],
  ["npx oslo-faas images lock --file stacks/none.json a:1", "stacks/none.json does not exist"],
  ["url=$(kubectl get url)", "kubectl is not in the table"],
])("a planted mistake is found: %s", async (line, expected) => {
  const [words] = commandsIn(`\`\`\`sh\n${line}\n\`\`\`\n`);
  expect(await problemOf(words!)).toContain(expected);
});

describe("in a repository that init made", () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-docs-"));
  const output = { text: "" };
  beforeAll(() => {
    fs.writeFileSync(path.join(root, "package.json"), "{}");
    init(root, "dev", () => undefined);
    const file = (name: string) => path.join(root, `stacks/Pulumi.${name}.yaml`);
    // The environments that the pages speak of.
    for (const name of ["oslo-prod", "oslo-test", "oslo-dev", "NAME"])
      fs.copyFileSync(file("dev"), file(name));
    jest.spyOn(process.stdout, "write").mockImplementation((text) => Boolean((output.text += String(text))));
  });
  afterAll(() => {
    jest.restoreAllMocks();
    fs.rmSync(root, { recursive: true });
  });

  const runnable = new Map(
    all
      .map(({ words }) =>
        words.slice(words.indexOf("oslo-faas") + 1).filter((one, at) => at > 0 || one !== "--"),
      )
      .filter(
        (words, i) => all[i]!.words.includes("oslo-faas") && words.length > 1 && !(verbOf(words) in NOT_RUN),
      )
      .filter((words) => !words.includes("--help"))
      .map((words) => [words.join(" "), words]),
  );

  test("there are such commands", () => {
    expect([...runnable.keys()].sort()).toEqual(expect.arrayContaining(["env validate", "completion bash"]));
  });

  test.each([...runnable])("%s ends with 0", async (_, words) => {
    output.text = "";
    // A page may name the same function as another.
    if (words[1] === "new") fs.rmSync(path.join(root, "functions"), { recursive: true });
    expect([await main(words, { root }), output.text]).toEqual([0, expect.stringMatching(/\S/)]);
  });
});

test("no row of the tables is left over", () => {
  const rows = [...Object.keys(NOT_RUN), ...Object.keys(NPM), ...Object.keys(PROGRAMS)];
  expect(rows.filter((row) => !used.has(row))).toEqual([]);
});
