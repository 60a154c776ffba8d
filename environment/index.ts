/** Loads the environment of the selected stack. An error names every mistake at once. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as runtimeConfig from "@pulumi/pulumi/runtime/config";
import { hostKeyProblem } from "../shared/hostKey";
import type { Problem } from "./describe";
import { isUrl } from "./fields";
import { readBase } from "./layers";
import { clean, pathName } from "./legible";
import { EnvironmentError, parseEnvironment } from "./parse";
import { type Environment, SECRET_MAPPINGS } from "./schema";
import { isSecretKey, isSecretMapping, NESTED_SECRET, plainSecret, secretMapping } from "./secrets";
import { isOrigin, located } from "./sources";
import { configValue, NAMESPACE, readStackFile } from "./stackfile";

export type { Environment } from "./schema";
export { parseEnvironment, EnvironmentError } from "./parse";

export interface LoadedEnvironment extends Environment {
  name: string;
  /** The pinned host key, from host.hostKey or host.hostKeyFile. */
  pinnedHostKey: string;
  /** Undefined: the first `up` generates a password. */
  gatewayPassword?: pulumi.Output<string>;
  /** Overrides alerts.webhook.url. */
  alertWebhookUrl?: pulumi.Output<string>;
  /** Bearer token for the webhook of alerts. */
  alertWebhookToken?: pulumi.Output<string>;
  alertSmtpPassword?: pulumi.Output<string>;
  /** HMAC key of nginx.tls.auto.eabKeyId. */
  acmeEabKey?: pulumi.Output<string>;
  /** Secrets of functions, by name. */
  functionSecrets: Record<string, pulumi.Output<string>>;
  /** `user:password` by registry. */
  registryAuth: Record<string, pulumi.Output<string>>;
}

interface Given {
  raw: Record<string, unknown>;
  problems: Problem[];
  /** Top-level keys with a secret inside. */
  secret: Set<string>;
  /** Secret keys that are set. */
  secrets: string[];
  /** Names inside of secret mappings, by key. */
  secretNames: Record<string, string[]>;
}

// Exported by the SDK and used by its own Config, but left out of its typings.
const { isConfigSecret } = runtimeConfig as unknown as { isConfigSecret: (key: string) => boolean };

/** @throws pulumi.RunError, which Pulumi shows without a stack trace */
export function loadEnvironment(): LoadedEnvironment {
  const stack = pulumi.getStack();
  const file = `stacks/Pulumi.${stack}.yaml`;
  const given = fromEngine(NAMESPACE);
  given.problems.push(...plainOnes(file, given.secretNames));
  try {
    const { secret, secrets } = given;
    const environment = parseEnvironment(given.raw, given.problems, { secret, secrets });
    const { host } = environment;
    const jump = host.jump && { ...host.jump, hostKey: keyAlone(host.jump.hostKey) };
    const config = new pulumi.Config(NAMESPACE);
    return {
      ...environment,
      host: { ...host, jump },
      name: stack,
      pinnedHostKey: keyAlone(host.hostKey ?? readHostKey(host.hostKeyFile!)),
      gatewayPassword: config.getSecret("gatewayPassword"),
      alertWebhookUrl: config.getSecret("alertWebhookUrl"),
      alertWebhookToken: config.getSecret("alertWebhookToken"),
      alertSmtpPassword: config.getSecret("alertSmtpPassword"),
      acmeEabKey: config.getSecret("acmeEabKey"),
      functionSecrets: secretsOf("functionSecrets", given),
      registryAuth: secretsOf("registryAuth", given),
    };
  } catch (error) {
    const told = error instanceof EnvironmentError ? withLines(error, file, given) : (error as Error);
    throw new pulumi.RunError(`${clean(file)}: ${told.message}`);
  }
}

