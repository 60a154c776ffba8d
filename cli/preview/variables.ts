/** Variables of stack.yml files (`${NAME}`) that are not set where a preview runs, and what stands in for them. */
import fs from "node:fs";
import path from "node:path";
import { fileOf, readEnvironment } from "../../environment/files";
import { substitute } from "../../components/functions/substitute";
import { validate } from "../env/validate";
import { DUMMY } from "../../shared/propertyValues";

type Values = Record<string, string>;

/** What substitute() says of one; anything else that is wrong is the program's to report. */
const MISSING = /^\$\{(.+)\}: has no value and no default/;

/**
 * What may have to stand where a variable does: any text, the name of an image, an amount, a larger one, a switch, a constraint. Which of
 * them, the validation is asked. Not all variables are secrets, and no dummy is one.
 */
const FORMS: ((name: string) => string)[] = [
  (name) => `${DUMMY}${name}`,
  (name) => `${DUMMY}${name.toLowerCase()}`,
  () => "1",
  () => "1000",
  () => "true",
  (name) => `dummy==${name}`,
];
/** A mistake can hide another one of the same function: what was tried first is tried again. */
const ROUNDS = 3;

export interface Dummies {
  /** The same on both sides, so that none is ever a change. */
  values: Values;
  /** Names of those for which nothing fits. */
  unfit: string[];
}

/** @param trees the sides; a variable may stand in different places of them */
export function dummiesFor(name: string, trees: string[], variables: NodeJS.ProcessEnv): Dummies {
  const sides = trees.filter((tree) => fs.existsSync(path.join(tree, fileOf(name))));
  const missing = missingVariables(name, sides, variables);
  let values: Values = Object.fromEntries(missing.map((one) => [one, FORMS[0]!(one)]));
  if (missing.length === 0) return { values, unfit: [] };
  const places = placesOf(name, sides, missing);
  const measure = (candidate: Values): Wrong => {
    const found = sides.flatMap((tree) => problemsIn(name, tree, { ...variables, ...candidate }));
    const at = (one: string) => found.filter((place) => places.get(one)!.has(place)).length;
    return { total: found.length, at: Object.fromEntries(missing.map((one) => [one, at(one)])) };
  };
  let wrong = measure(values);
  for (let round = 0; round < ROUNDS && wrong.total > 0; round++)
    for (const one of missing)
      for (const form of FORMS) {
        const candidate = { ...values, [one]: form(one) };
        const then = measure(candidate);
        if (isBetter(then, wrong, one)) [values, wrong] = [candidate, then];
      }
  return { values, unfit: missing.filter((one) => wrong.at[one]! > 0) };
}

/** How many problems there are, and how many in lines where a variable stands. */
interface Wrong {
  total: number;
  at: Record<string, number>;
}

/** Its own lines first: with one mistake less, others may be seen that it hid. */
function isBetter(now: Wrong, before: Wrong, variable: string): boolean {
  const [own, was] = [now.at[variable]!, before.at[variable]!];
  return own < was || (own === was && now.total < before.total);
}

/** Their names, in order. */
function missingVariables(name: string, trees: string[], variables: NodeJS.ProcessEnv): string[] {
  const texts = trees.flatMap((tree) => [...stackTexts(name, tree).values()]);
  const said = texts.flatMap((text) => substitute(text, variables).problems);
  const names = said.flatMap(({ text }) => MISSING.exec(text)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** By the file's name, as the environment has it. */
function stackTexts(name: string, tree: string): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { stack } of readEnvironment(name, tree).environment?.functions ?? []) {
    try {
      texts.set(stack, fs.readFileSync(path.join(tree, stack), "utf8"));
    } catch {
      continue; // That it is not there is the program's to report.
    }
  }
  return texts;
}

const placeOf = (tree: string, file: string, line: string | number) => `${tree}\0${file}:${line}`;

/** Variable → the lines that it stands in. */
function placesOf(name: string, trees: string[], variables: string[]): Map<string, Set<string>> {
  const places = new Map(variables.map((one) => [one, new Set<string>()]));
  for (const tree of trees)
    for (const [file, text] of stackTexts(name, tree))
      text.split("\n").forEach((line, at) => {
        for (const one of variables)
          if (new RegExp(`\\$\\{#?${one}(?![\\p{L}\\p{Nd}_])`, "u").test(line))
            places.get(one)!.add(placeOf(tree, file, at + 1));
      });
  return places;
}

/** Where something is wrong: as it is printed, "FILE:LINE: what". */
function problemsIn(name: string, tree: string, variables: NodeJS.ProcessEnv): string[] {
  const places = problems(name, tree, variables).map((text) => /^(.+?):(\d+): /.exec(text) ?? []);
  return places.map(([, file = "", line = ""]) => placeOf(tree, file, line));
}

function problems(name: string, tree: string, variables: NodeJS.ProcessEnv): string[] {
  try {
    return validate([name], tree, variables).flatMap((verdict) => verdict.problems);
  } catch {
    return []; // An old base need not have what this program reads.
  }
}
