/** host:index:Sysctl: kernel settings, in force at once and after a reboot. */
import * as z from "zod";
import type { Context, ResourceHandler } from "../resource";
import { command } from "../../../../shared/quote";
import { fromBase64, parseKeyValues, runScript } from "../scripts";
import type { Session } from "../session";

type Values = Record<string, string | number>;

const key = z
  .string()
  .regex(/^[A-Za-z0-9_-]+([./][A-Za-z0-9_:@-]+)+$/, "is no kernel setting, e.g. net.core.somaxconn");
const value = z.union([
  z.number().int(),
  z.string().regex(/^[^\n\r]*\S[^\n\r]*$/, "has to be one line, not empty"),
]);

const inputs = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*$/, "a name has lower-case letters, digits and - only, e.g. network")
      .describe('Names the file /etc/sysctl.d/60-oslo-faas-NAME.conf. Example: "network".'),
    values: z
      .record(key, value)
      .refine((values) => Object.keys(values).length > 0, "names no setting")
      .describe(
        'Settings and their values. Example: { "net.core.somaxconn": 4096, "net.ipv4.ip_local_port_range": "1024 65535" }.',
      ),
    optional: z
      .array(z.string())
      .default([])
      .describe(
        "Settings that a host may lack (a container, an old kernel): they are skipped there, and listed in `skipped`.",
      ),
  })
  .superRefine((all, issues) => {
    all.optional.forEach((name, index) => {
      if (!(name in all.values))
        issues.addIssue({
          code: "custom",
          path: ["optional", index],
          message: `${name} is not among values`,
        });
    });
  });
export type SysctlInputs = z.infer<typeof inputs>;

const texts = z.record(z.string(), z.string());
const outputs = z.object({
  skipped: texts.describe("Optional settings that this host does not take, and why."),
  previous: texts.describe("Value of each setting before this resource; a delete puts it back."),
  effective: texts.describe(
    "Values that the kernel changed, for example by rounding: what they read back as.",
  ),
});
export type SysctlOutputs = z.infer<typeof outputs>;

export const fileOf = (name: string): string => `/etc/sysctl.d/60-oslo-faas-${name}.conf`;

/** Blanks in a setting of several numbers are tabs in /proc/sys and spaces in programs: they mean the same. */
export const normalize = (text: string | number): string => String(text).trim().replace(/\s+/g, " ");

/** "net.ipv4.ip_forward" -> "net/ipv4/ip_forward". sysctl's own rule: the first separator says which one separates. */
export function procPath(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  if (first === "/") return name;
  return name.replace(/[./]/g, (separator) => (separator === "." ? "/" : "."));
}

