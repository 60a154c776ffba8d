/** The one way an image is made: on the machine's engine, which is left with nothing of it, and into the lab's registry. */
import type Docker from "dockerode";
import { baseArgument, type BasePart } from "../../components/functions/build";
import { orMissing } from "../docker";
import { LabError } from "../errors";
import { archiveOf, type Tree } from "./tree";
import type { Input, Work } from "./work";

/** An image that an engine builds from a Dockerfile. */
export interface BuiltImage {
  /** Name in the lab's registry, with its tag. */
  name: string;
  /** What the image is made of; another content is another image. */
  inputs: Input[];
  /** The lab's base images that it stands on, given as build arguments such as NODE_IMAGE. Default: none. */
  bases?: BasePart[];
  /** Other build arguments. Default: none. */
  args?: Record<string, string>;
  /** The files to build from, the Dockerfile among them. */
  context: (work: Work) => Promise<Tree>;
}

/** References of the lab's base images that the machine's engine pulls. */
export type Bases = Partial<Record<BasePart, string>>;

/** Builds the image on the engine, as `local`. */
export async function buildOn(
  work: Work,
  docker: Docker,
  image: BuiltImage,
  local: string,
  bases: Bases = {},
): Promise<void> {
  const given = (image.bases ?? []).map((part) => [baseArgument(part), bases[part]!] as const);
  const buildargs = { ...image.args, ...Object.fromEntries(given) };
  const context = archiveOf(await image.context(work));
  const building = await docker.buildImage(context, { t: local, forcerm: true, buildargs });
  await work.doing(`docker build of ${image.name}`, () => follow(docker, building, `build ${image.name}`));
}

/** Builds the image and pushes it to the registry on `port`; gives its digest. */
export async function buildAndPush(
  work: Work,
  docker: Docker,
  port: number,
  image: BuiltImage,
  bases?: Bases,
): Promise<string> {
  // The port is this lab's registry's alone, so another lab's build on the same engine has another name.
  const local = `127.0.0.1:${port}/${image.name}`;
  try {
    await buildOn(work, docker, image, local, bases);
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
