/**
 * Reads a stacks/*.yaml as the engine does, with the line of each value. Broken YAML and mistyped keys beside `config`, about which the
 * engine says little or nothing, are errors like any other here.
 */
import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type ScalarTag,
  visit,
} from "yaml";
import type { Problem } from "./describe";
import { clean, keyName, pathName, shortened } from "./legible";
import { nearest } from "./nearest";
import { environmentSchema, SECRET_MAPPINGS } from "./schema";
import { keysAt } from "./shape";
import {
  isSecretKey,
  isSecretMapping,
  isSecure,
  NESTED_SECRET,
  secretMapping,
  secretProblem,
  securePaths,
} from "./secrets";

export const NAMESPACE = "oslo-faas";
const TOP = ["config", "encryptionsalt", "encryptedkey", "secretsprovider", "environment"];
/** Keys that the engine reads in its own namespace. */
const ENGINE_KEYS = ["disable-default-providers", "tags", "autonaming", "template"];

/** A key of another namespace, also in the older form with `config` in the middle. */
export const OTHER_KEY = /^[^:]+:(config:)?[^:]+$/;

export interface StackFile {
  /** Path to show in messages. */
  file: string;
  /** The environment's top-level keys, without the namespace. */
  values: Record<string, unknown>;
  /** Secret keys that are set, each properly encrypted. */
  secrets: string[];
  /** Whether the file has its own salt or key for its secrets. */
  ownKey: boolean;
  /** Names inside of secret mappings, by key. */
  secretNames: Record<string, string[]>;
  /** Keys without the namespace, which the engine reads too. */
  bare: string[];
  problems: Problem[];
  /** Line of a path's key, from 1; undefined if this file does not have it. */
  line(path: readonly string[]): number | undefined;
}

/** Whole numbers that YAML 1.2 dropped and the engine's parser still reads: 010 (eight), 0b11, 1_000. */
export const OLD_NUMBERS: ScalarTag[] = [
  [/^[-+]?0[0-7]+$/, (text: string) => parseInt(text, 8)],
  [
    /^[-+]?0b[01]+$/,
    (text: string) => Number(text.replace(/^([-+]?)0b/, "$1")) && parseInt(text.replace("0b", ""), 2),
  ],
  [/^[-+]?[0-9]+(_[0-9]+)+$/, (text: string) => Number(text.replaceAll("_", ""))],
].map(([test, resolve]) => ({
  tag: "tag:yaml.org,2002:int",
  default: true,
  test: test as RegExp,
  resolve: resolve as (text: string) => number,
}));

/** A parser's message can quote very long text. */
const LONGEST = 400;
const DATE = /^\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?$/;

/** Never throws: what is wrong is in `problems`. */
export function readStackFile(text: string, file: string): StackFile {
  const lines = new Map<string, number>();
  const result: StackFile = {
    file,
    values: {},
    secrets: [],
    ownKey: false,
    secretNames: {},
    bare: [],
    problems: [],
    line: (path) => lines.get(path.join("\0")),
  };
  const whole = (message: string) =>
    void result.problems.push({ path: [], text: clean(shortened(message, LONGEST)) });
  try {
    readInto(result, text, lines, whole);
  } catch (error) {
    // A file can exhaust a parser, for example with aliases that multiply.
    whole(`cannot be read as YAML: ${(error as Error).message.split("\n")[0]}`);
  }
  return result;
}

