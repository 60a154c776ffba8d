/** Where this package lies: a clone, or node_modules/oslo-faas of a team's project, whose own files lie in the working directory. */
import * as fs from "node:fs";
import * as path from "node:path";

/** A source's folder, .cache/bundles or dist: the package's own package.json is above each of them. */
function find(folder: string): string {
  const file = path.join(folder, "package.json");
  if (fs.existsSync(file) && /"name": "oslo-faas"/.test(fs.readFileSync(file, "utf8"))) return folder;
  const parent = path.dirname(folder);
  if (parent === folder) throw new Error(`${__dirname} is not in the package oslo-faas`);
  return find(parent);
}

let found: string | undefined;

/** A file or folder of the package, e.g. `inPackage("templates", "node")`. Absolute. */
export const inPackage = (...parts: string[]): string => path.join((found ??= find(__dirname)), ...parts);
