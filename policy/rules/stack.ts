/** Which stack is judged, and what its files say of it. */
import fs from "node:fs";
import path from "node:path";
import { readBase } from "../../environment/layers";
import { readStackFile } from "../../environment/stackfile";
import { readLock } from "../../components/images/lock";
import { DEFAULT_LOCK } from "../../environment/lockFile";

/** The project that is judged. The engine starts a pack in the pack's own folder, which lies somewhere below it. */
const ROOT = projectAbove(__dirname);

function projectAbove(folder: string): string {
  if (fs.existsSync(path.join(folder, "Pulumi.yaml"))) return folder;
  if (folder === path.dirname(folder)) throw new Error(`there is no Pulumi.yaml above ${__dirname}`);
  return projectAbove(path.dirname(folder));
}

/** "urn:pulumi:STACK::…" → STACK. */
export const stackOf = (urn: string): string => urn.split("::")[0]!.slice("urn:pulumi:".length);

/** Whether anything is locked for a stack. @param root the project's folder */
export function hasLockedImages(stack: string, root = ROOT): boolean {
  const lock = lockOf(stack, root) ?? DEFAULT_LOCK;
  return Object.keys(readLock(path.resolve(root, lock))).length > 0;
}

/** The lock file that the stack's own file, or its base, names. */
function lockOf(stack: string, root: string): string | undefined {
  const { images } = valuesOf(stack, root) as { images?: { lock?: unknown } | null };
  return typeof images?.lock === "string" ? images.lock : undefined;
}

/** The stack's key `production`; undefined where nothing says it. @param root the project's folder */
export const saidOfProduction = (stack: string, root = ROOT): unknown => valuesOf(stack, root).production;

/** Of the stack's own file over its base. */
function valuesOf(stack: string, root: string): Record<string, unknown> {
  const file = `stacks/Pulumi.${stack}.yaml`;
  if (!fs.existsSync(path.join(root, file))) return {};
  const own = readStackFile(fs.readFileSync(path.join(root, file), "utf8"), file).values;
  return readBase(own.extends, root).merge(own);
}
