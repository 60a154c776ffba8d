import { mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { extract, type Headers } from "tar-stream";
import { treeOf, type Tree, writeArchive } from "../../../../lab/images/tree";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "oslo-faas-tree-"))));
afterEach(() => rmSync(folder, { recursive: true }));

async function entriesOf(tar: Buffer): Promise<Record<string, Headers & { content: string }>> {
  const found: Record<string, Headers & { content: string }> = {};
  const reader = extract();
  reader.on("entry", (header, stream, next) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      found[header.name.replace(/\/$/, "")] = { ...header, content: Buffer.concat(chunks).toString() };
      next();
    });
  });
  await new Promise((done, fail) => Readable.from([tar]).pipe(reader).on("finish", done).on("error", fail));
  return found;
}

const tree = (): Tree => ({
  "etc/passwd": { kind: "file", mode: 0o644, text: "root:x:0:0\n" },
  "bin/program": { kind: "file", mode: 0o755, from: join(folder, "program") },
  "lib/x.so": { kind: "link", target: "x.so.1" },
  tmp: { kind: "directory", mode: 0o1777 },
  data: { kind: "directory", mode: 0o755, uid: 65534 },
});

async function written(what = tree(), name = "archive"): Promise<Buffer> {
  await writeArchive(what, join(folder, name));
  return readFileSync(join(folder, name));
}

test("an archive holds what the tree says, with the folders above it", async () => {
  writeFileSync(join(folder, "program"), "#!");
  const entries = await entriesOf(await written());
  expect(Object.keys(entries)).toEqual([
    "bin",
    "bin/program",
    "data",
    "etc",
    "etc/passwd",
    "lib",
    "lib/x.so",
    "tmp",
  ]);
  expect(entries["bin/program"]).toMatchObject({ mode: 0o755, uid: 0, content: "#!" });
  expect(entries["lib/x.so"]).toMatchObject({ type: "symlink", linkname: "x.so.1" });
  expect(entries.tmp).toMatchObject({ type: "directory", mode: 0o1777 });
  expect(entries.data).toMatchObject({ uid: 65534, gid: 65534 });
});

test("the same content is the same archive, whenever it was written; another content is another", async () => {
  writeFileSync(join(folder, "program"), "#!");
  const first = await written();
  utimesSync(join(folder, "program"), 1, 1);
  const reversed = Object.fromEntries(Object.entries(tree()).reverse());
  expect((await written(reversed)).equals(first)).toBe(true);
  writeFileSync(join(folder, "program"), "#?");
  expect((await written()).equals(first)).toBe(false);
});

test("a file that is not there fails the archive, and does not hang it", async () =>
  expect(written()).rejects.toThrow("ENOENT"));

test("a folder becomes a tree: links as links, programs as programs, and only what is wanted", () => {
  writeFileSync(join(folder, "program"), "#!", { mode: 0o700 });
  writeFileSync(join(folder, "text"), "t", { mode: 0o600 });
  symlinkSync("text", join(folder, "link"));
  writeFileSync(join(folder, "other"), "o");
  expect(treeOf(folder, "opt/x", (path) => path !== "other")).toEqual({
    "opt/x/link": { kind: "link", target: "text" },
    "opt/x/program": { kind: "file", mode: 0o755, from: join(folder, "program") },
    "opt/x/text": { kind: "file", mode: 0o644, from: join(folder, "text") },
  });
});
