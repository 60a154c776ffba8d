/** Packages of the distribution, unpacked and not installed: nothing of them is to run on this machine by itself. */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** A new folder with their files. */
export function unpackedPackages(...names: string[]): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-packages-"));
  const download = () =>
    spawnSync("apt-get", ["-o", "APT::Sandbox::User=", "download", ...names], {
      cwd: folder,
      encoding: "utf8",
      timeout: 120_000,
    });
  if (download().status !== 0) {
    execFileSync("apt-get", ["update", "-q"], { timeout: 300_000, stdio: "ignore" });
    const { status, stderr } = download();
    if (status !== 0) throw new Error(stderr);
  }
  for (const file of fs.readdirSync(folder).filter((name) => name.endsWith(".deb")))
    execFileSync("dpkg", ["-x", path.join(folder, file), folder]);
  return folder;
}
