/** Whether handlers parse in their language, asked of the languages' own tools where this machine has them. */
import * as path from "node:path";
import type { FunctionOfFile } from "../../components/functions/functionOfFile";
import { contentOf } from "../../components/functions/build";
import { isOwnTemplate, templateOf } from "../../components/functions/templates";
import { run } from "../../programs/run";
import { inParallel } from "../../shared/inParallel";

const LIMIT_MS = 60_000;

interface Checker {
  files: RegExp;
  /** What is wrong with these files, one line each, beginning with the file's name. */
  check: (files: string[]) => Promise<string[]>;
}

/** Compiles each file and runs none of it. */
const PYTHON = `import sys
for file in sys.argv[1:]:
    try:
        compile(open(file, "rb").read(), file, "exec")
    except (SyntaxError, ValueError) as error:
        print(f"{file}:{getattr(error, 'lineno', None) or 1}: {getattr(error, 'msg', error)}")
`;

const CHECKERS: Readonly<Record<string, Checker>> = {
  node: {
    files: /\.[cm]?js$/,
    check: async (files) => {
      const found: string[] = [];
      await inParallel(files, 4, async (file) => {
        const { stderr, problem } = await run(process.execPath, ["--check", file], { limitMs: LIMIT_MS });
        const [place, ...rest] = stderr.split("\n");
        const reason = rest.find((line) => /^\w*Error: /.test(line));
        const line = /:(\d+)$/.exec(place!)?.[1] ?? "1";
        if (problem) found.push(`${file}:${line}: ${reason ?? problem}`);
      });
      return found.sort();
    },
  },
  python: {
    files: /\.py$/,
    check: async (files) =>
      linesOf(await run("python3", ["-c", PYTHON, ...files], { limitMs: LIMIT_MS }), "stdout"),
  },
  go: {
    files: /\.go$/,
    check: async (files) =>
      linesOf(await run("gofmt", ["-l", "-e", ...files], { limitMs: LIMIT_MS }), "stderr"),
  },
};

/** A parser that stumbles tells the same place several times: the first is the one that helps. */
function linesOf(ended: Awaited<ReturnType<typeof run>>, stream: "stdout" | "stderr"): string[] {
  if (ended.missing) return [];
  const placed = ended[stream].split("\n").filter(Boolean);
  const placeOf = (line: string) => /^.*?:\d+/.exec(line)?.[0];
  return placed.filter((line, at) => placed.findIndex((other) => placeOf(other) === placeOf(line)) === at);
}

/** One line each. Functions that are not built of a template of this project are not judged: their languages are not known. */
export async function syntaxProblems(functions: FunctionOfFile[], root: string): Promise<string[]> {
  const problems: string[] = [];
  for (const [lang, { files, check }] of Object.entries(CHECKERS)) {
    const mine = functions.filter(
      ({ build, file }) => build?.lang === lang && isOwnTemplate(build, file, root),
    );
    // Where a file is of several functions, it is judged once.
    const wanted = new Set(mine.flatMap((one) => filesOf(one, root).filter((file) => files.test(file))));
    if (wanted.size > 0) problems.push(...(await check([...wanted])));
  }
  return problems.map((line) => (line.startsWith(`${root}${path.sep}`) ? line.slice(root.length + 1) : line));
}

/** Files of the handler, and not of its template. */
function filesOf({ build, file }: FunctionOfFile, root: string): string[] {
  const template = templateOf(build!.lang, file, root);
  try {
    const into = `${template!.handlerFolder}/`;
    return [...contentOf(build!, file, root)].flatMap(([to, from]) => (to.startsWith(into) ? [from] : []));
  } catch {
    return []; // A missing folder, or a link in one, was reported before.
  }
}
