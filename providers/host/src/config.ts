/** The provider's own configuration: which host, and how to be sure that it is that host. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as z from "zod";
import { expandHome } from "../../../shared/home";
import { hostKeyProblem } from "../../../shared/hostKey";

const KEY_TYPES = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*( .*)?$/;

/** Numbers, booleans and objects arrive as JSON text when they come from a stack's configuration. */
export const json = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value): unknown => {
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

const jump = z
  .strictObject({
    host: address.describe('Name or address of the jump host. Example: "bastion.example.no".'),
    port: port.describe("SSH port of the jump host."),
    user: user.describe("User who logs in to the jump host."),
    hostKey: hostKey.describe("Public host key of the jump host, pinned like that of the host."),
    privateKey: z
      .string()
      .min(1)
      .optional()
      .describe("Private key, as text; it is kept in the state as a secret. Default: the key for the host."),
    privateKeyPath: z
      .string()
      .min(1)
      .optional()
      .describe("File with the private key, instead of `privateKey`; relative to the project's folder."),
  })
  .meta({ id: "Jump", description: "A host to connect through." });

/** How to reach the host: what every provider that works over SSH is configured with. */
export const connectionShape = {
  host: address.describe('Name or address of the host. Example: "203.0.113.10".'),
  port: port.describe("SSH port of the host."),
  user: user.describe("User who logs in. Any user but root needs sudo without a password."),
  hostKey: hostKey.describe(
    'Public key of the host, pinned: with any other key nothing is sent to the host. Several keys: one a line. The host prints it with `cat /etc/ssh/ssh_host_ed25519_key.pub`. Example: "ssh-ed25519 AAAA…".',
  ),
  privateKey: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Private key, as text; it is kept in the state as a secret. Give at most one of `privateKey`, `privateKeyPath` and `agent`.",
    ),
  privateKeyPath: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File with the private key, relative to the project\'s folder. Its content is not in the state. Example: "keys/id_ed25519".',
    ),
  agent: json(z.boolean())
    .optional()
    .describe("Log in with the SSH agent at SSH_AUTH_SOCK. Default: true if no key is given."),
  jump: json(jump).optional().describe("A host to connect through. Default: a direct connection."),
  dialTimeoutSeconds: json(z.number().min(1).max(14))
    .default(10)
    .describe(
      "Seconds until an unreachable host is given up, with the jump host and all attempts included; 1 to 14.",
    ),
};

type Connection = z.infer<z.ZodObject<typeof connectionShape>>;

export const configSchema = z.strictObject(connectionShape).superRefine(onlyOneKey);
export type ProviderConfig = z.infer<typeof configSchema>;

export function onlyOneKey(value: Connection, issues: z.RefinementCtx): void {
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
      (error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : (error as Error).message;
    throw new Error(`cannot read the private key ${full} (the provider's ${property}): ${reason}`, {
      cause: error,
    });
  }
}
