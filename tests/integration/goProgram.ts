import { execFileSync } from "node:child_process";
import { goModule } from "../../lab/images/sources";

/** Builds a Go program of the lab's images into a folder. @param part a folder of lab/images/go */
export function buildGoProgram(part: string, folder: string): void {
  const settings = { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly -buildvcs=false", GOWORK: "off" };
  execFileSync("go", ["install", "-trimpath", "-ldflags=-s -w", "tool"], {
    cwd: goModule(part),
    env: { ...process.env, GOBIN: folder, ...settings },
    timeout: 900_000,
  });
}
