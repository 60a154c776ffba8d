/** host:index:SystemdUnit: a unit in a wanted state, with files of its own if given. */
import * as z from "zod";
import { command } from "../../../../shared/quote";
import type { Context, ResourceHandler } from "../resource";
import { fromBase64, parseKeyValues, runScript } from "../scripts";
import type { Session } from "../session";

const FOLDER = "/etc/systemd/system";

const inputs = z.strictObject({
  unit: z
    .string()
    .regex(
      /^[A-Za-z0-9:_.@-]+\.(service|socket|timer|target|path|mount|slice)$/,
      "is no unit with its type, e.g. nginx.service",
    )
    .describe('Name of the unit, with its type. Example: "nginx.service".'),
  enabled: z
    .boolean()
    .default(true)
    .describe("The unit starts at boot. Units that cannot be switched (static, indirect) pass either way."),
  active: z
    .boolean()
    .default(true)
    .describe("The unit runs now. A oneshot unit without RemainAfterExit has run and ended well."),
  content: z
    .string()
    .min(1)
    .optional()
    .describe("Text of the unit, written to /etc/systemd/system. Default: the unit comes from a package."),
  dropIns: z
    .record(
      z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/, "is no file name, e.g. 10-limits"),
      z.string().min(1),
    )
    .default({})
    .describe(
      'Names and texts of drop-ins, written to /etc/systemd/system/UNIT.d/NAME.conf. Example: { limits: "[Service]\\nLimitNOFILE=65536\\n" }.',
    ),
  restartOn: z
    .array(z.string())
    .default([])
    .describe(
      "Any values; if one changes, a running unit is restarted or reloaded, as `reload` says. Example: [configFile.sha256].",
    ),
  reload: z
    .enum(["restart", "reload"])
    .meta({ id: "UnitReload", description: "How a running unit takes a change." })
    .default("restart")
    .describe(
      "What a change of `restartOn` does. Changes of `content` and `dropIns` always restart: no reload applies them.",
    ),
  timeoutSeconds: z
    .number()
    .int()
    .min(1)
    .max(3600)
    .default(60)
    .describe("Seconds that each step may take (start, stop, reload, becoming active), 1 to 3600."),
  probe: z
    .string()
    .min(1)
    .optional()
    .describe(
      'A shell command that ends with 0 while the effect of the unit is there. Otherwise the unit is read as not active, and the next update restarts it. For a oneshot unit that stays active. Default: no probe. Example: "nft list table inet mine".',
    ),
});
export type SystemdUnitInputs = z.infer<typeof inputs>;

const outputs = z.object({
  previous: z
    .object({
      enabled: z.string().describe("What systemctl said: enabled, disabled, static, masked."),
      active: z.boolean().describe("Whether the unit ran."),
      files: z
        .record(z.string(), z.string())
        .describe("Files that stood at the same paths, with their content."),
    })
    .meta({ id: "PreviousUnit", description: "State of a unit before a resource took it over." })
    .describe("State of the unit before this resource; a delete puts it back."),
});
export type SystemdUnitOutputs = z.infer<typeof outputs>;

export interface UnitState {
  /** False where systemd knows no such unit. */
  exists: boolean;
  /** False where what the unit brought about is gone, as `probe` says. */
  works: boolean;
  active: boolean;
  /** A oneshot that has run and ended well: active, and not to be brought back by another run. */
  done: boolean;
  /** systemctl's word: enabled, disabled, static, masked. */
  enabled: string;
  files: Record<string, string>;
}

/** A unit in one of these states has no [Install] of its own: "enabled" and "disabled" mean nothing for it. */
const NOT_SWITCHED = ["static", "indirect", "generated", "alias", "transient"];

const dropInPath = (unit: string, name: string): string =>
  `${FOLDER}/${unit}.d/${name.endsWith(".conf") ? name : `${name}.conf`}`;
const unitPath = (unit: string): string => `${FOLDER}/${unit}`;

/** The resource's files: path -> content. Pure. */
export function filesOf(
  wanted: Pick<SystemdUnitInputs, "unit" | "content" | "dropIns">,
): Record<string, string> {
  const files: Record<string, string> = {};
  if (wanted.content !== undefined) files[unitPath(wanted.unit)] = wanted.content;
  for (const [name, text] of Object.entries(wanted.dropIns)) files[dropInPath(wanted.unit, name)] = text;
  return files;
}

