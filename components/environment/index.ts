/** Loads the environment of the selected stack: typed, complete, or an error that names every mistake at once. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as runtimeConfig from "@pulumi/pulumi/runtime/config";
import type { Problem } from "./describe";
import { readBase } from "./layers";
import { EnvironmentError, parseEnvironment } from "./parse";
import { type Environment, SECRET_KEYS, SECRET_MAPPINGS, SECRET_NAME } from "./schema";
import { isOrigin, located } from "./sources";
import {
  BAD_SECRET_NAME,
  configValue,
  NESTED_SECRET,
  plainSecret,
  readStackFile,
  SECRET_MAPPING,
} from "./stackfile";

export type { Environment } from "./schema";
export { parseEnvironment, EnvironmentError } from "./parse";

export interface LoadedEnvironment extends Environment {
  /** The stack's name. */
  name: string;
  /** The pinned host key, from host.hostKey or host.hostKeyFile. */
  pinnedHostKey: string;
  /** Set by the configuration, or undefined: one is made. */
  gatewayPassword?: pulumi.Output<string>;
  /** Goes to the webhook of alerts, where it is set. */
  alertWebhookToken?: pulumi.Output<string>;
  /** Of the mail server of alerts, where it is set. */
  alertSmtpPassword?: pulumi.Output<string>;
  /** Secrets of functions by their names; the values are secret. */
  functionSecrets: Record<string, pulumi.Output<string>>;
}

interface Given {
  raw: Record<string, unknown>;
  problems: Problem[];
  /** Top-level keys with something secret inside. */
  secret: Set<string>;
  /** Names, without the values. */
  functionSecrets: string[];
}

// Exported by the SDK and used by its own Config, but left out of its typings.
const { isConfigSecret } = runtimeConfig as unknown as { isConfigSecret(key: string): boolean };

/** Configuration of the selected stack. Throws pulumi.RunError (one clear message, no stack trace) when it cannot be used. */
export function loadEnvironment(): LoadedEnvironment {
  const stack = pulumi.getStack();
  const file = `stacks/Pulumi.${stack}.yaml`;
  const given = fromEngine(pulumi.getProject());
  given.problems.push(...plainOnes(file, given.functionSecrets));
  try {
    const environment = parseEnvironment(given.raw, given.problems, { secret: given.secret });
    return {
      ...environment,
      name: stack,
      pinnedHostKey: environment.host.hostKey ?? readHostKey(environment.host.hostKeyFile!),
      gatewayPassword: new pulumi.Config().getSecret("gatewayPassword"),
      alertWebhookToken: new pulumi.Config().getSecret("alertWebhookToken"),
      alertSmtpPassword: new pulumi.Config().getSecret("alertSmtpPassword"),
      functionSecrets: Object.fromEntries(
        given.functionSecrets.map((secret) => [secret, functionSecret(secret)]),
      ),
    };
  } catch (error) {
    const told = error instanceof EnvironmentError ? withLines(error, file, given) : (error as Error);
    throw new pulumi.RunError(`${file}: ${told.message}`);
  }
}

function fromEngine(project: string): Given {
  const given: Given = { raw: {}, problems: [], secret: new Set(), functionSecrets: [] };
  for (const [full, text] of Object.entries(pulumi.runtime.allConfig())) {
    const [namespace, key] = [full.slice(0, full.indexOf(":")), full.slice(full.indexOf(":") + 1)];
    if (namespace !== project) continue;
    const secret = isConfigSecret(full);
    if (SECRET_MAPPINGS.includes(key)) {
      given.functionSecrets = namesOf(key, configValue(text), secret, given.problems);
      continue;
    }
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

/** A mapping arrives decrypted and whole. That one of several is in plain text is seen in the file alone (stackfile.ts). */
function namesOf(key: string, value: unknown, secret: boolean, problems: Problem[]): string[] {
  const say = (at: string[], text: string) => problems.push({ path: at, text: `${at.join(".")}: ${text}` });
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    say([key], SECRET_MAPPING(key));
    return [];
  }
  const names = Object.keys(value);
  if (!secret) names.forEach((name) => say([key, name], plainSecret(`${key}.${name}`)));
  for (const name of names) if (!SECRET_NAME.test(name)) say([key, name], BAD_SECRET_NAME);
  return names;
}

/** Entries in plain text beside encrypted ones: the engine hands them over alike, and only the file tells them apart. */
function plainOnes(file: string, names: string[]): Problem[] {
  if (names.length === 0 || !fs.existsSync(file)) return [];
  const own = readStackFile(fs.readFileSync(file, "utf8"), file);
  // With --config-file it is another file that the engine read.
  if (!same(own.secretNames.functionSecrets ?? [], names)) return [];
  return own.problems.filter(({ path: [top] }) => top === "functionSecrets");
}

const same = (a: string[], b: string[]) => [...a].sort().join("\0") === [...b].sort().join("\0");

function functionSecret(name: string): pulumi.Output<string> {
  const all = new pulumi.Config().requireSecretObject<Record<string, unknown>>("functionSecrets");
  return all.apply((values) => String(values[name]));
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
