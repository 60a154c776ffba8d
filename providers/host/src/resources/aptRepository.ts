/** host:index:AptRepository: an apt source with a keyring of its own, pinned by the key's whole fingerprint. */
import * as z from "zod";
import type { Context, ResourceHandler } from "../resource";
import { fromBase64, parseKeyValues, runScript } from "../scripts";

const word = (what: string) =>
  z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._~+/-]*$/, `${what} has letters, digits and . _ ~ + / - only`);

/** Options that would take the signature, or the key that is pinned here, out of the source. */
const FORBIDDEN_OPTIONS = [
  "trusted",
  "allow-insecure",
  "allow-weak",
  "allow-downgrade-to-insecure",
  "signed-by",
  "arch",
];

const inputs = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]*$/, "a name has lower-case letters, digits and . _ - only, e.g. docker")
      .describe(
        'Names the files: /etc/apt/sources.list.d/NAME.list and /etc/apt/keyrings/NAME.gpg. Example: "docker".',
      ),
    uri: z
      .string()
      .regex(/^(https?:\/\/|file:\/)[^\s[\]|&\\@]+$/, "is no https://, http:// or file:/ address")
      .describe(
        'Address of the repository: https://, http:// or file:/. Example: "https://download.docker.com/linux/ubuntu".',
      ),
    suite: z
      .union([z.literal(""), word("a suite")])
      .default("")
      .describe(
        'Suite of the repository; "" is the codename of the host, such as bookworm, read on the host.',
      ),
    components: z
      .array(word("a component"))
      .min(1)
      .describe('Components of the repository, at least one. Example: ["stable"].'),
    architectures: z
      .array(z.string().regex(/^[a-z0-9-]+$/, "is no architecture, e.g. amd64"))
      .default([])
      .describe(
        'Architectures to fetch lists of; none means every architecture of the host. Example: ["amd64"].',
      ),
    keyUrl: z
      .string()
      .regex(/^(https:\/\/|file:\/\/\/)\S+$/, "is no https:// address")
      .optional()
      .describe(
        "Address of the key, https:// only; the host fetches it, with retries, within 60 s. Give either `keyUrl` or `key`.",
      ),
    key: z
      .string()
      .min(1)
      .optional()
      .describe(
        "The key itself, armored or not, for a host without internet access. Give either `key` or `keyUrl`.",
      ),
    fingerprint: z
      .string()
      .transform((text) => text.replace(/\s/g, "").toUpperCase())
      .pipe(
        z
          .string()
          .regex(/^[0-9A-F]{40}$/, "is no full fingerprint: 40 hexadecimal digits, not a short key id"),
      )
      .describe(
        "The whole fingerprint of the primary key: 40 hexadecimal digits, spaces allowed. A file with another key, or with one more key, is refused with both fingerprints before anything is written. The owner of the repository publishes it.",
      ),
    options: z
      .record(
        z.string().regex(/^[a-z-]+$/, "is no option of an apt source"),
        z.string().regex(/^[^\s[\]|&\\@]+$/),
      )
      .default({})
      .describe(
        'Further options of the source. Options that weaken or move trust (trusted, signed-by, …) are errors. Example: { "by-hash": "no" }.',
      ),
  })
  .superRefine((value, issues) => {
    if ((value.keyUrl === undefined) === (value.key === undefined))
      issues.addIssue({
        code: "custom",
        path: ["keyUrl"],
        message: "give either keyUrl or key, and not both",
      });
    for (const name of Object.keys(value.options).filter((option) => FORBIDDEN_OPTIONS.includes(option)))
      issues.addIssue({
        code: "custom",
        path: ["options", name],
        message: `${name} cannot be set here: the pinned key decides what is trusted`,
      });
  });
export type AptRepositoryInputs = z.infer<typeof inputs>;

const outputs = z.object({
  resolvedSuite: z
    .string()
    .describe('Suite that the source names: the codename of the host if `suite` is "".'),
  source: z.string().describe("The line in /etc/apt/sources.list.d/NAME.list."),
  keyringSha256: z.string().describe("SHA-256 of /etc/apt/keyrings/NAME.gpg."),
});
export type AptRepositoryOutputs = z.infer<typeof outputs>;

