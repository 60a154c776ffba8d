/**
 * This project's own images, built from the Dockerfiles that people use: on the machine's engine, from files made beforehand, so
 * that no other registry is asked. What the engine is left with afterwards is nothing.
 */
import { join } from "node:path";
import type Docker from "dockerode";
import { baseArgument, type BasePart } from "../../components/images/context";
import { orMissing } from "../docker";
import { LabError } from "../errors";
import { archiveOf, treeOf, type Tree } from "./oci";
import type { BuiltImage } from "./builtImage";
import { functionImages } from "./functions";
import { nodeManifest } from "./sources";
import type { Work } from "./work";

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

/** Builds the image and pushes it to the registry on `port`; gives its digest. `bases` are the lab's base images by digest. */
export async function buildAndPush(
  work: Work,
  docker: Docker,
  port: number,
  image: BuiltImage,
  bases: Bases,
): Promise<string> {
  // The port is this lab's registry's alone, so another lab's build on the same engine has another name.
  const local = `127.0.0.1:${port}/${image.name}`;
  const given = image.bases.map((part) => [baseArgument(part), bases[part]!] as const);
  const context = archiveOf(await image.context(work));
  try {
    const building = await docker.buildImage(context, {
      t: local,
      forcerm: true,
      buildargs: { ...image.args, ...Object.fromEntries(given) },
    });
    await work.doing(`docker build of ${image.name}`, () => follow(docker, building, `build ${image.name}`));
    const pushing = await docker.getImage(local).push({ authconfig: {} });
    const digest = await work.doing(`docker push of ${image.name}`, () =>
      follow(docker, pushing, `push ${image.name}`),
    );
    if (!digest) throw new LabError(`The engine pushed ${image.name} and named no digest.`);
    return digest;
  } finally {
    await orMissing(docker.getImage(local).remove({ force: true })).catch(() => undefined);
  }
}

/** References of the lab's base images that the machine's engine pulls. */
export type Bases = Partial<Record<BasePart, string>>;

/** Takes the base images off the machine's engine again, where building on them has left them. */
export async function removeBases(docker: Docker, bases: Bases): Promise<void> {
  for (const base of Object.values(bases))
    // Another clone may be building on it; then it stays until that one is done.
    await orMissing(docker.getImage(base).remove()).catch(() => undefined);
}

interface Event {
  error?: string;
  stream?: string;
  aux?: { Digest?: string };
}

/** Waits for the end of a build or a push; gives the digest where the engine names one. */
function follow(docker: Docker, stream: NodeJS.ReadableStream, what: string): Promise<string | undefined> {
  return new Promise((done, fail) => {
    docker.modem.followProgress(stream, (error: Error | null, events: Event[] = []) => {
      const reason = error?.message ?? events.find((event) => event.error)?.error;
      if (reason === undefined) return done(events.map((event) => event.aux?.Digest).find(Boolean));
      const last = events
        .map((event) => event.stream?.trim())
        .filter(Boolean)
        .slice(-5);
      fail(new LabError([`Could not ${what}: ${reason}`, ...last.map((line) => `    ${line}`)].join("\n")));
    });
  });
}
