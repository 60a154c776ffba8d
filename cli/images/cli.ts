/** The command `npm run images`: turns the tags that environments name into digests, in the lock files that the program reads. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { parseEnvironment } from "../../environment/parse";
import { SECRET_KEYS, type Environment } from "../../environment/schema";
import { parseStack } from "../../components/functions/stack";
import { familiarName, parseImage, readLock, writeLock } from "../../components/images/lock";
import { DEFAULT_LOCK } from "../../environment/lockFile";
import { pulledImages } from "../../components/images/registries";
import { describe, LabError } from "../../lab/errors";
import { remoteDigest, type ClientOptions } from "./client";
import { inParallel } from "../../lab/images/work";

const ROOT = resolve(__dirname, "../..");
const PROJECT = "oslo-faas";

const USAGE = `npm run images -- lock -s ENVIRONMENT [-s …]        the images of environments, in the lock file that each of them names
npm run images -- lock [--file FILE] IMAGE…         the images named here (or on stdin, one a line, with -)
  --file FILE   lock file for the images named here; default: ${DEFAULT_LOCK}
  --insecure    speak plain HTTP to every registry`;

/**
 * What an environment runs by digest, as its lock file names it. Images that the host builds for itself have no digest before
 * they are built. Throws LabError for an environment that is not there, EnvironmentError for one that is wrong.
 */
export function imagesOf(name: string, root = ROOT): { lock: string; images: string[] } {
  const file = join(root, "stacks", `Pulumi.${name}.yaml`);
  if (!existsSync(file)) throw new LabError(`There is no environment "${name}": ${file} is missing.`);
  const config = ((parse(readFileSync(file, "utf8")) as { config?: object }).config ?? {}) as Record<
    string,
    unknown
  >;
  const own = Object.entries(config)
    .filter(([key]) => key.startsWith(`${PROJECT}:`))
    .map(([key, value]): [string, unknown] => [key.slice(PROJECT.length + 1), value])
    .filter(([key]) => !(key in SECRET_KEYS));
  let environment: Environment;
  try {
    environment = parseEnvironment(Object.fromEntries(own));
  } catch (error) {
    throw new LabError(`${file}: ${(error as Error).message}`);
  }
  const functions = environment.functions.flatMap(({ stack, only }) =>
    parseStack(readFileSync(resolve(root, stack), "utf8"), stack, process.env)
      .filter(({ spec }) => !only || only.includes(spec.name))
      .map((one) => ({ ...one, file: stack })),
  );
  const { images } = environment;
  return { lock: resolve(root, images.lock), images: pulledImages(images, functions, root) };
}

/**
 * Brings the images of one lock file up to what their registries have; other entries of the file stay. Prints each change.
 * The file is written once at the end, and not at all when an image could not be resolved: then a LabError says which ones.
 */
export async function lockImages(
  file: string,
  images: string[],
  print: (line: string) => void,
  options: ClientOptions = {},
): Promise<void> {
  const before = readLock(file);
  const after: Record<string, string> = { ...before };
  const failures: string[] = [];
  await inParallel(images, 4, async (reference) => {
    const image = parseImage(reference);
    if (image.digest) return; // Pinned where it is written.
    const name = familiarName(image);
    try {
      after[name] = await remoteDigest(reference, options);
    } catch (error) {
      failures.push(`  ${(error as Error).message}`);
    }
  });
  if (failures.length > 0) {
    const many = failures.length === 1 ? "one image" : `${failures.length} images`;
    throw new LabError(
      [`${file} was left as it is; ${many} could not be resolved:`, ...failures.sort()].join("\n"),
    );
  }
  for (const name of Object.keys(after).sort()) {
    if (before[name] !== after[name]) print(`${name}\n  ${before[name] ?? "(new)"}\n  → ${after[name]}`);
  }
  print(writeLock(file, after) ? `wrote ${file}` : `${file}: nothing changed`);
}

export async function main(args: string[], print: (line: string) => void): Promise<void> {
  const { values, positionals } = readArgs(args);
  if (values.help) return print(USAGE);
  const [command, ...names] = positionals;
  const options = { insecure: values.insecure ?? false };
  if (command !== "lock") throw new LabError(`Unknown command: ${command ?? "none"}.`, USAGE);
  const references = names.flatMap((name) => (name === "-" ? fromStdin() : [name]));
  for (const reference of references) check(reference);
  const stacks = values.stack ?? [];
  if (stacks.length === 0 && references.length === 0) throw new LabError("No images are named.", USAGE);
  const wanted = new Map<string, string[]>();
  const add = (file: string, images: string[]) =>
    wanted.set(file, [...new Set([...(wanted.get(file) ?? []), ...images])]);
  if (references.length > 0) add(resolve(values.file ?? join(ROOT, DEFAULT_LOCK)), references);
  for (const stack of stacks) {
    if (stack === "local")
      throw new LabError("The images of the stack local are the lab's; `npm run up` locks them.");
    const { lock, images } = imagesOf(stack);
    add(values.file ? resolve(values.file) : lock, images);
  }
  for (const [file, images] of wanted) await lockImages(file, images, print, options);
}

function readArgs(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        stack: { type: "string", short: "s", multiple: true },
        file: { type: "string" },
        insecure: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new LabError(`${(error as Error).message.split(". ")[0]}.`, USAGE);
  }
}

function check(reference: string): void {
  try {
    parseImage(reference);
  } catch (error) {
    throw new LabError((error as Error).message);
  }
}

function fromStdin(): string[] {
  return readFileSync(0, "utf8").split(/\s+/).filter(Boolean);
}

// Also imported, as what `./images` means beside the folder of that name.
export { ensureImages } from "../../lab/images/index";

if (require.main === module) {
  main(process.argv.slice(2), (line) => process.stdout.write(`${line}\n`)).catch((error: unknown) => {
    process.stderr.write(`${describe(error)}\n`);
    process.exitCode = 1;
  });
}