function fromEngine(own: string): Given {
  const given: Given = { raw: {}, problems: [], secret: new Set(), secrets: [], secretNames: {} };
  for (const [full, text] of Object.entries(pulumi.runtime.allConfig())) {
    const [namespace, key] = [full.slice(0, full.indexOf(":")), full.slice(full.indexOf(":") + 1)];
    if (namespace !== own) continue;
    const secret = isConfigSecret(full);
    if (isSecretMapping(key)) {
      given.secretNames[key] = namesOf(key, configValue(text), secret, given.problems);
      continue;
    }
    if (isSecretKey(key)) {
      given.secrets.push(key);
      const wrong = secret ? wrongSecret(key, text) : plainSecret([key]);
      if (wrong !== undefined) given.problems.push({ path: [key], text: `${key}: ${wrong}` });
      continue;
    }
    // A secret anywhere inside arrives decrypted and marks the whole key.
    if (secret) {
      given.problems.push({ path: [key], text: `${pathName([key])}: ${NESTED_SECRET}` });
      given.secret.add(key);
    }
    given.raw[key] = configValue(text);
  }
  return given;
}

/** Validates a decrypted secret without showing its value. */
function wrongSecret(key: string, value: string): string | undefined {
  if (key === "alertWebhookUrl" && !isUrl(value)) return "[secret]: must be a URL with http:// or https://";
  if (key === "acmeEabKey" && !/^[\w-]+=*$/.test(value)) return "[secret]: must be a key in base64url";
  return undefined;
}

/** The engine passes a decrypted mapping. Only the file shows that one of its entries is in plain text (stackfile.ts). */
function namesOf(key: string, value: unknown, secret: boolean, problems: Problem[]): string[] {
  const say = (at: string[], text: string) => problems.push({ path: at, text: `${pathName(at)}: ${text}` });
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    say([key], secretMapping(key));
    return [];
  }
  const names = Object.keys(value);
  const { name: form, badName, value: wanted } = SECRET_MAPPINGS[key]!;
  if (!secret) names.forEach((name) => say([key, name], plainSecret([key, name])));
  for (const [name, text] of Object.entries(value)) {
    if (!form.test(name)) say([key, name], badName);
    if (secret && wanted && !wanted.form.test(String(text)))
      say([key, name], `[secret]: must be ${wanted.phrase}`);
  }
  return names;
}

/** Finds entries in plain text beside encrypted ones. The engine passes both alike; only the file tells them apart. */
function plainOnes(file: string, given: Record<string, string[]>): Problem[] {
  if (Object.keys(given).length === 0 || !fs.existsSync(file)) return [];
  const own = readStackFile(fs.readFileSync(file, "utf8"), file);
  // With --config-file the engine read another file.
  const read = Object.keys(given).filter((key) => same(own.secretNames[key] ?? [], given[key]!));
  return own.problems.filter(({ path: [top] }) => read.includes(top!));
}

const same = (a: string[], b: string[]) => [...a].sort().join("\0") === [...b].sort().join("\0");

function secretsOf(key: string, { secretNames }: Given): Record<string, pulumi.Output<string>> {
  const names = secretNames[key] ?? [];
  if (names.length === 0) return {};
  const all = new pulumi.Config(NAMESPACE).requireSecretObject<Record<string, unknown>>(key);
  return Object.fromEntries(names.map((name) => [name, all.apply((values) => String(values[name]))]));
}

/** Adds the line of each value, if the file is the one that the engine read. */
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

/** Drops the comment behind the key, which the `ssh` program does not accept. */
const keyAlone = (key: string) => key.trim().split(/\s+/).slice(0, 2).join(" ");

function readHostKey(file: string): string {
  let key: string;
  try {
    key = fs.readFileSync(path.resolve(file), "utf8");
  } catch {
    throw new Error(
      `host.hostKeyFile: ${clean(file)} cannot be read (for the stack "local", \`npm run up\` makes it)`,
    );
  }
  const problem = hostKeyProblem(key);
  if (problem)
    throw new Error(`host.hostKeyFile: ${clean(file)} does not contain a public host key: ${problem}`);
  return key;
}
