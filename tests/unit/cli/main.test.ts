/** `oslo-faas` as a whole: help, mistakes in a command line, exit codes, completion. */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Command } from "commander";
import { version } from "../../../package.json";
import { candidates } from "../../../cli/completion/candidates";
import { SCRIPTS } from "../../../cli/completion/scripts";
import { projectRoot } from "../../../cli/context";
import { pathOf } from "../../../cli/help";
import { main, makeProgram } from "../../../cli/main";
import { someContext } from "./context";

const { root } = someContext();

/** What a call printed, and its exit code. */
async function call(...words: string[]) {
  const out = jest.spyOn(process.stdout, "write").mockReturnValue(true);
  const err = jest.spyOn(process.stderr, "write").mockReturnValue(true);
  const text = (spy: jest.SpyInstance) => spy.mock.calls.map(([chunk]) => String(chunk)).join("");
  try {
    const code = await main(words, someContext());
    return { code, out: text(out), err: text(err) };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

const program = makeProgram(someContext());
const shown = (command: Command): Command[] => command.createHelp().visibleCommands(command);
const leaves = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : shown(command).flatMap(leaves);

describe("help", () => {
  const all = leaves(program).map((command) => pathOf(command).split(" ").slice(1));

  test("knows every verb", () => {
    expect(all.map((words) => words.join(" "))).toEqual([
      "init",
      "env new",
      "env show",
      "env validate",
      "functions new",
      "functions run",
      "functions deploy",
      "functions invoke",
      "functions logs",
      "functions list",
      "functions show",
      "functions describe",
      "functions build",
      "functions templates pull",
      "images lock",
      "preview",
      "status",
      "queue list",
      "queue show",
      "queue retry",
      "queue drop",
      "report compliance",
      "repair",
      "completion",
    ]);
  });

  test.each(all)("%s %s: a description, each option, and an example that can be parsed", async (...words) => {
    const { code, out, err } = await call(...words, "--help");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const [, lines] = /\nExamples?:\n([\s\S]+)$/.exec(out)!;
    expect(lines).toContain(`  oslo-faas ${words.join(" ")}`);
  });

  test.each([[[]], [["env"]], [["functions"]], [["images"]], [["queue"]], [["report"]]])(
    "%j without a verb shows help and exits with 0",
    async (words) => {
      const { code, out, err } = await call(...words);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toContain("Commands:");
    },
  );

  test("tells the exit codes, once for all verbs", async () => {
    const { out } = await call("--help");
    expect(out).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 /);
  });

  test("--version", async () => {
    expect(await call("--version")).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });
});

test.each([
  [["stauts"], "error: unknown command 'stauts' (Did you mean status?)\n→ oslo-faas --help\n"],
  [["env", "shwo"], "error: unknown command 'shwo' (Did you mean show?)\n→ oslo-faas env --help\n"],
  [["env", "foo"], "error: unknown command 'foo'\n→ oslo-faas env --help\n"],
  [
    ["preview", "--bse", "x"],
    "error: unknown option '--bse' (Did you mean --base?)\n→ oslo-faas preview --help\n",
  ],
  [
    ["functions", "new", "x"],
    "error: required option '-l, --lang <language>' not specified\n→ oslo-faas functions new --help\n",
  ],
  [
    ["status"],
    expect.stringMatching(/^error: Which environment\? -s NAME, .*oslo-prod.*\n→ oslo-faas status --help\n$/),
  ],
  [
    ["status", "a", "-s", "b"],
    "error: a and -s b are two environments; name one.\n→ oslo-faas status --help\n",
  ],
  [
    ["env", "show", "oslo-porto"],
    expect.stringMatching(/^error: There is no environment "oslo-porto": .*\n$/),
  ],
])("%j: what is wrong in one line, then where help is", async (words, err) => {
  expect(await call(...words)).toEqual({ code: 2, out: "", err });
});

test.each([[["oslo-prod"]], [["-s", "oslo-prod"]], [["--stack=oslo-prod"]]])(
  "env show %j: one environment, named in one way",
  async (words) => {
    const { code, out } = await call("env", "show", ...words);
    expect(code).toBe(0);
    expect(out).toMatch(/^# oslo-prod: /);
  },
);

test("no colour where nobody watches, with NO_COLOR or without", async () => {
  const { out } = await call("env", "show", "--help");
  // eslint-disable-next-line no-control-regex
  expect(out).not.toMatch(/\u001b/);
});

test("the project is the folder with Pulumi.yaml, from anywhere below it", () => {
  expect(projectRoot(path.join(root, "docs"))).toBe(root);
  expect(projectRoot(os.tmpdir())).toBe(os.tmpdir());
});

describe("completion", () => {
  test.each<[string[], string[]]>([
    [["st"], ["status"]],
    [
      ["env", ""],
      ["new", "show", "validate"],
    ],
    [
      ["env", "show", "oslo-"],
      ["oslo-dev", "oslo-prod", "oslo-staging"],
    ],
    [["env", "show", "oslo-dev", ""], []],
    [["env", "validate", "oslo-dev", "oslo-p"], ["oslo-prod"]],
    [["status", "-s", "oslo-s"], ["oslo-staging"]],
    [
      ["preview", "--base", "main", "--re"],
      ["--refresh", "--repair"],
    ],
    // A file: the shell knows better.
    [["preview", "--out", ""], []],
    [["functions", "build", "-s", "oslo-dev", "hel"], ["hello"]],
    [
      ["functions", "new", "x", "--lang", ""],
      ["go", "node", "python"],
    ],
    [["completion", "z"], ["zsh"]],
  ])("%j", (words, expected) => {
    expect(candidates(program, words, root)).toEqual(expected);
  });

  test("is asked by bash at each Tab", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-completion-"));
    try {
      const command = `#!/bin/sh\nexec '${process.execPath}' --require '${root}/bundle/text.cjs' --import tsx '${root}/cli/main.ts' "$@"\n`;
      fs.writeFileSync(path.join(folder, "oslo-faas"), command, { mode: 0o755 });
      const script = `${SCRIPTS.bash}
COMP_WORDS=(oslo-faas env show oslo-p)
COMP_CWORD=3
_oslo_faas
printf '%s\\n' "\${COMPREPLY[@]}"`;
      const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
      expect(execFileSync("bash", ["-c", script], { cwd: root, env, encoding: "utf8" })).toBe("oslo-prod\n");
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  test.each(["zsh", "fish"] as const)(
    "the script for %s is one, where that shell is there",
    async (shell) => {
      const { code, out } = await call("completion", shell);
      expect({ code, out }).toEqual({ code: 0, out: SCRIPTS[shell] });
      const { status, error, stderr } = spawnSync(shell, ["-n", "/dev/stdin"], {
        input: out,
        encoding: "utf8",
      });
      if (!error) expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    },
  );
});
