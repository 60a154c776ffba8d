/** One environment, as it is at the base and as it is now. */
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { fileOf, readEnvironment } from "../../environment/files";
import { type Engine, pulumi, workspaceOf } from "../../programs/pulumi";
import { lastLines } from "../../programs/run";
import { validate } from "../env/validate";
import { apart, type Change, changesOf } from "./changes";
import { type EngineResult, findDrift, preview, type PreviewOptions, type Violation } from "./engine";
import { ASSUMED } from "./paper/answers";
import { upOnPaper } from "./paper/base";
import { copyWithDummies, type Seal } from "./stackFile";

export interface EnvironmentPreview {
  name: string;
  /** What its file says of being production. */
  production?: unknown;
  /** Changed files that it is made of. */
  because: string[];
  /** What the work tree is compared with, in words. */
  comparedWith: string;
  /** Its file is no longer in the work tree. */
  removed?: boolean;
  changes: Change[];
  /** Changes that an `up` of the base would make: merged, but not applied. */
  pending: Change[];
  /** Undefined if no host was contacted. */
  drift?: Change[];
  /** Whether the plan reverts drift, which is then among the changes. */
  repairs?: boolean;
  violations: Violation[];
  errors: string[];
  warnings: string[];
  /** Placeholders for missing secrets and keys. */
  dummies: string[];
  notes: string[];
}

export interface Sides {
  /** Folder with the base's files. */
  base: string;
  head: string;
  /** Temporary folder of this run. */
  scratch: string;
}

export interface Settings {
  engine: Engine;
  /** Names of the stacks whose state can be read. */
  stacks: Set<string>;
  refresh: boolean;
  /** Folder for saved plans. */
  plans?: string;
  /** Whether plans are based on what the hosts have. */
  repair: boolean;
  /** What wires the policy pack; nothing where the work tree has no pack. */
  policy: Pick<PreviewOptions, "policyPacks" | "policyPackConfigs">;
}

type Target = { name: string; because: string[] };

/** Mistakes of the environment are in `errors`; it does not throw for them. */
export async function previewEnvironment(
  target: Target,
  sides: Sides,
  settings: Settings,
): Promise<EnvironmentPreview> {
  const result: EnvironmentPreview = {
    ...target,
    comparedWith: "",
    changes: [],
    pending: [],
    violations: [],
    errors: [],
    warnings: [],
    dummies: [],
    notes: [],
  };
  try {
    if (!exists(target.name, sides.head)) return { ...result, removed: true };
    result.production = readEnvironment(target.name, sides.head).written.production;
    const real = settings.stacks.has(target.name);
    // Names every mistake at once, before an engine starts.
    const verdicts = await validate([target.name], sides.head, settings.engine.env);
    result.errors.push(...verdicts.flatMap(({ problems }) => problems));
    if (result.errors.length > 0) return result;
    if (!settings.policy.policyPacks)
      result.notes.push("Policies were not checked: there is no policy pack.");
    await (real ? againstState : againstPaper)(result, sides, settings);
  } catch (error) {
    result.errors.push((error as Error).message);
  }
  return result;
}

/** Whether the preview ends with exit code 1. */
export const isWrong = ({ errors, violations }: EnvironmentPreview): boolean =>
  errors.length > 0 || violations.some(({ level }) => level === "mandatory");

