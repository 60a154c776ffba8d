/** `oslo-faas functions build`: builds images of functions on this machine's engine, and pushes or loads them. */
import path from "node:path";
import { fileOf } from "../../environment/files";
import { readFunctions } from "../../components/functions/files";
import type { FunctionOfFile } from "../../components/functions/functionOfFile";
import { baseParts, basesOf, packFunction } from "../../components/functions/build";
import { contentName, loadedName } from "../../components/images/loaded";
import { readLock, writeLock } from "../../components/images/lock";
import { familiarName, parseImage, withRegistry } from "../../shared/image";
import { readComplete } from "../environment";
import { sessionOf } from "../status/target";
import { docker } from "./docker";
import { loadOnto } from "./load";

export interface BuildOptions {
  root: string;
  /** Functions to build. Empty: all with a handler. */
  names: string[];
  /** Push to the environment's registry. */
  push: boolean;
  /** Load onto the environment's host. Default: false. */
  load?: boolean;
  /** Another stack file. Default: stacks/Pulumi.NAME.yaml. */
  configFile?: string;
  say: (line: string) => void;
}

/** @throws an Error with one clear message */
export async function buildImages(name: string, options: BuildOptions): Promise<void> {
  const { root, names, push, load, say } = options;
  // Contexts are written and named relative to the project.
  process.chdir(root);
  const { environment, functions } = read(name, options);
  const { registry, lock } = environment.images;
  const locked: Record<string, string> = { ...readLock(lock) };
  const pin = (image: string, digest: string) => {
    locked[image] = digest;
    if (writeLock(lock, locked)) say(`wrote ${path.relative(root, path.resolve(lock))}`);
  };
  const session = load ? sessionOf(environment, root) : undefined;
  try {
    for (const one of chosen(functions, names)) {
      const bases = basesOf(baseParts(one.build!, one.file), environment.images, locked);
      const { folder, hash, args } = packFunction(one.spec.name, one.build!, one.file, bases);
      const image = withRegistry(one.spec.image, registry);
      say(`${one.spec.name}: ${image}`);
      const given = Object.entries(args).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]);
      docker(["build", "--tag", image, ...given, folder]);
      if (push) {
        docker(["push", image]);
        pin(familiarName(parseImage(image)), digestOf(image));
      }
      if (!session) continue;
      const id = docker(["image", "inspect", "--format", "{{.Id}}", image], true).trim();
      const there = loadedName(one.spec.name, id);
      docker(["tag", image, there]);
      const sent = await loadOnto(session, there);
      say(`${one.spec.name}: ${there} ${sent ? "was loaded onto" : "is already on"} ${session.name}`);
      pin(contentName(one.spec.name, hash), id);
    }
  } finally {
    await session?.close();
  }
}

function read(name: string, { root, load, configFile }: BuildOptions) {
  const { environment, layers } = readComplete(name, root, configFile);
  const file = configFile ?? fileOf(name);
  if (load && environment.images.functions !== "loaded")
    throw new Error(`${file}: loaded images would not be used: set images.functions to "loaded".`);
  const secrets = layers[0]?.secretNames.functionSecrets ?? [];
  const functions = readFunctions(environment.functions, { secrets, builds: true });
  if (functions.problems.length > 0) throw new Error(functions.problems.join("\n"));
  return { environment, functions: functions.functions };
}

function chosen(functions: FunctionOfFile[], names: string[]): FunctionOfFile[] {
  const built = functions.filter(({ build }) => build);
  const known = built.map(({ spec }) => spec.name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(
      `No function to build is called ${unknown.join(", ")}. Functions: ${known.join(", ") || "none"}.`,
    );
  return built.filter(({ spec }) => names.length === 0 || names.includes(spec.name));
}

function digestOf(image: string): string {
  const { domain, path: repository } = parseImage(image);
  const digests = JSON.parse(
    docker(["image", "inspect", "--format", "{{json .RepoDigests}}", image], true),
  ) as string[];
  const found = digests
    .map(parseImage)
    .find((one) => one.domain === domain && one.path === repository)?.digest;
  if (!found) throw new Error(`The engine reports no digest of ${image}.`);
  return found;
}
