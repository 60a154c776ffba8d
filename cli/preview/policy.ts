/** Starts the policy pack with the available engine. */
import fs from "node:fs";
import path from "node:path";
import { inPackage } from "../../shared/packageFolder";
import type { PreviewOptions } from "./engine";

/** There is no language host of this name, so the engine looks for a program `pulumi-analyzer-policy-NAME`. */
const RUNTIME = "oslofaas";

export interface PolicyOptions {
  /** For a preview. */
  options: Pick<PreviewOptions, "policyPacks" | "policyPackConfigs">;
  /** What to add to the engine's environment. */
  env: Record<string, string>;
}

/**
 * The official engine's language host runs the pack itself. The one that is built from modules cannot (docs/toolchain.md), so a program
 * in `scratch` starts the pack.
 */
export function policyOptions(
  kind: "official" | "downloaded" | "built",
  root: string,
  scratch: string,
  env: NodeJS.ProcessEnv,
): PolicyOptions {
  // The team's own pack, or the package's.
  const own = path.join(root, "policy");
  const pack = fs.existsSync(own) ? own : inPackage("policy");
  if (!fs.existsSync(path.join(pack, "PulumiPolicy.yaml"))) return { options: {}, env: {} };
  const config = path.join(pack, "config.json");
  const settings = fs.existsSync(config) ? { policyPackConfigs: [config] } : {};
  if (kind !== "built") return { options: { policyPacks: [pack], ...settings }, env: {} };
  const stand = path.join(scratch, "policy");
  standIn(pack, root, stand);
  return {
    options: { policyPacks: [stand], ...settings },
    env: { PATH: [path.join(stand, "bin"), env.PATH].filter(Boolean).join(path.delimiter) },
  };
}

function standIn(pack: string, root: string, folder: string): void {
  fs.mkdirSync(path.join(folder, "bin"), { recursive: true });
  const yaml = fs.readFileSync(path.join(pack, "PulumiPolicy.yaml"), "utf8");
  fs.writeFileSync(
    path.join(folder, "PulumiPolicy.yaml"),
    yaml.replace(/^runtime:.*$/m, `runtime: ${RUNTIME}`),
  );
  const { name, version } = JSON.parse(fs.readFileSync(path.join(pack, "package.json"), "utf8")) as {
    name: string;
    version: string;
  };
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name, version, main: "index.js" }));
  fs.writeFileSync(path.join(folder, "index.js"), `module.exports = require(${JSON.stringify(pack)});\n`);
  const start = path.join(root, "node_modules", "@pulumi", "pulumi", "cmd", "run-policy-pack");
  const program = `#!${process.execPath}\nrequire(${JSON.stringify(start)});\n`;
  fs.writeFileSync(path.join(folder, "bin", `pulumi-analyzer-policy-${RUNTIME}`), program, { mode: 0o755 });
}