function readInto(
  result: StackFile,
  text: string,
  lines: Map<string, number>,
  whole: (message: string) => void,
): void {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    merge: true,
    stringKeys: true,
    prettyErrors: false,
    customTags: (tags) => [...OLD_NUMBERS, ...tags],
  });
  for (const { message, pos } of [...document.errors, ...document.warnings])
    whole(`line ${lineCounter.linePos(pos[0]).line}: ${message}`);
  if (document.errors.length > 0 || document.contents === null) return;
  const lineOf = (node: Node) => lineCounter.linePos(node.range?.[0] ?? 0).line;
  if (!isMap(document.contents)) return void whole("must be a mapping with the key `config`");
  oddScalars(document.contents, lineOf, whole);
  const plain = plainValue(document.toJS({ maxAliasCount: 100 }));
  for (const key of Object.keys(plain)) if (!TOP.includes(key)) whole(unknownTop(key));
  result.ownKey = [plain.encryptionsalt, plain.encryptedkey].some((key) => key !== undefined && key !== "");
  const config = plain.config ?? {};
  if (typeof config !== "object" || Array.isArray(config)) return void whole("config: must be a mapping");
  const node = document.get("config", true);
  if (isMap(node)) recordLines(withMerged(node, document), [], lines, lineOf);
  for (const [key, value] of Object.entries(config)) readKey(result, key, value);
}

/** Values that the engine would refuse with a message about JSON, or read as something else. */
function oddScalars(root: Node, lineOf: (node: Node) => number, whole: (message: string) => void): void {
  visit(root, {
    Scalar(key, node) {
      if (typeof node.value === "number" && !Number.isFinite(node.value))
        whole(`line ${lineOf(node)}: ${node.source} is not a number that can be kept`);
      if (key !== "key" && node.type === "PLAIN" && DATE.test(node.source ?? ""))
        whole(`line ${lineOf(node)}: ${node.source} is a date in YAML; write it in quotes to mean the text`);
    },
  });
}

/** The value as the engine passes it to the program, as JSON. Throws for an alias that contains itself. */
function plainValue(value: unknown): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
}

function unknownTop(key: string): string {
  const inside = key.startsWith(`${NAMESPACE}:`) || key.startsWith("pulumi:");
  const shown = keyName(key);
  if (inside) return `${shown}: belongs under config:, two blanks further in`;
  const guess = nearest(key, TOP);
  return `${shown}: unknown${guess ? `, did you mean ${guess}?` : `; known here: ${TOP.join(", ")}`}`;
}

/** Expands `<<` at every depth; keys written beside it override it. */
function withMerged<T extends Node>(node: T, document: Document): T {
  if (isSeq(node)) node.items = node.items.map((item) => withMerged(item as Node, document));
  if (!isMap(node)) return node;
  const own = node.items.filter(({ key }) => !isMergeKey(key));
  const merged = node.items
    .filter(({ key }) => isMergeKey(key))
    .flatMap(({ value }) => (isSeq(value) ? [...value.items].reverse() : [value]))
    .map((value) => (isAlias(value) ? value.resolve(document) : value))
    .flatMap((value) => (isMap(value) ? withMerged(value, document).items : []));
  for (const pair of own) if (isMap(pair.value) || isSeq(pair.value)) withMerged(pair.value, document);
  // One entry per key, so that merges of merges do not multiply.
  node.items = [...new Map([...merged, ...own].map((pair) => [String(pair.key), pair])).values()];
  return node;
}

const isMergeKey = (key: unknown): boolean => isScalar(key) && key.source === "<<";

function recordLines(
  node: Node,
  path: string[],
  lines: Map<string, number>,
  lineOf: (node: Node) => number,
): void {
  const set = (inner: string[], at: Node, value: unknown) => {
    // Top-level keys are known without their namespace.
    const name = inner.length === 1 ? [inner[0]!.replace(`${NAMESPACE}:`, "")] : inner;
    lines.set(name.join("\0"), lineOf(at));
    if (isMap(value) || isSeq(value)) recordLines(value, name, lines, lineOf);
  };
  if (isMap(node)) {
    for (const pair of node.items)
      if (isPair(pair) && isScalar(pair.key)) set([...path, String(pair.key.value)], pair.key, pair.value);
  } else if (isSeq(node)) {
    node.items.forEach((item, i) => set([...path, String(i)], item as Node, item));
  }
}

type Say = (path: string[], text: string, covers?: boolean) => void;

