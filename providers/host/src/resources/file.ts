/** host:index:File: a file with its content, mode and owner. */
import * as crypto from "node:crypto";
import * as z from "zod";
import { quote } from "../../../../shared/quote";
import type { Context, ReadResult, ResourceHandler } from "../resource";
import { fromBase64, parseKeyValues, runScript } from "../scripts";
import { validation } from "../validation";

/** What a diff can show line by line; a larger file is compared by its hash. */
const LIMIT = 1024 * 1024;
/** onChange commands restart services. */
const APPLY_SECONDS = 300;

const name = (what: string) =>
  z.string().regex(/^[a-z_][a-z0-9_.-]*\$?$/i, `is no ${what}'s name, e.g. "root"`);
const commands = () => z.array(z.string().min(1, "is empty")).default([]);

const DESCRIPTION =
  "A text file. It is replaced in one step: a full disk or a lost connection leaves the old file as it was. Drift: content line by line, mode, owner, group; a missing file is made again. A symbolic link or a directory at the path is an error. Delete: what was at the path before comes back (it is kept on the host, not in the state); otherwise the file is removed.";

const inputs = z.strictObject({
  path: z
    .string()
    .regex(/^\/[^\0\n]*[^/\0\n]$/, 'must be an absolute path to a file, e.g. "/etc/motd"')
    .refine((path) => !/\/(\.{1,2}|)(\/|$)/.test(path), 'must have no "..", "." or "//" in it')
    .describe('Absolute path of the file. Missing folders above it are made (0755). Example: "/etc/motd".'),
  content: z
    .string()
    .refine((text) => !text.includes("\0"), "must be text: it has a NUL character in it")
    .describe(
      'The whole text. A secret stays secret in the state, in diffs and in messages. Example: "welcome\\n".',
    ),
  mode: z
    .string()
    .regex(/^[0-7]{3,4}$/, 'must be octal digits, e.g. "0644"')
    .transform((mode) => mode.padStart(4, "0"))
    .default("0644")
    .describe("Permission bits, in octal digits."),
  owner: name("user").default("root").describe("Name of the owner, who must exist on the host."),
  group: name("group").default("root").describe("Name of the group, which must exist on the host."),
  validate: z
    .string()
    .min(1)
    .optional()
    .describe(
      'A command that runs as root against the new file before it replaces the old one; `%s` is its path. A file that it refuses is never put in place. Default: no check. Example: "nginx -t -q -c %s".',
    ),
  onChange: commands().describe(
    'Commands that run as root, in order, after content, mode or owner changed on the host, and not if only this list changed. If one fails, the old file is put back, the commands run again, and the update fails with what was printed. Example: ["systemctl reload nginx"].',
  ),
  onDelete: commands().describe(
    "Commands that run as root after the file was taken away by a delete. They must also succeed a second time.",
  ),
});
export type FileInputs = z.infer<typeof inputs>;

const outputs = z.object({
  sha256: z.string().describe("SHA-256 of the content, in hexadecimal digits; secret if the content is."),
});
export type FileOutputs = z.infer<typeof outputs>;

const sha256 = (data: string | Buffer): string => crypto.createHash("sha256").update(data).digest("hex");
const keyOf = (path: string): string => sha256(path).slice(0, 32);
/** `hook 'COMMAND' && hook 'COMMAND'`, which file-lib.sh evaluates. */
const hooks = (list: string[]): string => list.map((line) => `hook ${quote(line)}`).join(" && ");

async function apply(ctx: Context, wanted: FileInputs): Promise<FileOutputs> {
  const content = Buffer.from(wanted.content);
  await runScript(
    await ctx.session(),
    ["put-file", "file-lib", "file-apply"],
    {
      TARGET: wanted.path,
      SIZE: content.length,
      MODE: wanted.mode,
      PLAIN_MODE: parseInt(wanted.mode, 8).toString(8),
      OWNER: wanted.owner,
      GROUP: wanted.group,
      VALIDATE: validation(wanted.validate),
      KEY: keyOf(wanted.path),
      ON_CHANGE: hooks(wanted.onChange),
    },
    { step: `write ${wanted.path}`, stdin: content, timeoutSeconds: APPLY_SECONDS },
  );
  return { sha256: sha256(content) };
}

async function look(
  ctx: Context,
  path: string,
  known: string | undefined,
): Promise<ReadResult<FileInputs, FileOutputs> | undefined> {
  const expect = known === undefined ? "" : sha256(known);
  const result = await runScript(
    await ctx.session(),
    "file-read",
    { TARGET: path, EXPECT: expect, LIMIT, SECRET: ctx.isSecret("content") },
    { step: `read ${path}` },
  );
  const found = parseKeyValues(result.stdout);
  if (found.kind === "missing") return undefined;
  const rest = { path, onChange: [], onDelete: [] };
  // Not gone and not a file: shown as what it is, and the next `up` says that it is in the way.
  if (found.kind !== "file")
    return {
      inputs: { ...rest, content: `(${found.kind})`, mode: "", owner: "", group: "" },
      outputs: { sha256: "" },
    };
  const content = found.sha256 === expect ? (known as string) : contentFound(found);
  const { mode = "", owner = "", group = "", sha256: sum = "" } = found;
  return {
    inputs: { ...rest, content, mode: mode.padStart(4, "0"), owner, group },
    outputs: { sha256: sum },
  };
}

/** The text where it is one, and else words that say what is there: a state and a diff hold text only. */
function contentFound(found: Record<string, string>): string {
  if (found.content === undefined) return `(another content: ${found.size} bytes, sha256 ${found.sha256})`;
  const text = fromBase64(found.content);
  const isText = Buffer.from(text).toString("base64") === found.content && !text.includes("\0");
  return isText ? text : `(not text: ${found.size} bytes, sha256 ${found.sha256})`;
}

/**
 * One round trip for each call. What was at the path before is kept on the host (/var/lib/oslo-faas/files, readable by root alone, and
 * not in the state) and comes back at delete.
 */
export const file: ResourceHandler<FileInputs, FileOutputs> = {
  type: "host:index:File",
  description: DESCRIPTION,
  schema: inputs,
  outputs,
  replaceOn: ["path"],
  derived: { sha256: "content" },
  async create(ctx, wanted) {
    return { id: wanted.path, outputs: await apply(ctx, wanted) };
  },
  async read(ctx, _id, wanted) {
    const found = await look(ctx, wanted.path, wanted.content);
    if (!found) return undefined;
    const { validate, onChange, onDelete } = wanted;
    return { inputs: { ...found.inputs, validate, onChange, onDelete }, outputs: found.outputs };
  },
  async update(ctx, _id, _olds, news) {
    return apply(ctx, news);
  },
  async delete(ctx, _id, { path, onDelete }) {
    await runScript(
      await ctx.session(),
      ["file-lib", "file-delete"],
      { TARGET: path, KEY: keyOf(path), ON_DELETE: hooks(onDelete ?? []) },
      { step: `take ${path} away`, timeoutSeconds: APPLY_SECONDS },
    );
  },
  import: (ctx, id) => look(ctx, id, undefined),
};
