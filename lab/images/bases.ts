/** The base images of functions, each made of what this machine can have: npm's build of Node, Debian's packages, its own Go. */
import type { BasePart } from "../../components/functions/build";
import { certificates, debianTree, goRoot } from "./sources";
import type { BuiltImage } from "./build";
import { contextOf, NODE, NONROOT } from "./stack";
import { treeOf } from "./tree";

/** Raised when the way of assembling changes, since the key knows the inputs only. */
const RECIPE = "1";
/** What a RUN of a Dockerfile and a handler's subprocess find in the published images too. */
const SHELL = ["base-files", "dash", "coreutils"];

const PYTHON: BuiltImage = {
  name: "oslo-faas/python:debian",
  inputs: [RECIPE, "python3", ...SHELL],
  context: async (work) =>
    contextOf(work, "python", await debianTree(work, "python3", ...SHELL), { User: String(NONROOT) }),
};

/** For Dockerfiles of one's own: a function of the template `go` is compiled on this machine, without an image for that. */
const GO: BuiltImage = {
  name: "oslo-faas/golang:local",
  inputs: [RECIPE, "go", ...SHELL],
  context: async (work) => {
    const root = await goRoot(work);
    const compiler = treeOf(root, "usr/local/go", (path) => !/^(api|doc|misc|test)\/|_test\.go$/.test(path));
    const trusted = { kind: "file", mode: 0o644, text: await certificates(work) } as const;
    const tree = {
      ...(await debianTree(work, ...SHELL)),
      ...compiler,
      "usr/local/bin/go": { kind: "link", target: "../go/bin/go" } as const,
      "etc/ssl/certs/ca-certificates.crt": trusted,
    };
    return contextOf(work, "golang", tree, { WorkingDir: "/go", Env: ["GOTOOLCHAIN=local"] });
  },
};

/** Those of the stack are made in any case, the others when a function wants them. */
export const BASE_IMAGES: Readonly<Record<BasePart, BuiltImage>> = { node: NODE, python: PYTHON, go: GO };
