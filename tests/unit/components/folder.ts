/** Files of a test in the working directory. */
import * as fs from "node:fs";
import * as path from "node:path";

export function write(name: string, text: string): void {
  fs.mkdirSync(path.dirname(name), { recursive: true });
  fs.writeFileSync(name, text);
}

/** Every file at any depth, sorted. */
export const filesOf = (folder: string): string[] =>
  (fs.readdirSync(folder, { recursive: true }) as string[])
    .filter((file) => fs.statSync(path.join(folder, file)).isFile())
    .sort();
