/**
 * The sample functions: laid out as the program lays out a handler, and built from the Dockerfile of their template. What needs another
 * image or a network there (the Go compiler, npm's packages) is made on this machine beforehand.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readFunctions } from "../../components/functions/files";
import type { FunctionOfFile } from "../../components/functions/functionOfFile";
import { packFunction } from "../../components/images/context";
import { parseImage } from "../../shared/image";
import { LabError } from "../errors";
import { treeOf, type Tree } from "./oci";
import type { BuiltImage } from "./builtImage";
import { certificates, nodeManifest, npmInstall } from "./sources";
import type { Work } from "./work";

const ROOT = join(__dirname, "..", "..");
const STACKS = ["functions/stack.yml", "functions/images.yml"];

/** Each function of this repository's stack files. Contexts are laid out in the working directory, which is the clone. */
export function functionImages(): BuiltImage[] {
  const wanted = STACKS.map((stack) => ({ stack }));
  const { functions, problems } = readFunctions(wanted, { root: ROOT, secrets: [], builds: true });
  if (problems.length > 0) throw new LabError(problems.join("\n"));
  return functions.map(imageOf);
}

function imageOf({ spec, build, file }: FunctionOfFile): BuiltImage {
  const make = { go: goContext, node: nodeContext }[build?.lang ?? ""];
  if (!build || !make)
    throw new LabError(`${file}: the lab builds no "${build?.lang}", which ${spec.name} is.`);
  const { folder, hash } = packFunction(spec.name, build, file, {});
  const { path, tag } = parseImage(spec.image);
  const onNode = build.lang === "node";
  return {
    name: `${path}:${tag}`,
    inputs: [hash, ...(onNode ? [{ path: nodeManifest() }] : [])],
    target: onNode ? undefined : "prebuilt",
    onNode,
    context: async (work) => ({ ...treeOf(folder, ""), ...(await make(work, folder, spec.name)) }),
  };
}

async function goContext(work: Work, folder: string, name: string): Promise<Tree> {
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

async function nodeContext(work: Work, folder: string, name: string): Promise<Tree> {
  const handler = join(folder, "function");
  const files = treeOf(handler, "");
  const { dependencies = {} } = files["package.json"]
    ? (JSON.parse(readFileSync(join(handler, "package.json"), "utf8")) as { dependencies?: object })
    : {};
  if (Object.keys(dependencies).length === 0) return {};
  return treeOf(await npmInstall(work, handler, name), "function/node_modules");
}
