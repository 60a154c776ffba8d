/** The base on paper: which plugins the engine is given, and that none outlives it. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { upOnPaper, withPaper } from "../../../../cli/preview/paper/base";
import { pluginProgram, wantedPlugins } from "../../../../cli/preview/paper/plugins";
import { makeTree, standIn, write } from "./standIn";

let dir: string;
beforeEach(() => (dir = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-base-"))));
afterEach(() => fs.rmSync(dir, { recursive: true }));

const SERVING = "#!/bin/sh\necho $$ >> pids\necho 9\nexec sleep 60\n";
/** A tree with one package that has a plugin, installed where the engine puts it. */
function treeWithPlugin(home: string): string {
  const tree = makeTree(path.join(dir, "tree"));
  const dependencies = {
    "@pulumi/docker": "5.2.0",
    "@pulumi/pulumi": "3.0.0",
    "@pulumi/absent": "1.0.0",
    zod: "4.0.0",
  };
  write(tree, "package.json", JSON.stringify({ dependencies }));
  const manifest = (version: string, pulumi?: object) => JSON.stringify({ version, pulumi });
  write(
    tree,
    "node_modules/@pulumi/docker/package.json",
    manifest("5.2.0", { resource: true, name: "docker" }),
  );
  write(tree, "node_modules/@pulumi/pulumi/package.json", manifest("3.0.0"));
  write(tree, "providers/host/pulumi-resource-host", SERVING, 0o755);
  write(home, ".pulumi/plugins/resource-docker-v5.2.0/pulumi-resource-docker", SERVING, 0o755);
  return tree;
}
/** The test's own child is no orphan: one that was killed is a zombie until it is asked for. */
const lives = (pid: string): boolean => {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

test("plugins are those of the packages that the tree depends on, where the engine has them", () => {
  const tree = treeWithPlugin(dir);
  expect(wantedPlugins(tree)).toEqual([{ name: "docker", version: "5.2.0" }]);
  const file = "resource-docker-v5.2.0/pulumi-resource-docker";
  const wanted = { name: "docker", version: "5.2.0" };
  expect(pluginProgram(wanted, { HOME: "/h" })).toBe(`/h/.pulumi/plugins/${file}`);
  expect(pluginProgram(wanted, { HOME: "/h", PULUMI_HOME: "/p" })).toBe(`/p/plugins/${file}`);
});

test("each plugin is installed, runs behind a proxy, and ends with the work, even if it fails", async () => {
  const tree = treeWithPlugin(dir);
  const { engine, calls } = standIn(dir, "");
  const work = withPaper(engine, tree, ({ env }) => {
    const ports = env.PULUMI_DEBUG_PROVIDERS!;
    const pids = fs.readFileSync(path.join(tree, "pids"), "utf8").trim().split("\n");
    expect(pids.filter(lives)).toHaveLength(2);
    return Promise.reject(Object.assign(new Error("the work failed"), { ports, pids }));
  });
  const error = (await work.catch((thrown: unknown) => thrown)) as Error & { ports: string; pids: string[] };
  expect(error.message).toBe("the work failed");
  // Not the 9 that the plugins say: between them and the engine is what keeps them from a host.
  expect(error.ports).toMatch(/^docker:\d{4,5},host:\d{4,5}$/);
  for (let i = 0; i < 200 && error.pids.some(lives); i++) await new Promise((next) => setTimeout(next, 50));
  expect(error.pids.filter(lives)).toEqual([]);
  expect(calls().map(({ args }) => args.join(" "))).toEqual(["plugin install resource docker 5.2.0"]);
});

test("nothing is fetched if that is forbidden; a failed fetch is named", async () => {
  const tree = treeWithPlugin(dir);
  const { engine, calls } = standIn(dir, `return { code: 1, err: "no such plugin" };`);
  await expect(withPaper(engine, tree, () => Promise.resolve())).rejects.toThrow(
    "the plugin docker 5.2.0 cannot be installed: no such plugin",
  );
  const offline = { ...engine, env: { ...engine.env, PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" } };
  expect(await withPaper(offline, tree, () => Promise.resolve("done"))).toBe("done");
  expect(calls()).toHaveLength(1);
});

test("a plugin that does not start fails with what it said, and takes the others along", async () => {
  const tree = treeWithPlugin(dir);
  write(tree, "providers/host/pulumi-resource-host", "#!/bin/sh\necho cannot be loaded >&2\nexit 3\n");
  const { engine } = standIn(dir, "");
  await expect(withPaper(engine, tree, () => Promise.resolve())).rejects.toThrow(
    /"host" .* ended with 3\ncannot be loaded/s,
  );
  const [pid] = fs.readFileSync(path.join(tree, "pids"), "utf8").trim().split("\n");
  for (let i = 0; i < 200 && lives(pid!); i++) await new Promise((next) => setTimeout(next, 50));
  expect(lives(pid!)).toBe(false);
});

test("an up that fails is told by its diagnostics, or by what it said at the end", async () => {
  const tree = makeTree(path.join(dir, "tree"));
  const failing = (answers: string) => upOnPaper(standIn(dir, answers).engine, tree, "e", "/the/file");
  await expect(failing(`return { code: 1, out: "steps\\nDiagnostics:\\n  boom\\n" };`)).rejects.toThrow(
    /^Diagnostics:\n {2}boom$/,
  );
  await expect(failing(`return { code: 1, err: "no stack\\n" };`)).rejects.toThrow(/^no stack$/);
  await expect(failing("")).resolves.toBeUndefined();
});
