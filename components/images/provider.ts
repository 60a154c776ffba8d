/** The build context of the Swarm provider's image: its bundle and its Dockerfile, made once per change of its sources. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { folderHash } from "./hash";

const SOURCES = path.join("services", "swarm-provider");

export interface ProviderContext {
  /** Relative to the project, so that no machine's path gets into the state. */
  folder: string;
  hash: string;
}

export function packProvider(): ProviderContext {
  const hash = folderHash(SOURCES, fs.readFileSync("package-lock.json", "utf8"));
  const folder = path.join(".cache", "images", `swarm-provider-${hash}`);
  if (!fs.existsSync(folder)) pack(folder);
  return { folder, hash };
}

/** Whole or not at all: a run that is killed here leaves no half context under the final name. */
function pack(folder: string): void {
  const part = `${folder}.${process.pid}`;
  fs.mkdirSync(path.join(part, "dist"), { recursive: true });
  execFileSync(process.execPath, [path.join(SOURCES, "build.mjs"), path.join(part, "dist")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  fs.copyFileSync(path.join(SOURCES, "Dockerfile"), path.join(part, "Dockerfile"));
  try {
    fs.renameSync(part, folder);
  } catch {
    fs.rmSync(part, { recursive: true });
  }
}
