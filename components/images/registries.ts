/** The images that registries give to an environment, and whether its logins are for registries among theirs. Read without an engine. */
import * as fs from "node:fs";
import * as path from "node:path";
import type { Problem } from "../../environment/describe";
import { nearest } from "../../environment/nearest";
import type { Environment } from "../../environment/schema";
import type { StackFunction } from "../functions/stack";
import { baseParts, buildsFunctions } from "../functions/build";
import { parseImage, withRegistry } from "../../shared/image";
import { dockerfileOf } from "../functions/templates";

type Wanted = Pick<StackFunction, "spec" | "build"> & { file: string };

/** Every image that is named by the environment or its functions, as it is pulled: the stack's, those of functions, and the bases of those that are built. */
export function pulledImages(images: Environment["images"], functions: Wanted[], root = "."): string[] {
  const {
    registry,
    lock: _l,
    own,
    functions: _f,
    node,
    python,
    go,
    swarmProvider,
    queueWorker,
    ...stack
  } = images;
  const pulled = own === "registry";
  const bases = { node, python, go };
  const ofFunctions = functions.flatMap(({ spec, build, file }) =>
    !build || !buildsFunctions(images) ? spec.image : baseParts(build, file, root).map((part) => bases[part]),
  );
  const all = [...Object.values(stack), ...(pulled ? [swarmProvider, queueWorker] : [node]), ...ofFunctions];
  return [...new Set(all.map((image) => withRegistry(image, registry)))];
}

/** Images that the stages of a Dockerfile begin with or copy from, with its arguments filled in, without its own stages. */
export function parentImages(dockerfile: string, args: Record<string, string>): string[] {
  const values: Record<string, string> = {};
  const stages = new Set(["scratch"]);
  const found = new Set<string>();
  for (const line of dockerfile.split("\n")) {
    const [, name, standard = ""] = /^\s*ARG\s+(\w+)(?:=["']?([^\s"']*))?/i.exec(line) ?? [];
    // FROM knows those alone that stand before the first stage.
    if (name && stages.size === 1) values[name] = args[name] ?? standard;
    const [, from, stage = `stage ${stages.size}`] =
      /^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(line) ?? [];
    const source = from ?? /^\s*COPY\s+(?:--\S+\s+)*?--from=(\S+)/i.exec(line)?.[1];
    const image = source && filledIn(source, values);
    if (image && !stages.has(image.toLowerCase())) found.add(image);
    if (from) stages.add(stage.toLowerCase());
  }
  // A number is a stage.
  return [...found].filter((text) => !/^\d+$/.test(text) && registryOf(text) !== undefined);
}

const filledIn = (text: string, values: Record<string, string>): string =>
  text.replace(
    /\$\{?(\w+)(?::-([^}]*))?\}?/g,
    (_all, key: string, other?: string) => values[key] || (other ?? ""),
  );

function registryOf(image: string): string | undefined {
  try {
    return parseImage(image).domain;
  } catch {
    return undefined; // The pull will report it.
  }
}

/** Logins of registries that no image comes from: a slip, or what was left behind. */
export function loginProblems(
  logins: readonly string[],
  { images }: Pick<Environment, "images">,
  functions: Wanted[],
  root = ".",
): Problem[] {
  if (logins.length === 0) return [];
  const named = [...pulledImages(images, functions, root), ...ownBases(images, functions, root)];
  const known = [...new Set(named.map(registryOf))].filter((one) => one !== undefined).sort();
  return logins
    .filter((registry) => !known.includes(registry))
    .map((registry) => ({
      path: ["registryAuth", registry],
      text: `registryAuth.${registry}: no image of this environment comes from there${meant(registry, known)}`,
    }));
}

function meant(registry: string, known: string[]): string {
  const hub = /(^|\.)docker\.(io|com)$/.test(registry) && known.includes("docker.io");
  const guess = hub ? "docker.io" : nearest(registry, known);
  return guess ? `, did you mean ${guess}?` : `; they come from ${known.join(", ")}`;
}

/** What Dockerfiles of functions name by themselves. */
function ownBases(images: Environment["images"], functions: Wanted[], root: string): string[] {
  if (!buildsFunctions(images)) return [];
  return functions.flatMap(({ build, file }) => {
    if (!build) return [];
    const dockerfile = path.join(root, dockerfileOf(build, file, root));
    return fs.existsSync(dockerfile) ? parentImages(fs.readFileSync(dockerfile, "utf8"), build.args) : [];
  });
}
