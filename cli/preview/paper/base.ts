/** Brings an environment up on paper: its state, as an `up` of this tree would leave it, without a host. */
import fs from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { type Engine, EngineError, pulumi, workspaceOf } from "../../../programs/pulumi";
import { lastLines } from "../../../programs/run";
import { pluginProgram, type Running, startPlugin, wantedPlugins } from "./plugins";
import { onPaper } from "./provider";

/** Runs `work` with an engine whose providers, this tree's own, are on paper. */
export async function withPaper<T>(
  engine: Engine,
  tree: string,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const plugins = wantedPlugins(tree).map((wanted) => ({
    ...wanted,
    program: pluginProgram(wanted, engine.env),
  }));
  for (const { name, version } of plugins) await install(engine, name, version, tree);
  const all = [...plugins, ...localPlugins(tree)];
  const running: [string, Running][] = [];
  try {
    for (const plugin of all) {
      const begin = (address: string) => startPlugin(plugin, address, tree, engine.env);
      running.push([plugin.name, await onPaper(begin)]);
    }
    const ports = running.map(([name, { port }]) => `${name}:${port}`).join(",");
    return await work({ ...engine, env: { ...engine.env, PULUMI_DEBUG_PROVIDERS: ports } });
  } finally {
    for (const [, { stop }] of running) stop();
  }
}

/** The plugins to which Pulumi.yaml gives a path, resolved in the base's tree. */
function localPlugins(tree: string): { name: string; program: string }[] {
  const project = parse(fs.readFileSync(path.join(tree, "Pulumi.yaml"), "utf8")) as {
    plugins?: { providers?: { name: string; path: string }[] };
  };
  return (project.plugins?.providers ?? []).map(({ name, path: folder }) => ({
    name,
    program: path.join(tree, folder, `pulumi-resource-${name}`),
  }));
}

/** Installs a plugin, as `pulumi preview` would, unless it is installed. */
async function install(engine: Engine, name: string, version: string, cwd: string): Promise<void> {
  if (engine.env.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION === "true") return;
  const workspace = await workspaceOf(engine, { cwd });
  await workspace.installPlugin(name, version).catch((error: Error) => {
    const why = error instanceof EngineError ? lastLines(error.ended.stderr) : error.message;
    throw new Error(`the plugin ${name} ${version} cannot be installed: ${why}`, { cause: error });
  });
}

/** @throws an Error with the engine's words where the program fails */
export async function upOnPaper(
  engine: Engine,
  tree: string,
  stack: string,
  configFile: string,
): Promise<void> {
  const args = ["up", "--yes", "--skip-preview", "--suppress-outputs", "--suppress-progress"];
  const ended = await withPaper(engine, tree, (onPaperEngine) =>
    pulumi(onPaperEngine, [...args, "--stack", stack, "--config-file", configFile], { cwd: tree }),
  );
  if (!ended.problem) return;
  const diagnostics = ended.stdout.slice(Math.max(0, ended.stdout.indexOf("Diagnostics:")));
  throw new Error(lastLines(diagnostics) || lastLines(ended.stderr));
}
