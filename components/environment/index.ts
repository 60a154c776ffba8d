/** Loads the environment of the selected stack: typed, complete, or an error that names every mistake at once. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as runtimeConfig from "@pulumi/pulumi/runtime/config";
import { parseEnvironment } from "./parse";
import { type Environment, SECRET_KEYS } from "./schema";

export type { Environment } from "./schema";
export { parseEnvironment, EnvironmentError } from "./parse";

export interface LoadedEnvironment extends Environment {
  /** The stack's name. */
  name: string;
  /** The pinned host key, from host.hostKey or host.hostKeyFile. */
  pinnedHostKey: string;
  /** Set by the configuration, or undefined: one is made. */
  gatewayPassword?: pulumi.Output<string>;
}

// Exported by the SDK and used by its own Config, but left out of its typings.
const { isConfigSecret } = runtimeConfig as unknown as { isConfigSecret(key: string): boolean };

/** Configuration of the selected stack. Throws pulumi.RunError (one clear message, no stack trace) when it cannot be used. */
export function loadEnvironment(): LoadedEnvironment {
  const project = pulumi.getProject();
  const stack = pulumi.getStack();
  const file = `stacks/Pulumi.${stack}.yaml`;
  const config = new pulumi.Config();
  const raw: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [full, text] of Object.entries(pulumi.runtime.allConfig())) {
    const [namespace, key] = [full.slice(0, full.indexOf(":")), full.slice(full.indexOf(":") + 1)];
    if (namespace !== project) continue;
    if (key in SECRET_KEYS) {
      if (!isConfigSecret(full))
        problems.push(`${key}: is a secret in plain text; set it with: pulumi config set --secret ${key}`);
      continue;
    }
    raw[key] = parseValue(text);
  }
  try {
    const environment = parseEnvironment(raw, problems);
    return {
      ...environment,
      name: stack,
      pinnedHostKey: environment.host.hostKey ?? readHostKey(environment.host.hostKeyFile!),
      gatewayPassword: config.getSecret("gatewayPassword"),
    };
  } catch (error) {
    throw new pulumi.RunError(`${file}: ${(error as Error).message}`);
  }
}

/** Pulumi hands objects and lists over as JSON, and a plain text as it is. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function readHostKey(file: string): string {
  try {
    // The comment behind the key is somebody's name for it, not part of it.
    return fs.readFileSync(path.resolve(file), "utf8").trim().split(/\s+/).slice(0, 2).join(" ");
  } catch {
    throw new Error(
      `host.hostKeyFile: ${file} cannot be read (for the stack "local", \`npm run up\` makes it)`,
    );
  }
}