/** Without the plan of an earlier preview in it. */
function planFile(folder: string, name: string): string {
  const file = path.resolve(folder, `${name}.json`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.rmSync(file, { force: true });
  return file;
}

const exists = (name: string, tree: string) => fs.existsSync(path.join(tree, fileOf(name)));

/** Against what is deployed, as the backend knows it. */
async function againstState(result: EnvironmentPreview, sides: Sides, settings: Settings): Promise<void> {
  const { name } = result;
  result.comparedWith = "the stack's state";
  // A copy, since the engine may write a salt into the one it is given.
  const head = { stack: name, configFile: copyOf(fileOf(name), sides, "head") };
  if (settings.refresh) {
    const looked = await findDrift(settings.engine, head, sides.head);
    result.drift = changesOf(looked.steps);
    result.errors.push(...looked.errors.map((error) => `looking for drift: ${error}`));
  }
  const plan = settings.plans && planFile(settings.plans, name);
  const save = plan ? { plan, refresh: settings.repair } : {};
  result.repairs = settings.repair;
  const now = await preview(settings.engine, { ...head, ...save, ...settings.policy }, sides.head);
  // A plan makes all changes, so the report shows all of them.
  const before =
    plan === undefined && exists(name, sides.base)
      ? await preview(settings.engine, { stack: name }, sides.base)
      : undefined;
  if (before && !before.ok)
    result.notes.push(
      `The base's own changes cannot be determined, so nothing is listed as pending:\n${before.errors.join("\n")}`,
    );
  take(result, now);
  // An environment with errors gets no plan.
  if (plan && isWrong(result)) fs.rmSync(plan, { force: true });
  if (!before) return;
  const told = apart(result.changes, changesOf(before.steps), haveSameSecrets(result, sides));
  Object.assign(result, { changes: told.changes, pending: told.pending });
  if (told.unsure.length > 0)
    result.notes.push(
      `The base would also change these, perhaps to another secret, so they are listed as part of this change:\n${told.unsure.map((one) => one.name).join("\n")}`,
    );
}

/** Whether only the environment's own file differs, and its encrypted values are unchanged. */
function haveSameSecrets({ name, because }: EnvironmentPreview, sides: Sides): boolean {
  const own = fileOf(name);
  const sealed = (tree: string) =>
    fs.readFileSync(path.join(tree, own), "utf8").match(/\b(secure|encryptionsalt|encryptedkey):.*/g) ?? [];
  return (
    because.every((file) => file === own) && sealed(sides.base).join("\n") === sealed(sides.head).join("\n")
  );
}

function copyOf(file: string, sides: Sides, side: "base" | "head"): string {
  const copy = path.join(sides.scratch, side, path.basename(file));
  fs.mkdirSync(path.dirname(copy), { recursive: true });
  fs.copyFileSync(path.join(sides[side], file), copy);
  fs.chmodSync(copy, 0o600);
  return copy;
}

/** Without a state: against the base, brought up on paper. */
async function againstPaper(result: EnvironmentPreview, sides: Sides, settings: Settings): Promise<void> {
  const { name } = result;
  result.comparedWith = exists(name, sides.base) ? "the base on paper" : "nothing (it is new)";
  if (exists(name, sides.base))
    result.notes.push(`No host was contacted; a host with ${ASSUMED} is assumed.`);
  for (const [flag, asked] of Object.entries({ "--refresh": settings.refresh, "--plans": settings.plans }))
    if (asked)
      result.errors.push(
        `${flag}: the state of ${name} cannot be read (PULUMI_BACKEND_URL, and its passphrase)`,
      );
  if (result.errors.length > 0) return;
  const work = path.join(sides.scratch, "paper", name);
  let stack = await emptyStack(name, work, sides, settings);
  if (exists(name, sides.base)) {
    try {
      await upOnPaper(stack.engine, sides.base, name, (await stack.file(sides.base)).path);
    } catch (error) {
      result.comparedWith = "nothing (the base fails)";
      result.notes.push(
        `The base could not be brought up on paper, so everything is shown as new:\n${(error as Error).message}`,
      );
      stack = await emptyStack(name, `${work}-empty`, sides, settings);
    }
  }
  const head = await stack.file(sides.head);
  result.dummies.push(...head.dummies);
  const options = { stack: name, configFile: head.path, ...settings.policy };
  take(result, await preview(stack.engine, options, sides.head));
}

interface PaperStack {
  engine: Engine;
  /** The stack file of a side, with placeholders. */
  file(tree: string): Promise<{ path: string; dummies: string[] }>;
}

/** Creates an empty stack in its own backend, with a generated passphrase. */
async function emptyStack(
  name: string,
  folder: string,
  sides: Sides,
  { engine }: Settings,
): Promise<PaperStack> {
  fs.mkdirSync(folder, { recursive: true });
  const passphrase = crypto.randomBytes(16).toString("hex");
  const { PULUMI_CONFIG_PASSPHRASE_FILE: _, ...rest } = engine.env;
  const env = { ...rest, PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: passphrase };
  const own = { ...engine, env };
  // `stack init` writes the salt into the stack file, so it gets a temporary project.
  const project = path.join(folder, "project");
  fs.mkdirSync(path.join(project, "stacks"), { recursive: true });
  fs.copyFileSync(path.join(sides.head, "Pulumi.yaml"), path.join(project, "Pulumi.yaml"));
  const workspace = await workspaceOf(own, { cwd: project });
  await workspace.createStack(name).catch((error: Error) => {
    throw new Error(`no stack can be made for the preview: ${error.message}`, { cause: error });
  });
  const salt = /^encryptionsalt: (\S+)/m.exec(fs.readFileSync(path.join(project, fileOf(name)), "utf8"))?.[1];
  if (!salt) throw new Error("the engine created a stack without a salt for its secrets");
  return {
    engine: own,
    async file(tree) {
      const copy = await copyWithDummies(name, tree, salt, sealWith(own, name, project, salt));
      const file = path.join(folder, `Pulumi.${name}.${tree === sides.base ? "base" : "head"}.yaml`);
      fs.writeFileSync(file, copy.text, { mode: 0o600 });
      return { path: file, dummies: copy.dummies };
    },
  };
}

/** Encrypted by the engine, with the passphrase of the preview's own stack. */
function sealWith(engine: Engine, name: string, project: string, salt: string): Seal {
  return async (texts) => {
    const file = path.join(project, "sealed.yaml");
    fs.writeFileSync(file, `encryptionsalt: ${salt}\n`, { mode: 0o600 });
    const secrets = texts.flatMap((text, at) => ["--secret", `sealed${at}=${text}`]);
    const set = ["config", "set-all", "--stack", name, "--config-file", file, ...secrets];
    const ended = await pulumi(engine, set, { cwd: project });
    if (ended.problem) throw new Error(`the engine encrypts no dummies: ${lastLines(ended.stderr)}`);
    const { config } = parse(fs.readFileSync(file, "utf8")) as { config: Record<string, { secure: string }> };
    return texts.map((_text, at) => config[`oslo-faas:sealed${at}`]!.secure);
  };
}

function take(result: EnvironmentPreview, found: EngineResult): void {
  result.changes = changesOf(found.steps);
  result.violations = found.violations;
  result.errors.push(...found.errors);
  result.warnings.push(...found.warnings);
}