/** Keys of other namespaces belong to the engine or a provider. */
function foreignKeyProblem(namespace: string, key: string, say: Say): void {
  const full = `${namespace}:${key}`;
  // The engine stops at any other form.
  if (!OTHER_KEY.test(full)) return say([full], "a key is NAMESPACE:NAME, with one colon");
  const meant = isOwnKey(key) ? key : nearest(key, keysAt([]));
  const own = namespace.startsWith("oslo") && meant ? NAMESPACE : undefined;
  const guess = nearest(namespace, [NAMESPACE, "pulumi"]) ?? own;
  const name = (guess === NAMESPACE && meant) || key;
  if (guess && namespace !== guess) say([full], `unknown, did you mean ${guess}:${keyName(name)}?`);
}

function engineKeyProblems(full: string, key: string, value: unknown, say: Say): void {
  if (!ENGINE_KEYS.includes(key)) {
    const guess = nearest(key, ENGINE_KEYS);
    say([full], guess ? `unknown, did you mean pulumi:${guess}?` : "unknown to the engine");
  }
  if (full === "pulumi:disable-default-providers" && !isListOfTexts(value))
    say([full], "must be a list of providers' names, such as [docker, host]");
}

/** Reads one key under `config:`. */
function readKey(result: StackFile, full: string, value: unknown): void {
  const colon = full.indexOf(":");
  const [namespace, key] = colon < 0 ? [NAMESPACE, full] : [full.slice(0, colon), full.slice(colon + 1)];
  const say: Say = (path, text, covers = false) =>
    void result.problems.push({ path, text: `${pathName(path)}: ${text}`, covers });
  if (namespace === "pulumi") engineKeyProblems(full, key, value, say);
  if (namespace !== NAMESPACE) return foreignKeyProblem(namespace, key, say);
  if (key.includes(":")) return say([full], "a key is NAMESPACE:NAME, with one colon");
  if (Object.hasOwn(result.values, key) || result.secrets.includes(key))
    return say([key], `is set twice, as ${keyName(key)} and as ${NAMESPACE}:${keyName(key)}`);
  if (colon < 0) result.bare.push(key);
  if (isSecretMapping(key)) return readSecretMapping(result, key, value, say);
  if (isSecretKey(key)) {
    const wrong = secretProblem(value, [key], result.ownKey);
    if (wrong !== undefined) return say([key], wrong, true);
    return void result.secrets.push(key);
  }
  for (const path of securePaths(value, [key])) say(path, NESTED_SECRET, true);
  // The engine also passes JSON in quotes as a plain text.
  result.values[key] = typeof value === "string" ? configValue(value) : value;
}

const isOwnKey = (key: string): boolean => Object.hasOwn(environmentSchema.shape, key) || isSecretKey(key);

/** The engine adds the namespace; editors and searches do not. */
export const bareKeys = ({ bare }: StackFile): Problem[] =>
  bare.map((key) => ({
    path: [key],
    text: `${keyName(key)}: has no namespace; write ${NAMESPACE}:${keyName(key)}`,
  }));

/** Also accepts a list in quotes, as the engine's command line writes it. */
function isListOfTexts(value: unknown): boolean {
  const list = typeof value === "string" && value.startsWith("[") ? configValue(value) : value;
  return Array.isArray(list) && list.every((entry) => typeof entry === "string");
}

/** Each entry is a name and an encrypted value. */
function readSecretMapping(result: StackFile, key: string, value: unknown, say: Say): void {
  if (typeof value !== "object" || value === null || Array.isArray(value) || isSecure(value))
    return say([key], secretMapping(key), true);
  const entries = Object.entries(value);
  for (const [name, secret] of entries) {
    if (!SECRET_MAPPINGS[key]!.name.test(name)) say([key, name], SECRET_MAPPINGS[key]!.badName);
    else {
      const wrong = secretProblem(secret, [key, name], result.ownKey);
      if (wrong !== undefined) say([key, name], wrong, true);
    }
  }
  result.secretNames[key] = entries.map(([name]) => name);
  result.secrets.push(key);
}

/** Pulumi passes objects and lists as JSON, and plain text unchanged. */
export function configValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
