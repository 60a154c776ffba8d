/** The command line of `oslo-faas preview` and `npx oslo-faas preview`, and that what the workflows and the pages say of it is possible. */
import * as fs from "node:fs";
import * as path from "node:path";
import { ending } from "../../../../cli/errors";
import { parseOptions } from "./parseOptions";

const ROOT = path.resolve(__dirname, "../../../..");

test("defaults: against main, what is touched, to standard output, no host", async () => {
  expect(await parseOptions([])).toEqual({
    base: "main",
    environments: [],
    refresh: false,
    repair: false,
    whole: false,
    list: false,
  });
});

test("what drifted is put back by a plan alone, and known by asking the hosts", async () => {
  const all = ["--repair", "--plans", "p", "--refresh"];
  expect(await parseOptions(all)).toMatchObject({ repair: true, plans: "p", refresh: true });
  for (const some of [all.slice(0, 1), all.slice(0, 3), ["--repair", "--refresh"]])
    await expect(parseOptions(some)).rejects.toThrow(/--repair needs --plans and --refresh/);
});

test("an environment that is named twice is looked at once, under the older name of the option too", async () => {
  const args = ["-s", "a", "--env", "b", "--env", "a", "--stack=c"];
  expect((await parseOptions(args)).environments).toEqual(["a", "c", "b"]);
});

test.each([["--bse", "main"], ["--base"], ["--base", ""], ["oslo-prod"], ["--list=yes"]])(
  "%j ends with exit code 2",
  async (...args) => {
    const error = await parseOptions(args).catch((reason: unknown) => reason);
    expect(await ending(error)).toMatchObject({ code: 2 });
  },
);

/** "npx oslo-faas preview ARGS", wherever it stands. */
function commands(text: string): string[][] {
  const found = [...text.matchAll(/npx (?:--no-install )?oslo-faas preview ?([^`\n#)|]*)/g)];
  return found.map(([, args = ""]) => args.trim().split(/\s+/).filter(Boolean));
}

const files = [
  "README.md",
  "docs/pull-requests.md",
  "docs/upgrade.md",
  ".github/workflows/preview.yml",
  ".github/workflows/apply.yml",
  ".github/workflows/apply-environment.yml",
].map((file) => [file, commands(fs.readFileSync(path.join(ROOT, file), "utf8"))] as const);

test.each(files)("%s calls it with options that there are", async (_, lines) => {
  expect(lines.length).toBeGreaterThan(0);
  for (const args of lines) expect((await parseOptions(args)).base).not.toBe("");
});
