/** `oslo-faas env show NAME`: everything that holds for an environment as one file, and where each value comes from. */
import { Document, isCollection, isMap, isScalar, type Node } from "yaml";
import { type EnvironmentFiles, fileOf } from "../../environment/files";
import { SECRET_KEYS } from "../../environment/schema";
import { sourceOf } from "../../environment/sources";
import { NAMESPACE, type StackFile } from "../../environment/stackfile";

/** Stands between a line and its source until all lines are there to be aligned. No YAML text holds it unescaped. */
const MARK = "\u0001";
const COLUMN = 60;

/** The effective configuration as a stack file. Secrets are named and masked. */
export function show(files: EnvironmentFiles): string {
  const { environment, layers, name } = files;
  if (!environment) throw new Error(`${fileOf(name)} has errors: npx oslo-faas env validate ${name}`);
  const document = new Document({ config: prefixed(environment) }, { aliasDuplicateObjects: false });
  const config = document.get("config", true);
  if (isMap(config)) annotate(config, [], layers);
  const lines = document.toString({ lineWidth: 0, flowCollectionPadding: false }).split("\n");
  return [
    `# ${name}: ${layers.map((layer) => layer.file).join(" over ")} over the defaults`,
    ...lines.flatMap((line) => (line === "" ? [] : [aligned(line)])),
    ...secretLines(layers),
    "",
  ].join("\n");
}

const prefixed = (environment: object) =>
  Object.fromEntries(Object.entries(environment).map(([key, value]) => [`${NAMESPACE}:${key}`, value]));

/** Puts the source of each value behind it; mappings are no values, and lists are one as a whole, as they are replaced whole. */
function annotate(node: Node, path: string[], layers: StackFile[]): void {
  if (!isMap(node)) return;
  for (const pair of node.items) {
    const key = String(isScalar(pair.key) ? pair.key.value : pair.key);
    const inner = [...path, path.length === 0 ? key.slice(NAMESPACE.length + 1) : key];
    const value = pair.value as Node;
    if (isMap(value) && value.items.length > 0) {
      annotate(value, inner, layers);
      continue;
    }
    // On one line a source can stand behind a list, and one of short texts reads well so.
    if (isCollection(value)) value.flow = true;
    const source = sourceOf(inner, layers);
    value.comment = `${MARK}${source ? `${source.file}:${source.line}` : "default"}`;
  }
}

function aligned(line: string): string {
  const at = line.indexOf(`#${MARK}`);
  if (at < 0) return line;
  return `${line.slice(0, at).trimEnd().padEnd(COLUMN)}  # ${line.slice(at + 2)}`;
}

function secretLines(layers: StackFile[]): string[] {
  return Object.keys(SECRET_KEYS).map((key) => {
    const source = sourceOf([key], layers);
    const entry = `  ${NAMESPACE}:${key}:`;
    if (!source) return `${`  # ${NAMESPACE}:${key}:`.padEnd(COLUMN)}  # secret, not set`;
    const names = layers[0]?.secretNames[key]?.map((name) => `${name}: "[secret]"`);
    const value = names ? `{${names.join(", ")}}` : '"[secret]"';
    return `${`${entry} ${value}`.padEnd(COLUMN)}  # ${source.file}:${source.line}`;
  });
}
