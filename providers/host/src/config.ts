/** The provider's own configuration: which host, and how to be sure that it is that host. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as z from "zod";
import { expandHome } from "../../../shared/home";
import { hostKeyProblem } from "../../../shared/hostKey";

const KEY_TYPES = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*( .*)?$/;

/** Numbers, booleans and objects arrive as JSON text when they come from a stack's configuration. */
const json = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => {
    if (typeof value !== "string") return value;
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  }, schema);

const address = z
  .string()
  .regex(/^[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9:])?$/, "must be a host name or an IP address");
const port = json(z.number().int().min(1).max(65535)).default(22);
const user = z
  .string()
  .regex(/^[a-z_][a-z0-9_.-]*\$?$/i, "must be a user's name")
  .default("root");
const hostKey = z.string().refine(
  (text) => {
    const lines = keyLines(text);
    return lines.length > 0 && lines.every((line) => KEY_TYPES.test(line) && !hostKeyProblem(line));
  },
  {
    error:
      'must be the host\'s public key, such as "ssh-ed25519 AAAA…", one a line (the host prints it: cat /etc/ssh/ssh_host_ed25519_key.pub)',
  },
);

const jump = z.strictObject({
  host: address,
  port,
  user,
  hostKey,
  privateKey: z.string().min(1).optional(),
  privateKeyPath: z.string().min(1).optional(),
});

export const configSchema = z
  .strictObject({
    host: address,
    port,
    user,
    hostKey,
    privateKey: z.string().min(1).optional(),
    privateKeyPath: z.string().min(1).optional(),
    agent: json(z.boolean()).optional(),
    jump: json(jump).optional(),
    dialTimeoutSeconds: json(z.number().min(1).max(14)).default(10),
  })
  .superRefine((value, issues) => {
    const given = [
      value.privateKey && "privateKey",
      value.privateKeyPath && "privateKeyPath",
      value.agent && "agent",
    ].filter(Boolean);
    if (given.length > 1)
      issues.addIssue({
        code: "custom",
        path: [given[1] as string],
        message: `give only one of ${given.join(" and ")}`,
      });
    if (value.jump?.privateKey && value.jump.privateKeyPath)
      issues.addIssue({
        code: "custom",
        path: ["jump", "privateKeyPath"],
        message: "give only one of privateKey and privateKeyPath",
      });
  });
export type ProviderConfig = z.infer<typeof configSchema>;

/** What the engine adds to a provider's properties. */
const ENGINE_KEYS = [
  "version",
  "pluginDownloadURL",
  "pluginChecksums",
  "__internal",
  "__pulumi-go-provider-infer",
  "__pulumi-go-provider-version",
];

export function withoutEngineKeys(properties: Record<string, any>): Record<string, any> {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !ENGINE_KEYS.includes(key)));
}

/** One endpoint to dial, with everything read that has to be read. */
export interface Endpoint {
  host: string;
  port: number;
  user: string;
  /** "ssh-ed25519 AAAA…", without comments. */
  hostKeys: string[];
  /** The private key's text; absent: the agent. */
  privateKey?: string;
}

export interface Target extends Endpoint {
  jump?: Endpoint;
  dialTimeoutSeconds: number;
}

export const keyLines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** Reads the key files. Paths are relative to the project's root. Throws when a file is not there. */
export function resolveTarget(config: ProviderConfig, root: string): Target {
  const privateKey = config.privateKey ?? readKey(config.privateKeyPath, root, "privateKeyPath");
  const jumpKey =
    config.jump &&
    (config.jump.privateKey ?? readKey(config.jump.privateKeyPath, root, "jump.privateKeyPath"));
  return {
    ...endpoint(config, privateKey),
    dialTimeoutSeconds: config.dialTimeoutSeconds,
    jump: config.jump && endpoint(config.jump, jumpKey ?? privateKey),
  };
}

function endpoint(config: z.infer<typeof jump>, privateKey?: string): Endpoint {
  const hostKeys = keyLines(config.hostKey).map((line) => line.split(" ").slice(0, 2).join(" "));
  return { host: config.host, port: config.port, user: config.user, hostKeys, privateKey };
}

function readKey(file: string | undefined, root: string, property: string): string | undefined {
  if (file === undefined) return undefined;
  const full = path.resolve(root, expandHome(file));
  try {
    return fs.readFileSync(full, "utf8");
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : (error as Error).message;
    throw new Error(`cannot read the private key ${full} (the provider's ${property}): ${reason}`, {
      cause: error,
    });
  }
}
