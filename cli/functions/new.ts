/** `oslo-faas functions new`: creates a folder with a handler, and its entry in a function file. */
import fs from "node:fs";
import path from "node:path";
import { type Document, isMap, parseDocument } from "yaml";
import { parseStack } from "../../components/functions/stack";
import { DOCKERFILE, languages, type Template, templateOf } from "../../components/functions/templates";
import { environmentNames, readEnvironment } from "../../environment/files";
import { ACCESS, type Level } from "../../shared/access";
import { familiarName, parseImage } from "../../shared/image";
import { functionNameProblem } from "../../shared/names";

export interface NewOptions {
  /** The project's folder. */
  root: string;
  /** Relative to it. Default: "functions/stack.yml". */
  stack?: string;
  /** Who may call it from outside. Default: the entry leaves that to its environments. */
  access?: Level;
  say: (line: string) => void;
}

const EMPTY = "version: 1.0\nprovider:\n  name: openfaas\n\nfunctions: {}\n";

/** @throws an Error with one clear message; nothing is written then */
export function create(
  name: string,
  lang: string,
  { root, stack = "functions/stack.yml", access, say }: NewOptions,
): void {
  const wrong = functionNameProblem(name);
  if (wrong) throw new Error(`"${name}" ${wrong}`);
  const known = languages(root, stack).filter((one) => one !== DOCKERFILE);
  const template = templateOf(lang, stack, root);
  if (!template) throw new Error(`There is no template "${lang}". Templates: ${known.join(", ")}.`);
  const file = path.join(root, stack);
  const folder = path.join(path.dirname(file), name);
  if (fs.existsSync(folder)) throw new Error(`${path.relative(root, folder)} already exists.`);
  const document = parseDocument(fs.existsSync(file) ? fs.readFileSync(file, "utf8") : EMPTY);
  if (document.errors[0]) throw new Error(`${stack}: ${document.errors[0].message}`);
  if (document.hasIn(["functions", name])) throw new Error(`${stack} already has a function ${name}.`);
  addEntry(document, name, lang, access);
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: true });
  // Check the result before it is written. Variables are checked with the environment.
  parseStack(text, stack, new Proxy({}, { get: () => "x", has: () => true }));
  makeHandler(template, root, folder);
  fs.writeFileSync(file, text);
  say(`${path.relative(root, folder)}: the handler`);
  say(`${stack}: its entry, with the image ${String(document.getIn(["functions", name, "image"]))}`);
  if (template.openfaas?.welcome) say(template.openfaas.welcome.trimEnd());
  for (const line of nextSteps(name, root, stack)) say(line);
}

/** The sample of a template, or an empty folder where it has none. */
function makeHandler({ folder: template, handlerFolder }: Template, root: string, folder: string): void {
  const sample = path.join(root, template, handlerFolder);
  if (fs.existsSync(sample)) fs.cpSync(sample, folder, { recursive: true });
  else fs.mkdirSync(folder, { recursive: true });
}

/** Where the function goes, as the environments' files say. */
function nextSteps(name: string, root: string, stack: string): string[] {
  const names = fs.existsSync(path.join(root, "stacks")) ? environmentNames(root) : [];
  const naming = names.filter((one) =>
    readEnvironment(one, root).environment?.functions.some((entry) => entry.stack === stack && !entry.only),
  );
  if (naming.length === 0)
    return [
      `No environment names ${stack} yet: put it under oslo-faas:functions of stacks/Pulumi.NAME.yaml.`,
    ];
  const hosts = naming.filter((one) => one !== "local");
  return [
    ...(naming.includes("local")
      ? [
          `In the lab: \`npm run up\` builds and deploys it; then \`curl http://127.0.0.1:8088/function/${name}\`.`,
        ]
      : []),
    ...(hosts.length > 0
      ? [`On ${hosts.join(", ")}: the next \`pulumi up -s NAME\` builds and deploys it.`]
      : []),
  ];
}

function addEntry(document: Document, name: string, lang: string, access?: Level): void {
  const image = imageBeside(document, name);
  if (!isMap(document.get("functions"))) document.set("functions", document.createNode({}));
  const functions = document.get("functions");
  if (isMap(functions)) functions.flow = false;
  const entry = document.createNode({
    lang,
    handler: `./${name}`,
    image,
    ...(access ? { annotations: { [ACCESS]: access } } : {}),
    limits: { memory: "128Mi" },
    readonly_root_filesystem: true,
  });
  const first = isMap(functions) && functions.items.length === 0;
  const key = document.createNode(name);
  key.spaceBefore = !first;
  if (isMap(functions)) functions.items.push(document.createPair(key, entry));
}

/** An image name in the registry and path of the file's other functions. */
function imageBeside(document: Document, name: string): string {
  const functions = (document.toJS() as { functions?: Record<string, { image?: unknown }> }).functions ?? {};
  for (const { image } of Object.values(functions)) {
    if (typeof image !== "string" || image.includes("$")) continue;
    const known = parseImage(image);
    const parent = path.posix.dirname(known.path);
    if (parent !== "." && parent !== "library")
      return familiarName({ domain: known.domain, path: `${parent}/${name}`, tag: "dev" });
  }
  return `${name}:dev`;
}
