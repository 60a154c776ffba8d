/** tests/inputs: one file a case, each with what is right in its comments. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { readFunctions } from "../../components/functions/files";
import { parseEnvironment } from "../../environment";

const INPUTS = path.join(__dirname, "..", "inputs");
const STACK = "functions/stack.yml";
const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHPUuG0JR4gcfICCrp+eBfuxLkRYFYZk8YBmvBC2HVKJ";
const TIMEOUTS = parseEnvironment({ host: { address: "a", hostKey: HOST_KEY } }).openfaas;

let root: string;
beforeEach(() => (root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-inputs-"))));
afterEach(() => fs.rmSync(root, { recursive: true }));

function write(name: string, text: string): void {
  const file = path.join(root, "functions", name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

/** What the comments say, by the word in front of their colon. */
function marked(text: string, word: string): string[] {
  return [...text.matchAll(new RegExp(`^# ${word}: (.*)$`, "gm"))].map(([, value]) => value!);
}

function pairs(lines: string[], between: string): [string, string][] {
  return lines.map((line) => {
    const at = line.indexOf(between);
    return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + between.length)];
  });
}

test.each(fs.readdirSync(INPUTS).filter((name) => name.endsWith(".yml")))("%s", (name) => {
  const text = fs.readFileSync(path.join(INPUTS, name), "utf8");
  write("stack.yml", text);
  for (const [file, content] of pairs(marked(text, "file"), ": ")) write(file, String(parse(content) ?? ""));
  const { functions, problems } = readFunctions([{ stack: STACK }], {
    root,
    variables: Object.fromEntries(pairs(marked(text, "set"), "=")),
    secrets: [],
    builds: true,
    timeouts: TIMEOUTS,
  });
  const found = problems.map((line) => line.replace(/^functions\/stack\.yml(:\d+)?: /, ""));
  const refused = marked(text, "refused");
  expect(/^# taken$/m.test(text)).toBe(refused.length === 0);
  expect(found.sort()).toEqual(refused.sort().map((start) => expect.stringMatching(`^${escaped(start)}`)));
  for (const [key, value] of pairs(marked(text, "value"), " = ")) {
    const at = key
      .split(".")
      .reduce<unknown>((inner, part) => Reflect.get(Object(inner), part), functions[0]!.spec);
    expect([key, at]).toEqual([key, value]);
  }
});

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
