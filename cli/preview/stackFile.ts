/**
 * A copy of a stack file for a preview without the real secrets and keys: placeholders are in their place. They are encrypted with the
 * preview's own passphrase, so that the program and the report treat them as secrets.
 */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { parseDocument } from "yaml";
import { fileOf, readEnvironment } from "../../environment/files";
import { SECRET_KEYS } from "../../environment/schema";
import { NAMESPACE, OLD_NUMBERS } from "../../environment/stackfile";
import { code, inert } from "./markdown";

type Values = Record<string, unknown>;

export interface Copy {
  text: string;
  /** Descriptions of the placeholders. */
  dummies: string[];
}

/** Texts as the engine writes them under `secure`, in their order. */
export type Seal = (texts: string[]) => Promise<string[]>;

/** @param tree the side of the file @throws an Error if it is not YAML; the program reports other mistakes */
export async function copyWithDummies(name: string, tree: string, salt: string, seal: Seal): Promise<Copy> {
  const document = parseDocument(fs.readFileSync(path.join(tree, fileOf(name)), "utf8"), {
    merge: true,
    customTags: (tags) => [...OLD_NUMBERS, ...tags],
  });
  if (document.errors.length > 0)
    throw new Error(`${fileOf(name)} cannot be read as YAML: ${document.errors[0]!.message.split("\n")[0]}`);
  const file = (document.toJS() ?? {}) as { config?: Values };
  const dummies: string[] = [];
  const secrets: Secret[] = [];
  const config = withoutSecrets(file.config ?? {}, [], secrets, dummies) as Values;
  if (secrets.length > 0) {
    const sealed = await seal(secrets.map(({ text }) => text));
    secrets.forEach(({ value }, at) => (value.secure = sealed[at]!));
  }
  const complete = withHostKey(name, tree, config, dummies);
  return { text: JSON.stringify({ encryptionsalt: salt, config: complete }, null, 2), dummies };
}

/** A text, and its place after it is encrypted. */
interface Secret {
  text: string;
  value: { secure: string };
}

/** Another ciphertext may be another secret, so it gets another placeholder and shows as a change. */
function withoutSecrets(value: unknown, at: string[], secrets: Secret[], dummies: string[]): unknown {
  if (Array.isArray(value))
    return value.map((item, i) => withoutSecrets(item, [...at, String(i)], secrets, dummies));
  if (typeof value !== "object" || value === null) return value;
  const { secure, ...rest } = value as Values;
  if (typeof secure === "string" && Object.keys(rest).length === 0) {
    dummies.push(`${code(at.join(".").replace(`${NAMESPACE}:`, ""))} (a secret)`);
    const mark = crypto.createHash("sha256").update(secure).digest("hex").slice(0, 12);
    const sealed = { secure: "" };
    secrets.push({ text: dummyOf(at, mark), value: sealed });
    return sealed;
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner, [...at, key], secrets, dummies)]),
  );
}

/** A placeholder for a secret. The program checks the form of some secrets. */
function dummyOf(at: string[], mark: string): string {
  const dummy = `dummy-for-the-preview-${mark}`;
  const key = at[0]!.replace(`${NAMESPACE}:`, "");
  if (key === "alertWebhookUrl") return `https://dummy.invalid/${dummy}`;
  return key === "registryAuth" ? `dummy:${dummy}` : dummy;
}

/** A host key in a file that only an `up` or another machine has. The file's own config then holds everything, since a base cannot be unsaid. */
function withHostKey(name: string, tree: string, config: Values, dummies: string[]): Values {
  const { written } = readEnvironment(name, tree);
  const host = written.host as Values | undefined;
  const file = host?.hostKeyFile;
  if (typeof file !== "string" || fs.existsSync(path.resolve(tree, file))) return config;
  dummies.push(`\`host.hostKeyFile\` (${inert(file)} is not on this machine)`);
  const { extends: _, ...all } = written;
  const { hostKeyFile: _file, ...rest } = host!;
  const own = Object.entries({ ...all, host: { ...rest, hostKey: dummyHostKey() } });
  const others = Object.entries(config).filter(
    ([key]) =>
      !key.startsWith(`${NAMESPACE}:`) || Object.hasOwn(SECRET_KEYS, key.slice(NAMESPACE.length + 1)),
  );
  return Object.fromEntries([
    ...others,
    ...own.map(([key, value]): [string, unknown] => [`${NAMESPACE}:${key}`, value]),
  ]);
}

/** A valid key that no host has: the point of all zeros. */
function dummyHostKey(): string {
  const field = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const type = "ssh-ed25519";
  return `${type} ${Buffer.concat([field(Buffer.from(type)), field(Buffer.alloc(32))]).toString("base64")}`;
}
