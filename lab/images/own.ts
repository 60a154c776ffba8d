/**
 * This project's own images, built from the Dockerfiles that people use: on the machine's engine, from files made beforehand, so
 * that no other registry is asked. What the engine is left with afterwards is nothing.
 */
import { join } from "node:path";
import type { BuiltImage } from "./build";
import { functionImages } from "./functions";
import { nodeManifest } from "./sources";
import { treeOf, type Tree } from "./tree";

const ROOT = join(__dirname, "..", "..");
const SERVICES_DIR = join(ROOT, "services");
const BUILD = join(SERVICES_DIR, "build.mjs");
/** Bundled into both. */
const SHARED = join(ROOT, "shared");
/** For measuring and testing alone: no environment deploys it by itself. */
const LEDGER = join(ROOT, "bench", "ledger");

/** Names that are left out of an image, in any folder. */
const SKIP = /^(node_modules|dist|testdata|README\.md|\.gitignore|.*_test\.go)$/;

function service(name: string, title: string): BuiltImage {
  const folder = join(SERVICES_DIR, name);
  return {
    name: `oslo-faas/${name}:dev`,
    inputs: [
      { path: folder, skip: SKIP },
      { path: BUILD },
      { path: SHARED },
      { path: join(ROOT, "package-lock.json") },
      { path: nodeManifest() },
    ],
    bases: ["node"],
    context: async (work) => {
      const dist = work.folder(name);
      const options = { step: `bundle the ${title}`, cwd: ROOT, limitMs: 120_000 };
      await work.run(process.execPath, [BUILD, name, dist], options);
      return { ...file(folder, "Dockerfile"), ...treeOf(dist, "dist") };
    },
  };
}

const SERVICES: BuiltImage[] = [
  service("swarm-provider", "Swarm provider"),
  service("queue", "queue worker"),
  {
    name: "oslo-faas/ledger:dev",
    inputs: [{ path: LEDGER }, { path: nodeManifest() }],
    bases: ["node"],
    context: async () => treeOf(LEDGER, "", () => true),
  },
];

/** Read when they are asked for, since stack files can be wrong. */
export const ownImages = (): BuiltImage[] => [...SERVICES, ...functionImages(ROOT)];

function file(folder: string, name: string): Tree {
  return treeOf(folder, "", (path) => path === name);
}
