/** Files and folders that are there whole or not at all, also after a loss of power or beside another run. */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

/** Beside the target: a rename works within one file system alone. */
const draftOf = (path: string) => `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;

/** @param mode of the file. Default: what the umask leaves of 0666 */
export function writeAtomically(file: string, content: string | Uint8Array, mode = 0o666): void {
  const draft = draftOf(file);
  try {
    writeFileSync(draft, content, { mode, flush: true });
    renameSync(draft, file);
    syncFolder(dirname(file));
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** Without this the name may be lost, though the content is on the disk. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the folder where it is missing, by what `fill` puts into a draft of it. Of two runs at once the first one's stays. */
export function makeFolder(folder: string, fill: (draft: string) => void): void {
  if (existsSync(folder)) return;
  const draft = draftOf(folder);
  try {
    mkdirSync(draft, { recursive: true });
    fill(draft);
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}
