import { mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import { extract, type Headers } from "tar-stream";
import { composeImage, digestOf, treeOf, writeLayer, type Tree } from "../../../../lab/images/oci";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "oslo-faas-oci-"))));
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

test("a layer holds what the tree says, with the folders above it", async () => {
  writeFileSync(join(folder, "program"), "#!");
  const layer = await writeLayer(tree(), join(folder, "layer"));
  const entries = await entriesOf(gunzipSync(readFileSync(layer.file)));
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

test("its digests are those of its bytes", async () => {
  writeFileSync(join(folder, "program"), "#!");
  const layer = await writeLayer(tree(), join(folder, "layer"));
  const bytes = readFileSync(layer.file);
  expect([layer.digest, layer.size]).toEqual([digestOf(bytes), bytes.length]);
  expect(layer.diffId).toBe(digestOf(gunzipSync(bytes)));
});

test("the same content is the same layer, whenever it was written; another content is another", async () => {
  writeFileSync(join(folder, "program"), "#!");
  const first = await writeLayer(tree(), join(folder, "a"));
  utimesSync(join(folder, "program"), 1, 1);
  const reversed = Object.fromEntries(Object.entries(tree()).reverse());
  expect((await writeLayer(reversed, join(folder, "b"))).digest).toBe(first.digest);
  writeFileSync(join(folder, "program"), "#?");
  expect((await writeLayer(tree(), join(folder, "c"))).digest).not.toBe(first.digest);
});

test("a file that is not there fails the layer, and does not hang it", async () =>
  expect(writeLayer(tree(), join(folder, "layer"))).rejects.toThrow("ENOENT"));

test("an image's manifest names its configuration and layers by digest", async () => {
  writeFileSync(join(folder, "program"), "#!");
  const layer = await writeLayer(tree(), join(folder, "layer"));
  const image = composeImage([layer], { User: "65532", Cmd: ["/bin/program"] });
  const manifest = JSON.parse(image.manifest.bytes.toString()) as Record<string, unknown>;
  expect(manifest).toMatchObject({
    schemaVersion: 2,
    config: { digest: digestOf(image.config.bytes), size: image.config.bytes.length },
    layers: [{ digest: layer.digest, size: layer.size }],
  });
  expect(image.manifest.digest).toBe(digestOf(image.manifest.bytes));
  expect(JSON.parse(image.config.bytes.toString())).toMatchObject({
    os: "linux",
    config: { User: "65532", Cmd: ["/bin/program"] },
    rootfs: { diff_ids: [layer.diffId] },
  });
});

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
