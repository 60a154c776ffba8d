/** Brings an environment up on paper: its state, as an `up` of this tree would leave it, without a host. */
import path from "node:path";
import { type Engine, lastWords, run } from "../engine";
import { pluginProgram, type Running, startPlugin, wantedPlugins } from "./plugins";
import { onPaper } from "./provider";

/** Runs `work` with an engine whose providers are on paper. They are this tree's own. */
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
  const all = [...plugins, { name: "host", program: path.join(tree, "plugin", "pulumi-resource-host") }];
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

/** As `pulumi preview` would by itself. Does nothing where the plugin is there. */
async function install(engine: Engine, name: string, version: string, cwd: string): Promise<void> {
  if (engine.env.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION === "true") return;
  const { code, err } = await run(engine, ["plugin", "install", "resource", name, version], cwd);
  if (code !== 0) throw new Error(`the plugin ${name} ${version} cannot be installed: ${lastWords(err)}`);
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
    run(onPaperEngine, [...args, "--stack", stack, "--config-file", configFile], tree),
  );
  if (ended.code === 0) return;
  const diagnostics = ended.out.slice(Math.max(0, ended.out.indexOf("Diagnostics:")));
  throw new Error(lastWords(diagnostics) || lastWords(ended.err));
}