/** The file that systemd-sysctl reads at boot. Skipped settings are left out: they would be an error at each boot. Pure. */
export function renderFile(values: Values, skipped: Record<string, string>): string {
  const lines = Object.entries(values)
    .filter(([name]) => !(name in skipped))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name} = ${normalize(value)}`);
  return ["# Managed by oslo-faas; changes are put back by the next run.", ...lines, ""].join("\n");
}

/** The settings in such a file. */
export function parseFile(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const [, name, text = ""] = /^\s*-?([^#;=\s][^=\s]*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name) found[name] = normalize(text);
  }
  return found;
}

interface Applied {
  skipped: Record<string, string>;
  previous: Record<string, string>;
  effective: Record<string, string>;
}

async function apply(session: Session, step: string, values: Values, optional: string[]): Promise<Applied> {
  const lines = Object.entries(values).map(([name, wanted]) =>
    [name, procPath(name), optional.includes(name) ? "may" : "must", normalize(wanted)].join("\t"),
  );
  const { stdout } = await runScript(
    session,
    "sysctl-apply",
    {},
    { step, stdin: lines.map((line) => `${line}\n`).join("") },
  );
  const applied: Applied = { skipped: {}, previous: {}, effective: {} };
  for (const line of stdout.split("\n")) {
    const [kind, name = "", first = "", second = ""] = line.split("\t");
    if (kind === "skipped") applied.skipped[name] = first;
    if (kind !== "set") continue;
    applied.previous[name] = first;
    if (second !== normalize(values[name] ?? "")) applied.effective[name] = second;
  }
  return applied;
}

async function put(
  ctx: Context,
  wanted: SysctlInputs,
  known: Record<string, string>,
): Promise<SysctlOutputs> {
  const session = await ctx.session();
  const step = `set kernel settings ${wanted.name}`;
  const { skipped, previous, effective } = await apply(session, step, wanted.values, wanted.optional);
  for (const [name, why] of Object.entries(skipped)) ctx.log(`${name} ${why} on this host: skipped`);
  for (const [name, found] of Object.entries(effective))
    ctx.log(`the kernel made ${found} of ${name} = ${wanted.values[name]}`, "warning");
  try {
    await session.writeFile(fileOf(wanted.name), renderFile(wanted.values, skipped), { mode: "0644", step });
  } catch (error) {
    // Without the file the settings would be gone after a boot: half of it is not kept.
    await putBack(session, previous).catch(() => undefined);
    throw error;
  }
  // What was there before the first of our writes is what counts, not what we wrote ourselves last time.
  const kept = Object.fromEntries(Object.entries(known).filter(([name]) => name in wanted.values));
  return { skipped, effective, previous: { ...previous, ...kept } };
}

/** Writes values back as far as the host still takes them; a module that was unloaded took its settings along. */
async function putBack(session: Session, previous: Record<string, string>): Promise<void> {
  const values = Object.fromEntries(Object.entries(previous).filter(([, text]) => text !== ""));
  if (Object.keys(values).length === 0) return;
  await apply(session, "put kernel settings back", values, Object.keys(values));
}

/** What one setting is now: what the kernel says, or else what the file would make of it at the next boot. */
function foundValue(
  wanted: string | number,
  kernel: string | undefined,
  file: string | undefined,
  effective: string | undefined,
): string | number | undefined {
  const asWanted = (text: string | undefined): boolean => text === normalize(wanted);
  const inForce = asWanted(kernel) || (effective !== undefined && kernel === effective);
  const actual = inForce ? file : kernel;
  if (asWanted(actual)) return wanted;
  return typeof wanted === "number" && actual !== undefined && /^-?\d+$/.test(actual)
    ? Number(actual)
    : actual;
}

async function read(ctx: Context, wanted: SysctlInputs, outputs: SysctlOutputs): Promise<SysctlInputs> {
  const stdin = Object.keys(wanted.values)
    .map((name) => `${name}\t${procPath(name)}\n`)
    .join("");
  const { stdout } = await runScript(
    await ctx.session(),
    "sysctl-read",
    { FILE: fileOf(wanted.name) },
    { step: `read kernel settings ${wanted.name}`, stdin },
  );
  const kernel: Record<string, string | undefined> = Object.fromEntries(
    stdout.split("\n").flatMap((line) => {
      const [kind, name, text] = line.split("\t");
      return kind === "value" && name !== undefined ? [[name, text] as const] : [];
    }),
  );
  const file = parseFile(fromBase64(parseKeyValues(stdout.split("\n")[0] ?? "").file ?? ""));
  const values: Values = {};
  for (const [name, asked] of Object.entries(wanted.values)) {
    const found =
      name in (outputs.skipped ?? {})
        ? asked
        : foundValue(asked, kernel[name], file[name], outputs.effective?.[name]);
    if (found !== undefined) values[name] = found;
  }
  return { ...wanted, values };
}

/**
 * All settings or none: one that does not exist or cannot be written is an error that lists all such, unless it is `optional`.
 * Drift: the kernel's actual values, and the file. Delete: the file is removed and the values from before are written back.
 */
export const sysctl: ResourceHandler<SysctlInputs, SysctlOutputs> = {
  type: "host:index:Sysctl",
  description:
    "Kernel settings, in force at once and after a reboot. All or none: settings that do not exist or cannot be written are one error that lists them. Drift: the kernel's actual values, and the file. Delete: removes the file and puts the previous values back.",
  schema: inputs,
  outputs,
  replaceOn: ["name"],
  async create(ctx, wanted) {
    return { id: wanted.name, outputs: await put(ctx, wanted, {}) };
  },
  async read(ctx, _id, wanted, outputs) {
    return { inputs: await read(ctx, wanted, outputs), outputs };
  },
  async update(ctx, _id, _olds, news, outputs) {
    const updated = await put(ctx, news, outputs.previous ?? {});
    const dropped = Object.entries(outputs.previous ?? {}).filter(([name]) => !(name in news.values));
    await putBack(await ctx.session(), Object.fromEntries(dropped));
    return updated;
  },
  async delete(ctx, _id, { name }, outputs) {
    const session = await ctx.session();
    await session.run(command("rm", "-f", "--", fileOf(name)), { step: `remove kernel settings ${name}` });
    await putBack(session, outputs.previous ?? {});
  },
};
