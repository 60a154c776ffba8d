/** Reads YAML without guessing types, and remembers the line of everything in it. */
import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, Scalar, visit } from "yaml";

export interface Problem {
  /** Undefined for what is nowhere in particular. */
  line?: number;
  text: string;
}

export interface Yaml {
  value: unknown;
  problems: Problem[];
  /** Line of a path's key, or of what is nearest around it. */
  line(path: readonly PropertyKey[]): number | undefined;
}

/** Every scalar is its text or null: 1.10 keeps its zero, and "no" does not become false. */
export function readYaml(text: string): Yaml {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    schema: "failsafe",
    lineCounter,
    merge: true,
    prettyErrors: false,
    uniqueKeys: true,
  });
  const lineAt = (position: number) => lineCounter.linePos(position).line;
  const problems = [...document.errors, ...document.warnings].map(({ message, pos }): Problem => ({
    line: lineAt(pos[0]),
    text: message.split("\n")[0]!,
  }));
  visit(document, {
    Scalar(key, node) {
      const empty = node.type === Scalar.PLAIN && /^(|~|null|Null|NULL)$/.test(node.source ?? "");
      if (key !== "key" && (empty || node.type === undefined)) node.value = null;
    },
  });
  const line = (path: readonly PropertyKey[]) => {
    const position = positionOf(document.contents, path.map(String));
    return position === undefined ? undefined : lineAt(position);
  };
  const isReadable = document.errors.every(({ code }) => code === "DUPLICATE_KEY");
  if (!isReadable) return { value: undefined, problems, line };
  try {
    return { value: document.toJS({ maxAliasCount: 100 }), problems, line };
  } catch (error) {
    return { value: undefined, problems: [...problems, { text: (error as Error).message }], line };
  }
}

function positionOf(node: Node | null, path: string[]): number | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return undefined;
  if (isSeq(node)) {
    const item = node.items[Number(key)] as Node | undefined;
    return item && (positionOf(item, rest) ?? item.range?.[0]);
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((one) => isPair(one) && isScalar(one.key) && String(one.key.value) === key);
  const own = isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
  return positionOf((pair?.value ?? null) as Node | null, rest) ?? own;
}