/** What systemd-read.sh printed, as values. Pure. */
export function parseUnit(output: string): UnitState {
  const values = parseKeyValues(output);
  const files: Record<string, string> = {};
  for (const line of output.split("\n")) {
    const [kind, path = "", content = ""] = line.split("\t");
    if (kind === "file") files[path] = fromBase64(content);
  }
  const ran =
    values.ExecMainExitTimestampMonotonic !== undefined && values.ExecMainExitTimestampMonotonic !== "0";
  const oneshotDone =
    values.Type === "oneshot" &&
    values.RemainAfterExit === "no" &&
    values.ActiveState === "inactive" &&
    values.Result === "success" &&
    ran;
  return {
    exists: values.LoadState !== "not-found",
    works: values.works !== "no",
    active: ["active", "reloading", "refreshing"].includes(values.ActiveState ?? "") || oneshotDone,
    done: oneshotDone,
    enabled: values.enabled || "disabled",
    files,
  };
}

async function readUnit(session: Session, unit: string, paths: string[], probe?: string): Promise<UnitState> {
  const stdin = paths.map((path) => `${path}\n`).join("");
  const result = await runScript(
    session,
    "systemd-read",
    { UNIT: unit, PROBE: probe ?? "" },
    { step: `read the unit ${unit}`, stdin },
  );
  return parseUnit(result.stdout);
}

type Change = "none" | "reload" | "restart";

interface Goal {
  enabled: "yes" | "no" | "keep";
  active: "yes" | "no" | "keep";
  change: Change;
  reloadDaemon: boolean;
}

async function bring(session: Session, unit: string, timeoutSeconds: number, goal: Goal): Promise<void> {
  await runScript(
    session,
    "systemd-apply",
    {
      UNIT: unit,
      RELOAD_DAEMON: goal.reloadDaemon,
      ENABLED: goal.enabled,
      ACTIVE: goal.active,
      CHANGE: goal.change,
      TIMEOUT: timeoutSeconds,
    },
    // The script bounds each of its steps by itself; this is the limit of all of them.
    { step: `bring ${unit} to its state`, timeoutSeconds: timeoutSeconds * 4 + 30 },
  );
}

const yesNo = (value: boolean): "yes" | "no" => (value ? "yes" : "no");

/** Writes `wanted` and removes what is among `current` alone. Only files that differ are touched. */
async function putFiles(
  session: Session,
  wanted: Record<string, string>,
  current: Record<string, string>,
): Promise<boolean> {
  let changed = false;
  for (const [path, content] of Object.entries(wanted)) {
    if (current[path] === content) continue;
    await session.writeFile(path, content, { mode: "0644", step: `write ${path}` });
    changed = true;
  }
  const surplus = Object.keys(current).filter((path) => !(path in wanted));
  if (surplus.length > 0) {
    // The folder of drop-ins is removed with its last file.
    const script = surplus.map((path) => command("rm", "-f", "--", path)).join(" && ");
    const folders = [
      ...new Set(
        surplus.map((path) => path.slice(0, path.lastIndexOf("/"))).filter((folder) => folder !== FOLDER),
      ),
    ];
    const tidy = folders.map((folder) => `{ ${command("rmdir", "--", folder)} 2>/dev/null || true; }`);
    await session.run([script, ...tidy].join(" && "), { step: "remove unit files" });
    changed = true;
  }
  return changed;
}

/** Files first, then the state; where the state cannot be reached, the files and the unit are put back as they were. */
async function apply(
  ctx: Context,
  wanted: SystemdUnitInputs,
  before: UnitState,
  change: Change,
): Promise<void> {
  const session = await ctx.session();
  const files = filesOf(wanted);
  try {
    const changed = await putFiles(session, files, before.files);
    await bring(session, wanted.unit, wanted.timeoutSeconds, {
      enabled: yesNo(wanted.enabled),
      active: yesNo(wanted.active),
      // Limits and commands of a unit take effect by a restart only, whatever `reload` says.
      change: changed ? "restart" : change,
      reloadDaemon: changed,
    });
  } catch (error) {
    await putStateBack(session, wanted, before).catch((failure: unknown) =>
      ctx.log(`${wanted.unit} could not be put back as it was: ${String(failure)}`, "warning"),
    );
    throw error;
  }
}

