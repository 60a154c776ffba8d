/**
 * The files of an image before an engine has them: the same files give the same archive on every machine and at every run (sorted
 * entries, no times, no names of users).
 */
import { createReadStream, createWriteStream, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";

/** What lies at one path of an image. `from` is a file of this machine, `text` a content of its own. */
export type Entry =
  | { kind: "file"; mode: number; uid?: number; from: string }
  | { kind: "file"; mode: number; uid?: number; text: string }
  | { kind: "directory"; mode: number; uid?: number }
  | { kind: "link"; target: string };

/** From a path without a leading slash ("usr/bin/node") to what lies there. Folders above it are added. */
export type Tree = Record<string, Entry>;

const EPOCH = new Date(0);

/** The tree as a plain archive, such as an engine takes to build from. */
export function archiveOf(tree: Tree): Readable {
  const tar = pack();
  // A failure ends the stream with the error, which its reader sees.
  addEntries(tar, withFolders(tree)).catch(() => undefined);
  return tar;
}

/** The same in a file: what `ADD` unpacks, with its owners. */
export const writeArchive = (tree: Tree, file: string): Promise<void> =>
  pipeline(archiveOf(tree), createWriteStream(file));

async function addEntries(tar: ReturnType<typeof pack>, tree: Tree): Promise<void> {
  for (const path of Object.keys(tree).sort()) {
    try {
      await addEntry(tar, path, tree[path]!);
    } catch (error) {
      tar.destroy(error as Error);
      throw error;
    }
  }
  tar.finalize();
}

function addEntry(tar: ReturnType<typeof pack>, path: string, entry: Entry): Promise<void> {
  const uid = entry.kind === "link" ? 0 : (entry.uid ?? 0);
  const common = { name: path, mtime: EPOCH, uid, gid: uid };
  if (entry.kind === "link")
    return added((done) =>
      tar.entry({ ...common, type: "symlink", linkname: entry.target, mode: 0o777 }, done),
    );
  if (entry.kind === "directory")
    return added((done) => tar.entry({ ...common, type: "directory", mode: entry.mode }, done));
  if ("text" in entry)
    return added((done) => tar.entry({ ...common, type: "file", mode: entry.mode }, entry.text, done));
  const size = lstatSync(entry.from).size;
  return added((done) => {
    const sink = tar.entry({ ...common, type: "file", mode: entry.mode, size }, done);
    pipeline(createReadStream(entry.from), sink).catch(done);
  });
}

function added(add: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((done, fail) => add((error) => (error ? fail(error) : done())));
}

/** The tree with the folders that its paths lie in, which some engines would make with a mode of their own. */
function withFolders(tree: Tree): Tree {
  const all: Tree = { ...tree };
  for (const path of Object.keys(tree)) {
    const parts = path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      all[parts.slice(0, depth).join("/")] ??= { kind: "directory", mode: 0o755 };
    }
  }
  return all;
}

/** The files under `folder`, at `prefix` of the image, as far as `keep` (which sees paths relative to `folder`) wants them. */
export function treeOf(folder: string, prefix: string, keep: (path: string) => boolean = () => true): Tree {
  const tree: Tree = {};
  const walk = (relative: string) => {
    for (const name of readdirSync(join(folder, relative)).sort()) {
      const path = relative ? `${relative}/${name}` : name;
      const full = join(folder, path);
      const stat = lstatSync(full);
      if (stat.isDirectory()) walk(path);
      else if (!keep(path)) continue;
      else if (stat.isSymbolicLink()) tree[join(prefix, path)] = { kind: "link", target: readlinkSync(full) };
      else if (stat.isFile())
        tree[join(prefix, path)] = { kind: "file", mode: stat.mode & 0o111 ? 0o755 : 0o644, from: full };
    }
  };
  walk("");
  return tree;
}
