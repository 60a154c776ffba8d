/** Stack files as nobody writes them: right ones and wrong ones, changed by chance. The same seed gives the same ones on every machine. */
import fs from "node:fs";
import path from "node:path";
import { BAD_FILES, BROKEN_FILES, CIPHER, HOST } from "./badFiles";

const root = path.resolve(__dirname, "../../..");

/** mulberry32: small, and the same on every machine. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Keys that would break a line, colour a terminal or fill it, were they printed as they are. */
const ODD_KEYS = [
  '"a\\nb": 1',
  '"\\e[31m\\u009bm": {}',
  '"\\u202e\\u2028\\0": [1]',
  `${"k".repeat(500)}: 1`,
  `"oslo-faas:${"é\\n".repeat(300)}": x`,
  '"oslo-fass:\\r\\x1b]0;x\\a": x',
  '"constructor\\ud800": {secure: x}',
];

const PIECES = [
  ...[
    "{",
    "}",
    "[",
    "]",
    ":",
    ": ",
    "- ",
    "&a ",
    "*a",
    "!!binary ",
    "!x ",
    "|\n",
    ">-\n",
    "? ",
    "<<: ",
    "%YAML 1.1\n",
    "---\n",
    "...\n",
  ],
  ...[
    "\t",
    "\r",
    "\0",
    "\u0001",
    "\u2028",
    "\ufeff",
    "\ud800",
    "é",
    "😀",
    "#",
    "'",
    '"',
    "\\",
    "`",
    "@",
    ",",
    "~",
    "\n",
    "\n  ",
    "\n    ",
  ],
  ...["NO", "null", "true", ".nan", "1e999", "-0", "0x", "010", "99999999999999999999", "2026-11-23", "1:30"],
  ...["__proto__", "constructor", "toString", "length", "secure", "extends", "hasOwnProperty", "0"],
  ...[
    "{secure: x}",
    `{secure: "${CIPHER}"}`,
    "oslo-faas:",
    "pulumi:",
    "nginx",
    "host",
    "gatewayPassword",
    "stacks/base.yaml",
    "stacks",
    "/dev/null",
  ],
];

function mutate(text: string, pick: () => number, others: string[]): string {
  const at = (length: number) => Math.floor(pick() * (length + 1));
  const one = <T>(list: readonly T[]) => list[Math.floor(pick() * list.length)]!;
  const lines = text.split("\n");
  const [from, line] = [at(text.length), Math.floor(pick() * lines.length)];
  const spliced = (remove: number, ...add: string[]) =>
    [...lines.slice(0, line), ...add, ...lines.slice(line + remove)].join("\n");
  const changes: (() => string)[] = [
    () => text.slice(0, from) + one(PIECES) + text.slice(from),
    () => text.slice(0, from) + one(PIECES) + text.slice(from + 1 + at(4)),
    () => text.slice(0, from) + text.slice(from + 1 + at(20)),
    () => text.slice(0, from),
    () => spliced(1),
    () => spliced(0, lines[line]!),
    () => spliced(1, `  ${lines[line]}`),
    () => spliced(1, lines[line]!.replace(/^ {1,2}/, "")),
    () => spliced(1, lines[line]!.replace(/: .*/, `: ${one(PIECES)}`)),
    () =>
      spliced(
        0,
        ...one(others)
          .split("\n")
          .slice(line % 5, (line % 5) + 1 + at(4)),
      ),
    () => {
      // Beside the key of that line.
      const indent = /^ */.exec(lines[line]!)![0];
      return spliced(0, `${indent}${one(ODD_KEYS)}`);
    },
    () => {
      const flow = text.indexOf("{", from);
      return flow < 0 ? text : `${text.slice(0, flow + 1)}${one(ODD_KEYS)}, ${text.slice(flow + 1)}`;
    },
    () => text.slice(0, from) + String.fromCharCode(at(0xffff)) + text.slice(from + 1),
  ];
  return one(changes)();
}

/** The files of this project, the base among them. */
export const STACKS = fs
  .readdirSync(path.join(root, "stacks"))
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => fs.readFileSync(path.join(root, "stacks", file), "utf8"));
export const BASE = fs.readFileSync(path.join(root, "stacks/base.yaml"), "utf8");

/** Short ones, each wrong in one way. */
const WRONG = [
  ...BAD_FILES.map(([config]) => `config:\n${HOST}${config}`),
  ...BROKEN_FILES.map(([text]) => text),
].filter((text) => text.length < 2000);

export function mutated(text: string, pick: () => number): string {
  let result = text;
  for (let n = 1 + Math.floor(pick() * 4); n > 0; n--) result = mutate(result, pick, WRONG);
  return result;
}

/** Every second one out of a right file. */
export function mutatedFile(run: number, pick: () => number): string {
  const from = run % 2 === 0 ? STACKS : WRONG;
  return mutated(from[Math.floor(pick() * from.length)]!, pick);
}
