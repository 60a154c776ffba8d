/** The content of a folder as one short value: an image is built anew when, and only when, this changes. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

/** What a build does not read. */
const LEFT_OUT = new Set(["node_modules", ".git", "dist", "testdata"]);

/** First 12 hexadecimal digits of a SHA-256 over the files' names, modes and contents, and `extra`. */
export function folderHash(folder: string, extra: unknown = null): string {
  const hash = createHash("sha256").update(JSON.stringify(extra));
  for (const file of files(folder, "")) {
    const full = path.join(folder, file);
    hash.update(`\0${file}\0${fs.statSync(full).mode & 0o111 ? "x" : "-"}\0`).update(fs.readFileSync(full));
  }
  return hash.digest("hex").slice(0, 12);
}

function files(root: string, below: string): string[] {
  return fs
    .readdirSync(path.join(root, below), { withFileTypes: true })
    .filter((entry) => !LEFT_OUT.has(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = path.posix.join(below, entry.name);
      return entry.isDirectory() ? files(root, name) : entry.isFile() ? [name] : [];
    });
}
