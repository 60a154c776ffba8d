/** Which environments a change touches, by files in a real repository; and what of it is compared. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { affected, allEnvironments, inputsOf } from "../../../../cli/preview/affected";
import { baseCommit, changedFiles, extract, shortName } from "../../../../cli/preview/git";
import { UsageError } from "../../../../cli/errors";

let dir: string;
const git = (...args: string[]): string => execFileSync("git", args, { cwd: dir, encoding: "utf8" });
const write = (file: string, text: string): void => {
  fs.mkdirSync(path.join(dir, path.dirname(file)), { recursive: true });
  fs.writeFileSync(path.join(dir, file), text);
};
const stack = (more = "") => `config:\n  oslo-faas:extends: stacks/base.yaml\n${more}`;
const touched = (...files: string[]): string[] =>
  affected(files, [dir])
    .filter(({ because }) => because.length > 0)
    .map(({ name }) => name);

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-affected-"));
  git("init", "-q", "-b", "main");
  git("config", "user.email", "test@example.no");
  git("config", "user.name", "Test");
  write("stacks/base.yaml", "config:\n  oslo-faas:functions:\n    - stack: functions/stack.yml\n");
  write("stacks/Pulumi.local.yaml", stack());
  write("stacks/Pulumi.oslo-dev.yaml", stack());
  write(
    "stacks/Pulumi.oslo-prod.yaml",
    stack(
      "  oslo-faas:functions:\n    - stack: ./prod/stack.yml\n  oslo-faas:images:\n    lock: prod/lock.json\n",
    ),
  );
  write(
    "functions/stack.yml",
    "functions:\n  hello:\n    handler: ./hello\n    environment_file: [hello.env.yml]\n",
  );
  write("prod/stack.yml", "functions:\n  resize:\n    handler: ../common/resize\n");
  git("add", "-A");
  git("commit", "-q", "-m", "base");
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

test("its own file, its base, its lock file, its functions and their folders; the program; and nothing else", () => {
  expect(touched("stacks/Pulumi.oslo-dev.yaml")).toEqual(["oslo-dev"]);
  expect(touched("stacks/base.yaml")).toEqual(["oslo-dev", "oslo-prod"]);
  expect(touched("functions/hello/handler.js")).toEqual(["oslo-dev"]);
  expect(touched("functions/stack.yml")).toEqual(["oslo-dev"]);
  expect(touched("common/resize/Dockerfile", "prod/lock.json")).toEqual(["oslo-prod"]);
  expect(touched("stacks/images.lock.json")).toEqual(["oslo-dev"]);
  for (const file of [
    "components/nginx/render.ts",
    "package-lock.json",
    "policy/config.json",
    "providers/host/src/a.ts",
  ])
    expect(touched(file)).toEqual(["oslo-dev", "oslo-prod"]);
  for (const file of [
    "README.md",
    "tests/unit/x.ts",
    "functions/other/x",
    "stacks/Pulumi.local.yaml",
    "lab/up.ts",
  ])
    expect(touched(file)).toEqual([]);
});

test.each(["functions/stack.yml", "{ stack: functions/stack.yml }", "[functions/stack.yml]"])(
  "functions: %s",
  (written) => {
    write("stacks/Pulumi.oslo-dev.yaml", `config:\n  oslo-faas:functions: ${written}\n`);
    expect(touched("functions/hello/handler.js")).toEqual(["oslo-dev"]);
    expect(touched("functions/hello.env.yml")).toEqual(["oslo-dev"]);
  },
);

test.each([
  ["a folder beside", "functions/stack.yml", "./hello", ["functions/hello/a"], ["functions/a", "other"]],
  ["the file's own folder", "functions/stack.yml", ".", ["functions/a", "functions/b/c"], ["other"]],
  ["the folder above", "functions/in/stack.yml", "..", ["functions/a"], ["other"]],
  ["the project itself", "stack.yml", ".", ["README.md", "functions/a"], []],
  ["the project from below", "functions/stack.yml", "..", ["README.md"], []],
  ["more than the project", "functions/stack.yml", "../..", ["README.md"], []],
  [
    "what a variable says",
    "functions/stack.yml",
    "./of/x-${NAME}/a",
    ["functions/of/x-y/a/b"],
    ["functions/a"],
  ],
])("a handler in %s", (_name, stack, handler, inside, outside) => {
  write("stacks/Pulumi.oslo-dev.yaml", `config:\n  oslo-faas:functions: ${stack}\n`);
  write(stack, `functions:\n  f:\n    handler: "${handler}"\n`);
  for (const file of inside) expect(touched(file)).toContain("oslo-dev");
  for (const file of outside) expect(touched(file)).not.toContain("oslo-dev");
});

test("what functions have in common is read as the program reads it; what is copied may be a folder", () => {
  write(
    "functions/stack.yml",
    "configuration:\n  copy: [./shared]\nx: &x\n  handler: ./common\n  environment_file: [1.10]\nfunctions:\n  a:\n    <<: *x\n",
  );
  for (const file of ["functions/common/a", "functions/1.10", "functions/shared", "functions/shared/a"])
    expect(touched(file)).toEqual(["oslo-dev"]);
});

test("the host's keys in files, and one's on the way to it", () => {
  write(
    "stacks/Pulumi.oslo-prod.yaml",
    "config:\n  oslo-faas:host:\n    hostKeyFile: ./keys/prod.pub\n    jump:\n      privateKeyPath: keys/jump\n    address: a.example.no\n",
  );
  expect(touched("keys/prod.pub")).toEqual(["oslo-prod"]);
  expect(touched("keys/jump")).toEqual(["oslo-prod"]);
  expect(touched("a.example.no")).toEqual([]);
});

test("every file that the program, its plugin, its services and its policies are made of is an input of each environment", () => {
  const root = path.resolve(__dirname, "../../../..");
  const services = fs
    .readdirSync(path.join(root, "services"))
    .map((name) => `services/${name}/src/main.ts`)
    .filter((file) => fs.existsSync(path.join(root, file)));
  expect(services).toHaveLength(2);
  const entries = [
    "index.ts",
    "policy/index.ts",
    "providers/host/src/main.ts",
    "providers/openfaas/src/main.ts",
    ...services,
  ];
  // In a process of its own, since esbuild refuses the globals of a test.
  const bundle = `require("esbuild").build({ entryPoints: ${JSON.stringify(entries)}, bundle: true, platform: "node", write: false, metafile: true, outdir: "x", packages: "external", loader: { ".node": "empty", ".sh": "text" } }).then(({ metafile }) => console.log(JSON.stringify(Object.keys(metafile.inputs))))`;
  const files = JSON.parse(
    execFileSync(process.execPath, ["-e", bundle], { cwd: root, encoding: "utf8" }),
  ) as string[];
  expect(files).toEqual(expect.arrayContaining(["components/nginx/render.ts", "shared/propertyValues.ts"]));
  expect(files.filter((file) => touched(file).length < 2)).toEqual([]);
});

test("a stack.yml that cannot be read makes an environment of everything beside it", () => {
  write("functions/stack.yml", "functions: [");
  expect(touched("functions/anything/at/all")).toEqual(["oslo-dev"]);
  write("stacks/Pulumi.oslo-dev.yaml", "config:\n  oslo-faas:functions: stack.yml\n");
  expect(touched("anything/at/all")).toEqual(["oslo-dev"]);
});

test("environments of one side only are included, and the lab's is not", () => {
  const head = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-head-"));
  fs.mkdirSync(path.join(head, "stacks"));
  fs.writeFileSync(path.join(head, "stacks/Pulumi.oslo-new.yaml"), "config: {}\n");
  expect(allEnvironments([dir, head])).toEqual(["oslo-dev", "oslo-new", "oslo-prod"]);
  expect(affected(["stacks/Pulumi.oslo-dev.yaml"], [dir, head])[0]!.because).toHaveLength(1);
  expect(inputsOf("oslo-new", dir)).toEqual(["stacks/Pulumi.oslo-new.yaml"]);
  expect(allEnvironments([path.join(head, "nowhere")])).toEqual([]);
  fs.rmSync(head, { recursive: true });
});

test("what differs is what is committed, staged, edited and new since the branch left, and not what came to main", () => {
  const base = git("rev-parse", "HEAD").trim();
  git("checkout", "-q", "-b", "branch");
  write("committed æ.txt", "x");
  git("add", "-A");
  git("commit", "-q", "-m", "one");
  git("checkout", "-q", "main");
  write("later.txt", "x");
  git("add", "-A");
  git("commit", "-q", "-m", "later");
  git("checkout", "-q", "branch");
  write("staged.txt", "x");
  git("add", "staged.txt");
  write("functions/stack.yml", "functions: {}\n");
  write("new\nline.txt", "x");
  write(".gitignore", "ignored.txt\n");
  write("ignored.txt", "x");
  git("mv", "stacks/base.yaml", "stacks/moved.yaml");
  const commit = baseCommit(dir, "main");
  expect(commit).toBe(base);
  expect(changedFiles(dir, commit)).toEqual([
    ".gitignore",
    "committed æ.txt",
    "functions/stack.yml",
    "new\nline.txt",
    "stacks/base.yaml",
    "stacks/moved.yaml",
    "staged.txt",
  ]);
  expect(base.startsWith(shortName(dir, commit))).toBe(true);
});

test("the base is found as a branch of origin, a tag or a commit; anything else is refused with a sentence", () => {
  const commit = git("rev-parse", "HEAD").trim();
  git("update-ref", "refs/remotes/origin/release", "main");
  git("tag", "v1");
  for (const ref of ["release", "v1", commit, "HEAD"]) expect(baseCommit(dir, ref)).toBe(commit);
  git("checkout", "-q", "--orphan", "stranger");
  git("commit", "-q", "--allow-empty", "-m", "no common history");
  for (const ref of ["nothing", "--all", "0".repeat(40), "main"])
    expect(() => baseCommit(dir, ref)).toThrow(UsageError);
});

test("the base's files come without touching the repository, as they were and not as they are", () => {
  write("functions/stack.yml", "edited");
  fs.mkdirSync(path.join(dir, "node_modules"));
  write("package-lock.json", "{}");
  git("add", "-A");
  git("commit", "-q", "-m", "lock");
  write("functions/stack.yml", "edited again");
  const before = git("status", "--porcelain");
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-base-"));
  extract(dir, "HEAD", folder);
  expect(fs.readFileSync(path.join(folder, "functions/stack.yml"), "utf8")).toBe("edited");
  expect(fs.readlinkSync(path.join(folder, "node_modules"))).toBe(path.join(dir, "node_modules"));
  expect(git("status", "--porcelain")).toBe(before);
  expect(git("worktree", "list").trim().split("\n")).toHaveLength(1);
  fs.rmSync(folder, { recursive: true });
});
