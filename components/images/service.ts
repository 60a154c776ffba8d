/** The build context of an image of services/: its bundle and its Dockerfile, made once per change of its sources and of shared/. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { makeFolder } from "../../shared/atomicFile";
import { inPackage } from "../../shared/packageFolder";
import { folderHash } from "./hash";

const BUILD = path.join("services", "build.mjs");

export interface ServiceContext {
  /** Relative to the project, so that no machine's path gets into the state. */
  folder: string;
  hash: string;
}

/**
 * @param name a folder of services/ with a Dockerfile; in the npm package one of dist/services, built already
 * @param buildArgs part of the hash: another base image is another image
 */
export function packService(name: string, buildArgs: Record<string, string>): ServiceContext {
  const sources = path.join("services", name);
  const built = inPackage("dist", "services", name);
  const fromSources = fs.existsSync(sources);
  const hash = fromSources
    ? folderHash(sources, [
        ...[
          folderHash("shared"),
          fs.readFileSync(BUILD, "utf8"),
          fs.readFileSync("package-lock.json", "utf8"),
        ],
        buildArgs,
      ])
    : folderHash(path.join(built, "dist"), [
        fs.readFileSync(path.join(built, "Dockerfile"), "utf8"),
        buildArgs,
      ]);
  const folder = path.join(".cache", "images", `${name}-${hash}`);
  makeFolder(folder, (draft) =>
    fromSources ? build(name, draft) : fs.cpSync(built, draft, { recursive: true }),
  );
  return { folder, hash };
}

function build(name: string, folder: string): void {
  // Not programs/run.ts: each preview would load it, and only a change of the sources builds.
  execFileSync(process.execPath, [BUILD, name, path.join(folder, "dist")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  fs.copyFileSync(path.join("services", name, "Dockerfile"), path.join(folder, "Dockerfile"));
}