/** The source's line; @SUITE@ and @KEYRING@ are filled in on the host, which knows its codename. Pure. */
export function renderSource(wanted: AptRepositoryInputs): string {
  const options = [
    ...(wanted.architectures.length > 0 ? [`arch=${wanted.architectures.join(",")}`] : []),
    "signed-by=@KEYRING@",
    ...Object.entries(wanted.options)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${name}=${value}`),
  ];
  return `deb [${options.join(" ")}] ${wanted.uri} @SUITE@ ${wanted.components.join(" ")}`;
}

/** The inputs of a list file. A file that this resource would not write comes back whole in `uri`, where a person sees it. */
export function parseSource(
  text: string,
): Pick<AptRepositoryInputs, "uri" | "suite" | "components" | "architectures" | "options"> {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const match = lines.length === 1 ? /^deb \[([^\]]*)\] (\S+) (\S+) (.+)$/.exec(lines[0] ?? "") : null;
  if (!match) return { uri: text.trim(), suite: "", components: [], architectures: [], options: {} };
  const [, given = "", uri = "", suite = "", components = ""] = match;
  const pairs = given.split(" ").filter((pair) => pair !== "");
  const options: Record<string, string> = {};
  for (const pair of pairs) options[pair.slice(0, pair.indexOf("="))] = pair.slice(pair.indexOf("=") + 1);
  const architectures = options.arch ? options.arch.split(",") : [];
  delete options.arch;
  // A signed-by that points elsewhere is drift; ours is not part of the inputs.
  if (/^\/etc\/apt\/keyrings\/[^/]+\.gpg$/.test(options["signed-by"] ?? "")) delete options["signed-by"];
  return { uri, suite, components: components.trim().split(/\s+/), architectures, options };
}

async function put(ctx: Context, wanted: AptRepositoryInputs): Promise<AptRepositoryOutputs> {
  const result = await runScript(
    await ctx.session(),
    "apt-repository",
    {
      NAME: wanted.name,
      LINE: renderSource(wanted),
      SUITE: wanted.suite,
      FINGERPRINT: wanted.fingerprint,
      KEY_URL: wanted.keyUrl ?? "",
      LOCK_SECONDS: 300,
      UPDATE_SECONDS: 180,
    },
    { step: `add the apt source ${wanted.name}`, stdin: wanted.key, timeoutSeconds: 600 },
  );
  const found = parseKeyValues(result.stdout);
  const { suite = "", source = "", keyring = "" } = found;
  return { resolvedSuite: suite, source, keyringSha256: keyring };
}

async function read(
  ctx: Context,
  wanted: AptRepositoryInputs,
  outputs: AptRepositoryOutputs,
): Promise<{ inputs: AptRepositoryInputs; outputs: AptRepositoryOutputs } | undefined> {
  const session = await ctx.session();
  const step = `read the apt source ${wanted.name}`;
  const found = parseKeyValues(
    (await runScript(session, "apt-repository-read", { NAME: wanted.name }, { step })).stdout,
  );
  // Without its keyring apt refuses the source; creating it again restores both.
  if (found.list === undefined || found.keyring === undefined) return undefined;
  const source = parseSource(fromBase64(found.list));
  // The suite of a source that follows the host's codename is drift only where the host's codename is another.
  const suite = wanted.suite === "" && source.suite === found.codename ? "" : source.suite;
  return {
    inputs: { ...wanted, ...source, suite, fingerprint: fingerprintFound(wanted, outputs, found) },
    outputs: {
      resolvedSuite: source.suite,
      source: fromBase64(found.list).trim(),
      keyringSha256: found.keyring,
    },
  };
}

/** The pinned fingerprint where the keyring is as it was written, and else what a person should see instead of it. */
function fingerprintFound(
  wanted: AptRepositoryInputs,
  outputs: AptRepositoryOutputs,
  found: Record<string, string>,
): string {
  if (found.keyring === outputs.keyringSha256) return wanted.fingerprint;
  const fingerprints = found.fingerprints || "no key";
  return fingerprints === wanted.fingerprint
    ? `${fingerprints} (another keyring file, sha256 ${found.keyring})`
    : fingerprints;
}

/**
 * Refuses before anything is written unless the key's full fingerprint is the pinned one and it is alone in the file. A source that
 * does not answer or is signed by another key is taken back. Delete: the source, its keyring and apt's lists of it are removed.
 */
export const aptRepository: ResourceHandler<AptRepositoryInputs, AptRepositoryOutputs> = {
  type: "host:index:AptRepository",
  description:
    "An apt source that is signed by one pinned key. The host needs curl, gnupg and ca-certificates. Only this source is updated; if it does not answer, or its signature is wrong, it is taken back and the previous files return. Drift: either file. Delete: removes both files and the lists of the source.",
  schema: inputs,
  outputs,
  replaceOn: ["name"],
  async create(ctx, wanted) {
    return { id: wanted.name, outputs: await put(ctx, wanted) };
  },
  async read(ctx, _id, wanted, outputs) {
    return read(ctx, wanted, outputs);
  },
  async update(ctx, _id, _olds, news) {
    return put(ctx, news);
  },
  async delete(ctx, _id, { name }) {
    await runScript(
      await ctx.session(),
      "apt-repository-remove",
      { NAME: name },
      { step: `remove the apt source ${name}` },
    );
  },
};
