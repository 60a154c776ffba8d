/** The command line of `npm run preview:pr`, and that what the workflows and the pages say of it is possible. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parseOptions, USAGE, UsageError } from "../../../../cli/preview/options";

const ROOT = path.resolve(__dirname, "../../../..");

test("defaults: against main, what is touched, to standard output, no host", () => {
  expect(parseOptions([])).toEqual({
    base: "main",
    head: undefined,
    environments: [],
    refresh: false,
    out: undefined,
    comments: undefined,
    plans: undefined,
    repair: false,
    whole: false,
    list: false,
    help: false,
  });
});

test("what drifted is put back by a plan alone, and known by asking the hosts", () => {
  const all = ["--repair", "--plans", "p", "--refresh"];
  expect(parseOptions(all)).toMatchObject({ repair: true, plans: "p", refresh: true });
  for (const some of [all.slice(0, 1), all.slice(0, 3), ["--repair", "--refresh"]])
    expect(() => parseOptions(some)).toThrow(/--repair .* needs --plans and --refresh/);
});

test("an environment that is named twice is looked at once", () => {
  expect(parseOptions(["--env", "a", "--env", "b", "--env", "a"]).environments).toEqual(["a", "b"]);
});

test.each([["--bse", "main"], ["--base"], ["--base", ""], ["oslo-prod"], ["--list=yes"]])(
  "%j is refused with a sentence",
  (...args) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
  },
);

test("every option is in the usage, and every option in the usage is one", () => {
  const known = Object.keys(parseOptions([]))
    .filter((name) => name !== "help")
    .map((name) => (name === "environments" ? "--env" : `--${name}`));
  const said = [...USAGE.matchAll(/^ {2}(--\w+)/gm)].map(([, flag]) => flag);
  expect(said.sort()).toEqual(known.sort());
});

/** "npm run --silent preview:pr -- ARGS", wherever it stands. */
function commands(text: string): string[][] {
  const found = [...text.matchAll(/npm run (?:--silent )?preview:pr(?: -- ([^`\n#)|]*))?/g)];
  return found.map(([, args = ""]) => args.trim().split(/\s+/).filter(Boolean));
}

const files = [
  "README.md",
  "docs/every-day.md",
  "docs/upgrade.md",
  ".github/workflows/preview.yml",
  ".github/workflows/apply.yml",
  ".github/workflows/apply-environment.yml",
].map((file) => [file, commands(fs.readFileSync(path.join(ROOT, file), "utf8"))] as const);

test.each(files)("%s calls it with options that there are", (_, lines) => {
  expect(lines.length).toBeGreaterThan(0);
  for (const args of lines) expect(parseOptions(args).base).not.toBe("");
});