/** Back to `before`: its files, enabled or not, running or not. */
async function putStateBack(session: Session, wanted: SystemdUnitInputs, before: UnitState): Promise<void> {
  const { unit, timeoutSeconds } = wanted;
  const current = await readUnit(session, unit, [
    ...new Set([...Object.keys(filesOf(wanted)), ...Object.keys(before.files)]),
  ]);
  const unitGoes = unitPath(unit) in current.files && !(unitPath(unit) in before.files);
  if (unitGoes) {
    // Stopped and disabled while systemd still knows how: afterwards only a name without a file would be left.
    const stop = ["disable", "stop"].map(
      (verb) => `${command("timeout", timeoutSeconds, "systemctl", verb, "--", unit)} || true`,
    );
    await session.run(stop.join("; "), { step: `stop ${unit}`, timeoutSeconds: timeoutSeconds * 2 + 10 });
  }
  const changed = await putFiles(session, before.files, current.files);
  if (unitGoes) {
    const gone = `systemctl daemon-reload && { ${command("systemctl", "reset-failed", "--", unit)} 2>/dev/null || true; }`;
    await session.run(gone, { step: `forget ${unit}` });
    // A unit of the same name from a package may lie beneath ours; then its state is put back below.
    if (!(await readUnit(session, unit, [])).exists) return;
  } else if (!current.exists) {
    if (changed) await session.run("systemctl daemon-reload", { step: `forget drop-ins of ${unit}` });
    return;
  }
  if (before.enabled === "masked") return;
  await bring(session, unit, timeoutSeconds, {
    enabled: NOT_SWITCHED.includes(before.enabled) ? "keep" : yesNo(before.enabled.startsWith("enabled")),
    active: before.done ? "keep" : yesNo(before.active),
    change: changed ? "restart" : "none",
    reloadDaemon: changed,
  });
}

const sameList = (a: string[], b: string[]): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The inputs that would make the unit what it is. Pure. */
export function inputsFound(wanted: SystemdUnitInputs, state: UnitState): SystemdUnitInputs {
  const dropIns: Record<string, string> = {};
  for (const name of Object.keys(wanted.dropIns)) {
    const text = state.files[dropInPath(wanted.unit, name)];
    if (text !== undefined) dropIns[name] = text;
  }
  const enabled = NOT_SWITCHED.includes(state.enabled) ? wanted.enabled : state.enabled.startsWith("enabled");
  const content = wanted.content === undefined ? undefined : state.files[unitPath(wanted.unit)];
  const active = state.active && state.works;
  return { ...wanted, enabled, active, dropIns, ...(content === undefined ? {} : { content }) };
}

/**
 * Waits until the unit is in the wanted state, and shows its status and last journal lines where it does not get there; what was
 * there before the attempt is put back. Delete: a unit of ours is stopped, disabled and removed; another one is as it was before.
 */
export const systemdUnit: ResourceHandler<SystemdUnitInputs, SystemdUnitOutputs> = {
  type: "host:index:SystemdUnit",
  description:
    "A systemd unit in a wanted state. Waits until the unit is in that state and has stayed there for a second; if it does not get there, the error shows its status and last journal lines, and files and state are put back. A masked unit is refused. Drift: enabled, active, the texts of the files. Delete: a unit with `content` is stopped, disabled and removed; any other is put back as it was before.",
  schema: inputs,
  outputs,
  replaceOn: ["unit"],
  stables: ["previous"],
  async create(ctx, wanted) {
    const before = await readUnit(await ctx.session(), wanted.unit, Object.keys(filesOf(wanted)));
    await apply(ctx, wanted, before, "none");
    const { enabled, active, files } = before;
    return { id: wanted.unit, outputs: { previous: { enabled, active, files } } };
  },
  async read(ctx, _id, wanted, outputs) {
    const state = await readUnit(
      await ctx.session(),
      wanted.unit,
      Object.keys(filesOf(wanted)),
      wanted.probe,
    );
    const ownFileGone = wanted.content !== undefined && !(unitPath(wanted.unit) in state.files);
    if (!state.exists || ownFileGone) return undefined;
    return { inputs: inputsFound(wanted, state), outputs };
  },
  async update(ctx, _id, olds, news, outputs) {
    const paths = [...new Set([...Object.keys(filesOf(olds)), ...Object.keys(filesOf(news))])];
    const before = await readUnit(await ctx.session(), news.unit, paths, news.probe);
    const { previous } = outputs;
    // Files that stop being ours become again what they were before us.
    const dropped = Object.fromEntries(
      Object.entries(previous.files).filter(([path]) => !(path in filesOf(news))),
    );
    const session = await ctx.session();
    for (const [path, content] of Object.entries(dropped)) {
      await session.writeFile(path, content, { mode: "0644", step: `put ${path} back` });
      delete before.files[path];
    }
    const change = sameList(olds.restartOn, news.restartOn) ? "none" : news.reload;
    await apply(ctx, news, before, before.works ? change : "restart");
    return outputs;
  },
  async delete(ctx, _id, wanted, outputs) {
    const session = await ctx.session();
    const { enabled, active, files } = outputs.previous;
    await putStateBack(session, wanted, { exists: true, works: true, done: false, enabled, active, files });
  },
};
