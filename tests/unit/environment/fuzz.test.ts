/**
 * Files as nobody writes them: whatever is done to a text, reading it ends in an environment or in errors, never in another
 * exception. FUZZ_SEED repeats a run, FUZZ_RUNS makes a longer one.
 */
import fs from "node:fs";
import path from "node:path";
import { environmentFrom } from "../../../components/environment/files";
import { BAD_FILES, BROKEN_FILES, HOST } from "./badFiles";

const root = path.resolve(__dirname, "../../..");
const RUNS = Number(process.env.FUZZ_RUNS ?? 10_000);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_123);

/** mulberry32: small, and the same on every machine. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

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
    () => text.slice(0, from) + String.fromCharCode(at(0xffff)) + text.slice(from + 1),
  ];
  return one(changes)();
}

test(`${RUNS} mutated files (FUZZ_SEED=${SEED})`, () => {
  const stacks = fs
    .readdirSync(path.join(root, "stacks"))
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => fs.readFileSync(path.join(root, "stacks", file), "utf8"));
  const short = [
    ...BAD_FILES.map(([config]) => `config:\n${HOST}${config}`),
    ...BROKEN_FILES.map(([text]) => text),
  ];
  const others = short.filter((text) => text.length < 2000);
  const pick = random(SEED);
  const counts = { right: 0, wrong: 0 };
  for (let run = 0; run < RUNS; run++) {
    const from = run % 2 === 0 ? stacks : others;
    let text = from[Math.floor(pick() * from.length)]!;
    for (let n = 1 + Math.floor(pick() * 4); n > 0; n--) text = mutate(text, pick, others);
    try {
      const { environment, problems } = environmentFrom(text, { name: "test", root, file: "f.yaml" });
      // One of the two, and each error one line.
      if ((environment === undefined) === (problems.length === 0)) throw new Error("neither or both");
      const odd = problems.find(
        (line) => line === "" || /\n|\[object|undefined/.test(line.replaceAll(/"[^"]*"/g, "")),
      );
      if (odd !== undefined && !text.includes("undefined")) throw new Error(`no message for people: ${odd}`);
      counts[environment ? "right" : "wrong"]++;
    } catch (error) {
      throw new Error(
        `FUZZ_SEED=${SEED}, run ${run}: ${(error as Error).stack}\n---- file\n${JSON.stringify(text)}`,
        { cause: error },
      );
    }
  }
  // A fuzz run that breaks all files, or none, tests little.
  expect(counts.right).toBeGreaterThan(RUNS / 50);
  expect(counts.wrong).toBeGreaterThan(RUNS / 4);
}, 120_000);
