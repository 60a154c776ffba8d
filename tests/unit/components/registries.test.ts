/** Which registries an environment's images come from, out of its configuration, its functions and their Dockerfiles. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { environmentSchema } from "../../../environment/schema";
import { readFunctions } from "../../../components/functions/files";
import { loginProblems, parentImages, pulledImages } from "../../../components/images/registries";

const root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-registries-"));
afterAll(() => fs.rmSync(root, { recursive: true }));

const images = (more: object = {}) => environmentSchema.shape.images.parse(more);

beforeAll(() => {
  fs.cpSync("templates", path.join(root, "templates"), { recursive: true });
  for (const name of ["own", "js"]) fs.mkdirSync(path.join(root, name));
  fs.writeFileSync(path.join(root, "own/Dockerfile"), "ARG TAG=1\nFROM bases.example.no/base:${TAG}\n");
  fs.writeFileSync(
    path.join(root, "stack.yml"),
    `provider: { name: openfaas }
functions:
  own: { lang: dockerfile, handler: own, image: built.example.no/own:1 }
  js: { lang: node, handler: js, image: built.example.no/js:1 }
  made: { image: made.example.no:5000/made:1 }
`,
  );
});
const functions = () => readFunctions([{ stack: "stack.yml" }], { root, secrets: [] }).functions;

describe("the images of a Dockerfile", () => {
  test.each<[string, string, Record<string, string>, string[]]>([
    ["its base", "FROM node:22", {}, ["node:22"]],
    ["an argument's default", "ARG A=x.no/a:1\nFROM ${A}", {}, ["x.no/a:1"]],
    ["an argument that is given", "ARG A=x.no/a:1\nFROM $A", { A: "y.no/b:2" }, ["y.no/b:2"]],
    ["a default where it is used", "ARG T\nFROM a.no/b:${T:-7}", {}, ["a.no/b:7"]],
    ["no stage of its own", "FROM a:1 AS Build\nFROM build\nCOPY --from=build /x /x", {}, ["a:1"]],
    [
      "what is copied from",
      "FROM scratch\nCOPY --chown=1 --from=b.no/c:1 /x /x\nCOPY --from=0 /y /y",
      {},
      ["b.no/c:1"],
    ],
    ["with a platform", "  from --platform=linux/amd64 a:1 as x", {}, ["a:1"]],
    ["not what an argument of a stage says", "FROM a:1\nARG A=z.no/z:1\nFROM ${A}b:1", {}, ["a:1", "b:1"]],
    ["no invalid name", "FROM ${MISSING}\n# FROM x", {}, []],
  ])("are %s", (_what, text, args, found) => expect(parentImages(text, args)).toEqual(found));
});

test("those that are pulled are named as they are pulled", () => {
  const built = pulledImages(images(), functions());
  expect(built).toEqual(expect.arrayContaining(["node:22-bookworm-slim", "made.example.no:5000/made:1"]));
  expect(built.filter((image) => /built|swarm-provider|golang/.test(image))).toEqual([]);
  const pulled = pulledImages(images({ own: "registry", registry: "mirror.example.no/all" }), functions());
  expect(pulled.every((image) => image.startsWith("mirror.example.no/all/"))).toBe(true);
  expect(pulled).toContain("mirror.example.no/all/own:1");
});

describe("a login", () => {
  const said = (login: string, more: object = {}) =>
    loginProblems([login], { images: images(more) }, functions(), root).map(({ text }) => text);

  test.each(["docker.io", "ghcr.io", "made.example.no:5000", "bases.example.no"])(
    "for %s is needed",
    (registry) => expect(said(registry)).toEqual([]),
  );

  test.each([
    ["made.example.no", "did you mean"],
    ["hub.docker.com", "did you mean docker.io?"],
    ["index.docker.io", "did you mean docker.io?"],
    ["gchr.io", "did you mean ghcr.io?"],
    ["other.invalid", "; they come from bases.example.no, docker.io, ghcr.io, made.example.no:5000"],
    // Built on the host: nobody pulls it.
    ["built.example.no", "no image of this environment comes from there"],
  ])("for %s is not: %s", (registry, hint) =>
    expect(said(registry)).toEqual([expect.stringContaining(hint)]),
  );

  test("is for the registry that stands in for all others, where there is one", () => {
    const registry = { own: "registry", registry: "mirror.example.no/all" };
    expect(said("mirror.example.no", registry)).toEqual([]);
    expect(said("ghcr.io", registry)).toHaveLength(1);
  });
});
