import { execFileSync } from "node:child_process";
import { goModule } from "../../lab/images/sources";

/** Builds a Go program of the lab's images into a folder. @param part a folder of lab/images/go */
export const buildGoProgram = (part: string, folder: string): void => buildGoTools(goModule(part), folder);

/** @param module a folder with a go.mod that names programs as its tools */
export function buildGoTools(module: string, folder: string): void {
  const settings = { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly -buildvcs=false", GOWORK: "off" };
  execFileSync("go", ["install", "-trimpath", "-ldflags=-s -w", "tool"], {
    cwd: module,
    env: { ...process.env, GOBIN: folder, ...settings },
    timeout: 900_000,
  });
}
