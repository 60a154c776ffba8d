/** What `oslo-faas init` writes. That it works where the package is installed is tests/integration/package.test.ts. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { FILES, workflow, WORKFLOWS } from "../../../cli/init/files";

const CLONE = path.resolve(__dirname, "../../..");
const names = { project: "ours", environment: "dev" };

test("init: writes the program that this repository runs itself", () => {
  expect(FILES["index.ts"]!(names)).toBe(fs.readFileSync(path.join(CLONE, "index.ts"), "utf8"));
});

/** Scripts of this repository's package.json that a team's has not. */
const SCRIPT = /npm run (--silent )?(env|functions|images|preview:pr|status|repair|oslo-faas|pulumi)\b/;

test("init: writes no file that calls a script of this repository", () => {
  const written = [
    ...Object.values(FILES).map((content) => content(names)),
    ...WORKFLOWS.map((name) =>
      workflow(fs.readFileSync(path.join(CLONE, ".github", "workflows", name), "utf8"), "dev"),
    ),
  ];
  expect(written).toHaveLength(9);
  expect(written.filter((text) => SCRIPT.test(text))).toEqual([]);
  expect(written.join("\n")).toContain("npx --no-install oslo-faas preview --base");
  expect(written.at(-2)).toContain("options: [dev]");
});

test("no message, description or page tells a team to call a script of this repository", () => {
  const rooms = [
    "cli",
    "components",
    "environment",
    "policy",
    "providers",
    "shared",
    "stacks",
    "docs",
    "functions",
  ];
  const files = execFileSync("git", ["ls-files", "-z", ...rooms, "README.md"], {
    cwd: CLONE,
    encoding: "utf8",
  })
    .split("\0")
    .filter((file) => /\.(ts|json|yaml|md|sh|cjs)$/.test(file) && fs.existsSync(path.join(CLONE, file)))
    .filter((file) => !file.startsWith("docs/decisions/"));
  expect(files.length).toBeGreaterThan(200);
  const named = files.filter((file) =>
    SCRIPT.test(
      fs
        .readFileSync(path.join(CLONE, file), "utf8")
        // Said to those who change the schema, in this repository alone.
        .replaceAll("npm run env -- generate", ""),
    ),
  );
  // These say what such a script is in this clone.
  expect(named).toEqual(["docs/commands.md", "docs/pulumi-providers.md", "docs/toolchain.md"]);
});
