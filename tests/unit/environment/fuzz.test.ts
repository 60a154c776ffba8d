/**
 * Files as nobody writes them: whatever is done to a text, reading it ends in an environment or in errors, never in another
 * exception. FUZZ_SEED repeats a run, FUZZ_RUNS makes a longer one.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { loadEnvironment } from "../../../environment";
import { environmentFrom } from "../../../environment/files";
import { OLD_NUMBERS } from "../../../environment/stackfile";
import { BASE, mutated, mutatedFile, random } from "./mutate";

const RUNS = Number(process.env.FUZZ_RUNS ?? 10_000);
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_123);
/** Every so many of the runs has a base that is changed as well, and every so many goes the way that the program goes. */
const BASES = 3;
const PROGRAMS = 4;
/** What every secret is when it is decrypted. */
const CANARY = "Canary-4711";

let root: string;
const before = process.cwd();

beforeAll(async () => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "oslo-faas-fuzz-"));
  fs.mkdirSync(path.join(root, "stacks"));
  process.chdir(root);
  await pulumi.runtime.setMocks(
    { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
    "oslo-faas",
    "test",
    false,
  );
});
afterAll(() => {
  process.chdir(before);
  fs.rmSync(root, { recursive: true });
});

/** Each is one line for people, that no terminal obeys. */
function judge(lines: string[], text: string): void {
  const odd = lines.find(
    (line) =>
      line === "" ||
      line.length > 700 ||
      /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(line) ||
      /\[object/.test(line.replaceAll(/"[^"]*"/g, "")) ||
      (/undefined/.test(line) && !text.includes("undefined")),
  );
  if (odd !== undefined) throw new Error(`no message for people: ${JSON.stringify(odd)}`);
}

/** @returns whether the file is right */
function asFile(text: string, base: string): boolean {
  const { environment, problems } = environmentFrom(text, { name: "test", root, file: "f.yaml" });
  // One of the two.
  if ((environment === undefined) === (problems.length === 0)) throw new Error("neither or both");
  judge(problems, text + base);
  return environment !== undefined;
}

/** Configuration as the engine hands it over: JSON, texts as they are, secrets decrypted. Undefined where it could not read the file. */
function handedOver(text: string): { all: Record<string, string>; secret: string[] } | undefined {
  let config: unknown;
  try {
    config = (
      parse(text, { merge: true, customTags: (tags) => [...OLD_NUMBERS, ...tags] }) as { config?: object }
    )?.config;
    if (typeof config !== "object" || config === null || Array.isArray(config)) return undefined;
    const secret: string[] = [];
    const all = Object.entries(config).map(([key, value]) => {
      const full = key.includes(":") ? key : `oslo-faas:${key}`;
      const plain = JSON.stringify(value ?? "", (_, inner: unknown) => {
        const { secure, ...rest } = Object(inner) as { secure?: unknown };
        if (typeof secure !== "string" || Object.keys(rest).length > 0) return inner;
        secret.push(full);
        return CANARY;
      });
      return [full, plain.startsWith('"') ? (JSON.parse(plain) as string) : plain];
    });
    return { all: Object.fromEntries(all) as Record<string, string>, secret };
  } catch {
    return undefined;
  }
}

/** @returns whether the program has an environment; undefined where the engine would not have started it */
function asProgram(text: string, base: string): boolean | undefined {
  const given = handedOver(text);
  if (!given) return undefined;
  pulumi.runtime.setAllConfig(given.all, given.secret);
  fs.writeFileSync(path.join(root, "stacks/Pulumi.test.yaml"), text);
  try {
    loadEnvironment();
    return true;
  } catch (error) {
    if (!(error instanceof pulumi.RunError)) throw error;
    const [head = "", ...lines] = error.message.split("\n");
    if (!/^stacks\/Pulumi\.test\.yaml: (one error|\d+ errors|host\.hostKeyFile: )/.test(head))
      throw new Error(`no heading: ${head}`, { cause: error });
    judge([head, ...lines], text + base);
    if (error.message.includes(CANARY)) throw new Error("a secret is shown", { cause: error });
    return false;
  }
}

test(`${RUNS} mutated files (FUZZ_SEED=${SEED})`, () => {
  const pick = random(SEED);
  const counts = { right: 0, wrong: 0, loaded: 0, refused: 0 };
  for (let run = 0; run < RUNS; run++) {
    const text = mutatedFile(run, pick);
    const base = run % BASES === 0 ? mutated(BASE, pick) : BASE;
    fs.writeFileSync(path.join(root, "stacks/base.yaml"), base);
    try {
      counts[asFile(text, base) ? "right" : "wrong"]++;
      const loaded = run % PROGRAMS === 0 ? asProgram(text, base) : undefined;
      if (loaded !== undefined) counts[loaded ? "loaded" : "refused"]++;
    } catch (error) {
      throw new Error(
        `FUZZ_SEED=${SEED}, run ${run}: ${(error as Error).stack}\n---- file\n${JSON.stringify(text)}\n---- base\n${JSON.stringify(base)}`,
        { cause: error },
      );
    }
  }
  // A fuzz run that breaks all files, or none, tests little.
  expect(counts.right).toBeGreaterThan(RUNS / 50);
  expect(counts.wrong).toBeGreaterThan(RUNS / 4);
  expect(counts.loaded).toBeGreaterThan(RUNS / 50 / PROGRAMS);
  expect(counts.refused).toBeGreaterThan(RUNS / 20 / PROGRAMS);
}, 120_000);
