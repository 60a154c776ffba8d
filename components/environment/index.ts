/** Loads the environment of the selected stack: typed, complete, or an error that names every mistake at once. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as runtimeConfig from "@pulumi/pulumi/runtime/config";
import type { Problem } from "./describe";
import { readBase } from "./layers";
import { EnvironmentError, parseEnvironment } from "./parse";
import { type Environment, SECRET_KEYS } from "./schema";
import { isOrigin, located } from "./sources";
import { configValue, NESTED_SECRET, plainSecret, readStackFile } from "./stackfile";

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

interface Given {
  raw: Record<string, unknown>;
  problems: Problem[];
  /** Top-level keys with something secret inside. */
  secret: Set<string>;
}

// Exported by the SDK and used by its own Config, but left out of its typings.
const { isConfigSecret } = runtimeConfig as unknown as { isConfigSecret(key: string): boolean };

/** Configuration of the selected stack. Throws pulumi.RunError (one clear message, no stack trace) when it cannot be used. */
export function loadEnvironment(): LoadedEnvironment {
  const stack = pulumi.getStack();
  const file = `stacks/Pulumi.${stack}.yaml`;
  const given = fromEngine(pulumi.getProject());
  try {
    const environment = parseEnvironment(given.raw, given.problems, { secret: given.secret });
    return {
      ...environment,
      name: stack,
      pinnedHostKey: environment.host.hostKey ?? readHostKey(environment.host.hostKeyFile!),
      gatewayPassword: new pulumi.Config().getSecret("gatewayPassword"),
    };
  } catch (error) {
    const told = error instanceof EnvironmentError ? withLines(error, file, given) : (error as Error);
    throw new pulumi.RunError(`${file}: ${told.message}`);
  }
}

function fromEngine(project: string): Given {
  const given: Given = { raw: {}, problems: [], secret: new Set() };
  for (const [full, text] of Object.entries(pulumi.runtime.allConfig())) {
    const [namespace, key] = [full.slice(0, full.indexOf(":")), full.slice(full.indexOf(":") + 1)];
    if (namespace !== project) continue;
    const secret = isConfigSecret(full);
    if (Object.hasOwn(SECRET_KEYS, key)) {
      if (!secret) given.problems.push({ path: [key], text: `${key}: ${plainSecret(key)}` });
      continue;
    }
    // A secret anywhere inside arrives decrypted, and marks the whole key.
    if (secret) {
      given.problems.push({ path: [key], text: `${key}: ${NESTED_SECRET}` });
      given.secret.add(key);
    }
    given.raw[key] = configValue(text);
  }
  return given;
}

/** The same error, with the line of each value where the file is the one that the engine read. */
function withLines(error: EnvironmentError, file: string, given: Given): EnvironmentError {
  try {
    const own = readStackFile(fs.readFileSync(file, "utf8"), file);
    const open = Object.fromEntries(Object.entries(given.raw).filter(([key]) => !given.secret.has(key)));
    if (!isOrigin(own, open)) return error;
    const base = readBase(given.raw.extends).layer;
    return new EnvironmentError(located(error.details, base ? [own, base] : [own]), error.details);
  } catch {
    return error; // Lines are a help; an error without them is still one.
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
