/**
 * The functions of the stack `local`: laid out as the program lays out a handler, and built from the Dockerfile of their template. What
 * needs another image or a network there (the Go compiler, packages of npm and PyPI) is made on this machine beforehand.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readFunctions } from "../../components/functions/files";
import type { FunctionOfFile } from "../../components/functions/functionOfFile";
import { baseParts, packFunction } from "../../components/functions/build";
import { isOwnTemplate } from "../../components/functions/templates";
import { readEnvironment } from "../../environment/files";
import type { Environment } from "../../environment/schema";
import { parseImage } from "../../shared/image";
import { LabError } from "../errors";
import { BASE_IMAGES } from "./bases";
import type { BuiltImage } from "./build";
import { certificates, npmInstall, pipInstall } from "./sources";
import { treeOf, type Tree } from "./tree";
import { contentKey, type Work } from "./work";

/** The tutorial's functions, which are deployed once the stack names them. */
const TUTORIAL = "functions/images.yml";

/** The image of each function that the stack `local` names. Contexts are laid out in the working directory, which is the clone. */
export function functionImages(root: string): BuiltImage[] {
  const { environment, problems: wrong, layers } = readEnvironment("local", root);
  if (!environment) throw new LabError(wrong.join("\n"), "Correct stacks/Pulumi.local.yaml.");
  const secrets = layers[0]?.secretNames.functionSecrets ?? [];
  const { functions, problems } = readFunctions(wanted(environment), { root, secrets, builds: true });
  if (problems.length > 0) throw new LabError(problems.join("\n"));
  return distinct(functions.map(imageOf));
}

function wanted({ functions }: Environment): Environment["functions"] {
  return functions.some(({ stack }) => stack === TUTORIAL) ? functions : [...functions, { stack: TUTORIAL }];
}

/** Functions may share an image, when it is the same. */
function distinct(images: BuiltImage[]): BuiltImage[] {
  const found = new Map<string, BuiltImage>();
  for (const image of images) {
    const twin = found.get(image.name);
    if (twin && contentKey(twin.inputs) !== contentKey(image.inputs))
      throw new LabError(
        `Two functions with different handlers have the same image ${image.name}.`,
        "Give each its own `image`.",
      );
    found.set(image.name, image);
  }
  return [...found.values()];
}

type Prepare = (work: Work, folder: string, name: string) => Promise<Tree>;

/** What this machine makes for the templates of this project. */
const PREPARED: Readonly<Record<string, Prepare>> = {
  go: goProgram,
  node: nodePackages,
  python: pythonPackages,
};

/** A Dockerfile whose last stage takes from out/, laid there beforehand, what the stages in between would make. */
export function withoutMaking(dockerfile: string): string {
  const [head = "", base = "", ...rest] = dockerfile.split(/^(?=FROM )/m);
  return head + base + rest.at(-1)!.replace(/^COPY --from=\w+ \/out\/ \/$/m, "COPY out/ /");
}

function imageOf({ spec, build, file }: FunctionOfFile): BuiltImage {
  const { path, tag, digest } = parseImage(spec.image);
  const name = `${path}:${tag ?? "latest"}`;
  if (!build) return pulled(name, spec.image, digest);
  const { folder, hash, args } = packFunction(spec.name, build, file, {});
  const prepare = isOwnTemplate(build, file) ? PREPARED[build.lang] : undefined;
  const bases = prepare === goProgram ? [] : baseParts(build, file);
  return {
    name,
    inputs: [hash, ...bases.map((part) => contentKey(BASE_IMAGES[part].inputs))],
    bases,
    args,
    context: async (work) => {
      const prepared = prepare ? await prepare(work, folder, spec.name) : {};
      if (Object.keys(prepared).some((path) => path.startsWith("out/"))) {
        const text = withoutMaking(readFileSync(join(folder, "Dockerfile"), "utf8"));
        prepared.Dockerfile = { kind: "file", mode: 0o644, text };
      }
      return { ...treeOf(folder, ""), ...prepared };
    },
  };
}

/** An image that is made elsewhere: this machine's engine fetches it, where its registry can be reached. */
function pulled(name: string, image: string, digest?: string): BuiltImage {
  const text = `FROM ${image}\n`;
  return {
    name,
    inputs: [digest ?? text],
    context: async () => ({ Dockerfile: { kind: "file", mode: 0o644, text } }),
  };
}

async function goProgram(work: Work, folder: string, name: string): Promise<Tree> {
  const out = work.folder(`go-${name}`);
  const flags = ["-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid="];
  await work.run("go", ["build", ...flags, "-o", join(out, "function"), "."], {
    step: `build the function ${name}`,
    cwd: folder,
    env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "", GOTOOLCHAIN: "local", GOWORK: "" },
    limitMs: 300_000,
    remedy: "The lab builds it with Go: Go 1.26 or later has to be on PATH.",
  });
  const trusted = { kind: "file", mode: 0o644, text: await certificates(work) } as const;
  return { ...treeOf(out, "out"), "out/etc/ssl/certs/ca-certificates.crt": trusted };
}

async function nodePackages(work: Work, folder: string, name: string): Promise<Tree> {
  const handler = join(folder, "function");
  const files = treeOf(handler, "");
  const { dependencies = {} } = files["package.json"]
    ? (JSON.parse(readFileSync(join(handler, "package.json"), "utf8")) as { dependencies?: object })
    : {};
  if (Object.keys(dependencies).length === 0) return {};
  return treeOf(await npmInstall(work, handler, name), "function/node_modules");
}

async function pythonPackages(work: Work, folder: string, name: string): Promise<Tree> {
  const app = "out/home/app";
  const server = await pipInstall(work, folder, "the Python server");
  const own = await pipInstall(work, join(folder, "function"), name);
  return {
    ...treeOf(folder, app, (path) => /^(index\.py$|function\/)/.test(path)),
    ...treeOf(server, `${app}/server`),
    ...treeOf(own, `${app}/packages`),
  };
}
