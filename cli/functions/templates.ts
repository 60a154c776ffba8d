/**
 * `oslo-faas functions templates pull`: templates of OpenFaaS's form from the git repositories that a stack.yml names under
 * configuration.templates, at the commit that its lock file pins. Only this command fetches anything: an `up` builds what lies there.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as z from "zod";
import { readStack, type TemplateSource } from "../../components/functions/stack";
import { lastLines, run } from "../../programs/run";
import { writeAtomically } from "../../shared/atomicFile";

const LOCK = "template.lock.json";
const LIMIT_MS = 300_000;

const lockSchema = z.strictObject({
  version: z.literal(1),
  /** Commit by source, as the stack.yml writes it. */
  sources: z.record(z.string(), z.string().regex(/^[0-9a-f]{40,64}$/)),
});

export interface PullOptions {
  root: string;
  /** The stack.yml files whose templates are wanted, relative to the project. */
  stacks: string[];
  /** Moves each source to its newest commit. Default: the one in the lock file. */
  update: boolean;
  say: (line: string) => void;
}

/** @throws an Error with one clear message; what was fetched before it stays */
export async function pullTemplates({ root, stacks, update, say }: PullOptions): Promise<void> {
  const wanted = stacks.flatMap((stack) => sourcesOf(stack, root).map((source) => ({ ...source, stack })));
  if (wanted.length === 0)
    throw new Error(`${stacks.join(", ")}: there is no source under configuration.templates to fetch from.`);
  const lock = path.join(root, LOCK);
  const commits = readLock(lock);
  // The same repository for several templates is asked once.
  const moved = new Set<string>();
  for (const { name, source, stack } of wanted) {
    const pinned = update && !moved.has(source) ? undefined : commits[source];
    const commit = await fetchTemplate(
      name,
      source,
      pinned,
      path.join(root, path.dirname(stack), "template", name),
    );
    moved.add(source);
    commits[source] = commit;
    say(`${path.join(path.dirname(stack), "template", name)}: ${source} at ${commit.slice(0, 12)}`);
  }
  const sorted = Object.fromEntries(Object.entries(commits).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeAtomically(lock, `${JSON.stringify({ version: 1, sources: sorted }, null, 2)}\n`);
  say(
    `${LOCK} pins ${wanted.length === 1 ? "its commit" : "their commits"}; commit it together with template/.`,
  );
}

function sourcesOf(stack: string, root: string): TemplateSource[] {
  let text: string;
  try {
    text = fs.readFileSync(path.join(root, stack), "utf8");
  } catch {
    throw new Error(`There is no ${stack}.`);
  }
  // Variables are the environment's business; a source without its own cannot be meant.
  const { templates = [], isUnreadable, problems } = readStack(text, process.env);
  if (isUnreadable) throw new Error(`${stack}: ${problems[0]!.text}`);
  for (const { name, source } of templates) {
    if (!/^[\w][\w.@-]*$/.test(name)) throw new Error(`${stack}: "${name}" is not the name of a template.`);
    if (source.startsWith("-")) throw new Error(`${stack}: ${name}: "${source}" is not a git repository.`);
  }
  return templates;
}

function readLock(file: string): Record<string, string> {
  if (!fs.existsSync(file)) return {};
  try {
    return { ...lockSchema.parse(JSON.parse(fs.readFileSync(file, "utf8"))).sources };
  } catch (error) {
    throw new Error(`${path.basename(file)} cannot be read: restore it from git, or remove it.`, {
      cause: error,
    });
  }
}

/** "https://…#v1" → the repository and what is wanted of it, as faas-cli writes it. */
export function refOf(source: string): { repository: string; ref: string } {
  const [repository, ref = ""] = source.split("#", 2) as [string, string?];
  return { repository, ref: ref.replace(/^sha-(?=[0-9a-f]{7,64}$)/i, "") };
}

/** Puts the template into `into` whole or not at all. @returns the commit that it is of */
async function fetchTemplate(
  name: string,
  source: string,
  pinned: string | undefined,
  into: string,
): Promise<string> {
  const { repository, ref } = refOf(source);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-template-"));
  const git = (...args: string[]) => runGit(args, folder, source);
  try {
    await git("clone", "--quiet", "--no-checkout", "--", repository, "repository");
    const inside = (...args: string[]) => git("-C", "repository", ...args);
    const commit = pinned ?? (await commitOf(ref, inside, source));
    try {
      await inside("checkout", "--quiet", "--detach", commit);
    } catch (error) {
      const remedy = pinned ? `; \`--update\` moves ${LOCK} to its newest commit` : "";
      throw new Error(`${source}: there is no commit ${commit}${remedy}.`, { cause: error });
    }
    const plain = name.split("@")[0]!;
    const found = path.join(folder, "repository", "template", plain);
    if (!fs.existsSync(found))
      throw new Error(`${source} has no template/${plain} at ${commit.slice(0, 12)}.`);
    replace(found, into);
    return commit;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** A branch, a tag or a commit; the repository's own branch where nothing is named. */
async function commitOf(
  ref: string,
  git: (...args: string[]) => Promise<string>,
  source: string,
): Promise<string> {
  for (const candidate of ref
    ? [`refs/remotes/origin/${ref}`, `refs/tags/${ref}`, ref]
    : ["refs/remotes/origin/HEAD"])
    try {
      return (
        await git("rev-parse", "--verify", "--quiet", "--end-of-options", `${candidate}^{commit}`)
      ).trim();
    } catch {
      // The next one, or none of them.
    }
  throw new Error(`${source}: there is no branch, tag or commit "${ref || "HEAD"}".`);
}

function replace(from: string, to: string): void {
  const draft = `${to}.new`;
  fs.rmSync(draft, { recursive: true, force: true });
  fs.mkdirSync(path.dirname(to), { recursive: true });
  fs.cpSync(from, draft, { recursive: true, verbatimSymlinks: true });
  fs.rmSync(to, { recursive: true, force: true });
  fs.renameSync(draft, to);
}

async function runGit(args: string[], cwd: string, source: string): Promise<string> {
  const ended = await run("git", ["-c", "protocol.ext.allow=never", ...args], {
    cwd,
    limitMs: LIMIT_MS,
    // A repository that asks for a password is answered by git's own helpers, never by a prompt that nobody sees.
    env: { ...process.env, GIT_TERMINAL_PROMPT: "0" },
  });
  if (ended.missing) throw new Error("git is not on PATH: it fetches the templates.");
  if (ended.problem)
    throw new Error(`${source}: git ${args[0]} ${ended.problem}\n${lastLines(ended.stderr)}`);
  return ended.stdout;
}
