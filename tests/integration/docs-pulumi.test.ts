/** The verbs and options of `pulumi` in the README and in docs/ are those of the engine. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { resolveToolchain } from "../../lab/toolchain/resolve";
import { commandsOf, pages, parse } from "../unit/docs/shell";

const run = promisify(execFile);
const GROUPS = ["stack", "config", "plugin", "package", "state"];

/** "config set" → its options on the pages. */
function wanted(commands: string[][]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, ...words] of commands.filter(([program]) => program === "pulumi")) {
    const verb = words.slice(0, GROUPS.includes(words[0]!) ? 2 : 1).filter((word) => !word.startsWith("-"));
    const options = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.split("=")[0]!);
    const known = found.get(verb.join(" ")) ?? new Set();
    found.set(verb.join(" "), new Set([...known, ...options]));
  }
  return found;
}

/** `npm run pulumi -- ARGS` is `pulumi ARGS`. */
const plain = (words: string[]) => {
  const at = words.indexOf("--");
  return words[0] === "npm" && words.includes("pulumi") && at > 0
    ? ["pulumi", ...words.slice(at + 1)]
    : words;
};

async function unknown(verb: string, options: Iterable<string>): Promise<string[]> {
  const { pulumi, env } = await resolveToolchain({ quiet: true, args: [] });
  // --plan is shown only with the experimental options.
  const shown = { ...env, PULUMI_EXPERIMENTAL: "true" };
  const { stdout } = await run(pulumi, [...verb.split(" "), "--help"], { env: shown, timeout: 60_000 });
  // For an unknown verb the engine shows the help of its group. A verb may be an alias of the one in its usage.
  const usage = /^Usage:\n {2}pulumi ([a-z -]+)/m.exec(stdout)?.[1]?.trim();
  if (usage?.split(" ").length !== verb.split(" ").length) return [verb];
  const known = new Set(stdout.match(/(?<=^\s+|, )--?[a-z][a-z-]*/gm));
  return [...options].filter((option) => !known.has(option));
}

const verbs = [
  ...wanted(
    pages()
      .flatMap(commandsOf)
      .map(({ words }) => plain(words)),
  ),
];

test("the pages have commands of pulumi", () => {
  expect(verbs.map(([verb]) => verb)).toEqual(expect.arrayContaining(["up", "preview", "config set"]));
});

test.each(verbs)("pulumi %s has the options that the pages give it", async (verb, options) => {
  expect(await unknown(verb, options)).toEqual([]);
});

test.each([
  ["pulumi up --refersh", ["--refersh"]],
  ["pulumi stack outptu", ["stack outptu"]],
])("a planted mistake is found: %s", async (line, expected) => {
  const [[verb, options]] = [...wanted(parse(line))] as [[string, Set<string>]];
  expect(await unknown(verb, options)).toEqual(expected);
});
