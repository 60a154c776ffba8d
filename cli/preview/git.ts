/** The two sides of a change: a commit, and the work tree as it is now. */
import fs from "node:fs";
import path from "node:path";
import { runSync, runSyncRaw } from "../../programs/run";
import { UsageError } from "../errors";

const LIMIT_MS = 60_000;
const INSTALL_MS = 10 * 60_000;

const git = (root: string, ...args: string[]): string =>
  runSync("git", args, { cwd: root, limitMs: LIMIT_MS });

/**
 * The commit at which the work tree branched off `ref`, so that later commits of `ref` do not show as changes.
 * @throws UsageError if there is no such commit
 */
export function baseCommit(root: string, ref: string): string {
  for (const name of [ref, `origin/${ref}`]) {
    try {
      const commit = git(
        root,
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        `${name}^{commit}`,
      ).trim();
      return git(root, "merge-base", commit, "HEAD").trim();
    } catch {
      continue;
    }
  }
  throw new UsageError(
    `--base ${ref}: no such commit, or no common ancestor (in a shallow clone: git fetch --unshallow origin)`,
  );
}

/** Short name of a commit, for people. */
export const shortName = (root: string, commit: string): string =>
  git(root, "rev-parse", "--short", commit).trim();

/** Whether the work tree has uncommitted changes. */
export const isEdited = (root: string): boolean => git(root, "status", "--porcelain").trim() !== "";

/** Every file that differs between the commit and the work tree: committed, staged, edited, new. */
export function changedFiles(root: string, commit: string): string[] {
  const names = (text: string) => text.split("\0").filter(Boolean);
  const tracked = names(git(root, "diff", "--name-only", "--no-renames", "--relative", "-z", commit));
  const untracked = names(git(root, "ls-files", "--others", "--exclude-standard", "-z"));
  return [...new Set([...tracked, ...untracked])].sort();
}

/** The commit's files in a folder of their own, ready to run. `git archive`, so that no worktree is left in the repository. */
export function extract(root: string, commit: string, folder: string): void {
  fs.mkdirSync(folder, { recursive: true });
  const input = runSyncRaw("git", ["archive", "--format=tar", commit], { cwd: root, limitMs: LIMIT_MS });
  runSync("tar", ["-x", "-f", "-", "-C", folder], { input, limitMs: LIMIT_MS });
  shareModules(root, folder);
}

/** The work tree's node_modules where both sides have the same lock file; its own otherwise. */
function shareModules(root: string, folder: string): void {
  const lock = (dir: string) => fs.readFileSync(path.join(dir, "package-lock.json"), "utf8");
  if (!fs.existsSync(path.join(folder, "package-lock.json"))) return;
  if (fs.existsSync(path.join(root, "package-lock.json")) && lock(folder) === lock(root)) {
    fs.symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
    return;
  }
  runSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: folder, limitMs: INSTALL_MS });
}
