/** sharp is a dependency of the function alone, so its packages lie in the function's folder; installed when they are missing. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const RESIZE_IMAGE = resolve(__dirname, "../../../functions/resize-image");

export function ensurePackages(folder = RESIZE_IMAGE): void {
  const wanted = (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { dependencies: object })
    .dependencies;
  const current = Object.entries(wanted).every(([name, version]) => {
    const file = join(folder, "node_modules", name, "package.json");
    return (
      existsSync(file) && (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version === version
    );
  });
  if (current) return;
  execFileSync("npm", ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 120_000,
  });
}
