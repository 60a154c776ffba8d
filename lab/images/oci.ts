/**
 * Images written layer by layer, without an engine: nothing is left on the machine's engine but what runs there, and the same
 * files give the same digest on every machine and at every run (sorted entries, no times, no names of users).
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";

/** What lies at one path of an image. `from` is a file of this machine, `text` a content of its own. */
export type Entry =
  | { kind: "file"; mode: number; uid?: number; from: string }
  | { kind: "file"; mode: number; uid?: number; text: string }
  | { kind: "directory"; mode: number; uid?: number }
  | { kind: "link"; target: string };

/** From a path without a leading slash ("usr/bin/node") to what lies there. Folders above it are added. */
export type Tree = Record<string, Entry>;

/** What a container of the image runs, in the words of the OCI image configuration. */
export interface RunConfig {
  User?: string;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  WorkingDir?: string;
  ExposedPorts?: Record<string, object>;
  Labels?: Record<string, string>;
}

export interface Blob {
  mediaType: string;
  digest: string;
  size: number;
}

export interface Layer extends Blob {
  /** Digest of the layer before it was compressed. */
  diffId: string;
  /** The compressed layer. */
  file: string;
}

export interface Image {
  /** The configuration and the manifest, as their exact bytes: what their digests are of. */
  config: Blob & { bytes: Buffer };
  manifest: Blob & { bytes: Buffer };
  layers: Layer[];
}

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";
const EPOCH = new Date(0);

export function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Writes the tree as one compressed layer to `file`. */
export async function writeLayer(tree: Tree, file: string): Promise<Layer> {
  const plain = createHash("sha256");
  const packed = createHash("sha256");
  let size = 0;
  const tar = pack();
  const writing = pipeline(
    tar,
    passing((chunk) => plain.update(chunk)),
    // Level 1: it is read once, over a network of this machine, and two cores have better things to do.
    createGzip({ level: 1 }),
    passing((chunk) => {
      packed.update(chunk);
      size += chunk.length;
    }),
    createWriteStream(file),
  );
  await Promise.all([addEntries(tar, withFolders(tree)), writing]);
  return {
    mediaType: LAYER,
    digest: `sha256:${packed.digest("hex")}`,
    size,
    diffId: `sha256:${plain.digest("hex")}`,
    file,
  };
}

/** The tree as a plain archive, such as an engine takes to build from. */
export function archiveOf(tree: Tree): Readable {
  const tar = pack();
  // A failure ends the stream with the error, which its reader sees.
  addEntries(tar, withFolders(tree)).catch(() => undefined);
  return tar;
}

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

function passing(see: (chunk: Buffer) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      see(chunk);
      done(null, chunk);
    },
  });
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

/** The configuration and the manifest of an image of these layers. */
export function composeImage(layers: Layer[], run: RunConfig): Image {
  const configBytes = Buffer.from(
    JSON.stringify({
      created: EPOCH.toISOString(),
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: run,
      rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
      history: layers.map(() => ({ created: EPOCH.toISOString(), created_by: "oslo-faas lab" })),
    }),
  );
  const config = blob(CONFIG, configBytes);
  const manifestBytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: config.mediaType, digest: config.digest, size: config.size },
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    }),
  );
  return { config, manifest: blob(MANIFEST, manifestBytes), layers };
}

function blob(mediaType: string, bytes: Buffer): Blob & { bytes: Buffer } {
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
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
