/** The provider plugins that a tree uses, started as the engine starts them. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Child, kill, start } from "../../../programs/run";
import { inPackage } from "../../../shared/packageFolder";

export interface Plugin {
  /** "docker", "host". */
  name: string;
  /** The program. */
  program: string;
}

const START_MS = 60_000;
const ORPHAN = inPackage("cli", "preview", "paper", "orphan.cjs");

interface Manifest {
  version: string;
  pulumi?: { resource?: boolean; name?: string };
}

/** A plugin that the engine would fetch: name and version, from the packages that the tree depends on. */
export interface Wanted {
  name: string;
  version: string;
}

/** @param tree the folder with package.json and node_modules; what it has through the package oslo-faas counts as its own */
export function wantedPlugins(tree: string): Wanted[] {
  const installed = path.join(tree, "node_modules");
  const names = [
    ...dependenciesOf(path.join(tree, "package.json")),
    ...dependenciesOf(path.join(installed, "oslo-faas", "package.json")),
  ];
  return [...new Set(names)]
    .filter((name) => name.startsWith("@pulumi/"))
    .flatMap((name) => {
      const places = [installed, path.join(installed, "oslo-faas", "node_modules")];
      const file = places
        .map((place) => path.join(place, name, "package.json"))
        .find((one) => fs.existsSync(one));
      if (!file) return [];
      const manifest = JSON.parse(fs.readFileSync(file, "utf8")) as Manifest;
      if (!manifest.pulumi?.resource) return [];
      return { name: manifest.pulumi.name ?? path.basename(name), version: manifest.version };
    });
}

function dependenciesOf(file: string): string[] {
  if (!fs.existsSync(file)) return [];
  const { dependencies = {} } = JSON.parse(fs.readFileSync(file, "utf8")) as {
    dependencies?: Record<string, string>;
  };
  return Object.keys(dependencies);
}

/** Where the engine has put it, or would. */
export function pluginProgram({ name, version }: Wanted, env: NodeJS.ProcessEnv): string {
  const home = env.PULUMI_HOME || path.join(env.HOME || os.homedir(), ".pulumi");
  return path.join(home, "plugins", `resource-${name}-v${version}`, `pulumi-resource-${name}`);
}

export interface Running {
  port: number;
  stop: () => void;
}

/**
 * Resolves when the plugin serves.
 * @param engine address of the engine that it talks back to; a plugin ends when that is gone, also where nobody could end it any more
 * @throws an Error with what the plugin said where it does not
 */
export function startPlugin(
  plugin: Plugin,
  engine: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<Running> {
  const NODE_OPTIONS = `${env.NODE_OPTIONS ?? ""} --require=${JSON.stringify(ORPHAN)}`.trim();
  const child = start(plugin.program, [engine], {
    cwd,
    env: { ...env, NODE_OPTIONS },
    stdio: ["ignore", "pipe", "pipe"],
    group: true,
  });
  return new Promise((resolve, reject) => {
    let out = "";
    let err = "";
    const timer = setTimeout(() => fail(`did not start within ${START_MS / 1000} s`), START_MS);
    const fail = (why: string) => {
      clearTimeout(timer);
      end(child);
      reject(new Error(`the provider plugin "${plugin.name}" (${plugin.program}) ${why}\n${err}`.trim()));
    };
    child.on("error", (error) => fail(`cannot be started: ${error.message}`));
    child.on("exit", (code) => fail(`ended with ${code}`));
    // Read to the end, so that a plugin that logs is not stopped by a full pipe.
    child.stderr!.on("data", (data: Buffer) => (err = (err + data.toString()).slice(-2000)));
    child.stdout!.on("data", (data: Buffer) => {
      out += data.toString();
      const port = /^(\d+)\n/.exec(out);
      if (!port) return;
      clearTimeout(timer);
      resolve({ port: Number(port[1]), stop: () => end(child) });
    });
  });
}

function end(child: Child): void {
  child.removeAllListeners("exit");
  kill(child);
}
