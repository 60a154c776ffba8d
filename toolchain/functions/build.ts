/** `npm run functions -- build`: images of functions on this machine's engine, and into the environment's registry. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileOf, readEnvironment } from "../../components/environment/files";
import { type FunctionOfFile, readFunctions } from "../../components/functions/files";
import { BASES, packFunction } from "../../components/images/context";
import {
  familiarName,
  parseImage,
  readLock,
  resolve,
  withRegistry,
  writeLock,
} from "../../components/images/lock";

export interface BuildOptions {
  root: string;
  /** Functions to build. Empty: all that have a handler. */
  names: string[];
  push: boolean;
  say(line: string): void;
}

/** @throws an Error with one clear message */
export async function buildImages(name: string, { root, names, push, say }: BuildOptions): Promise<void> {
  // Contexts are written and named relative to the project.
  process.chdir(root);
  const { environment, problems, layers } = readEnvironment(name, root);
  if (!environment) throw new Error(`${fileOf(name)}:\n${problems.map((line) => `  ${line}`).join("\n")}`);
  const secrets = layers[0]?.secretNames.functionSecrets ?? [];
  const read = readFunctions(environment.functions, { secrets, builds: true });
  if (read.problems.length > 0) throw new Error(read.problems.join("\n"));
  const { registry, lock } = environment.images;
  const locked: Record<string, string> = { ...readLock(lock) };
  for (const one of chosen(read.functions, names)) {
    const part = BASES[one.build!.lang];
    const base = part && resolve(withRegistry(environment.images[part], registry), locked).reference;
    const bases = part && base ? { [`${part.toUpperCase()}_IMAGE`]: base } : {};
    const { folder, args } = packFunction(one.spec.name, one.build!, one.file, bases);
    const image = withRegistry(one.spec.image, registry);
    say(`${one.spec.name}: ${image}`);
    const given = Object.entries(args).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]);
    docker(["build", "--tag", image, ...given, folder]);
    if (!push) continue;
    docker(["push", image]);
    locked[familiarName(parseImage(image))] = digestOf(image);
    if (writeLock(lock, locked)) say(`wrote ${path.relative(root, path.resolve(lock))}`);
  }
}

function chosen(functions: FunctionOfFile[], names: string[]): FunctionOfFile[] {
  const built = functions.filter(({ build }) => build);
  const known = built.map(({ spec }) => spec.name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`Nothing to build for ${unknown.join(", ")}; there is ${known.join(", ") || "nothing"}.`);
  return built.filter(({ spec }) => names.length === 0 || names.includes(spec.name));
}

function docker(args: string[], capture = false): string {
  const stdout = capture ? "pipe" : "inherit";
  const result = spawnSync("docker", args, { stdio: ["ignore", stdout, "inherit"], encoding: "utf8" });
  if (result.error)
    throw new Error(
      `docker could not be started (${result.error.message}): it builds and pushes the images.`,
    );
  if (result.status !== 0) throw new Error(`docker ${args[0]} ended with ${result.status}.`);
  return result.stdout ?? "";
}

function digestOf(image: string): string {
  const { domain, path: repository } = parseImage(image);
  const digests = JSON.parse(
    docker(["image", "inspect", "--format", "{{json .RepoDigests}}", image], true),
  ) as string[];
  const found = digests
    .map(parseImage)
    .find((one) => one.domain === domain && one.path === repository)?.digest;
  if (!found) throw new Error(`The engine names no digest of ${image}.`);
  return found;
}
