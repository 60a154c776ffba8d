/** Variables of stack.yml files (`${NAME}`) that are not set where a preview runs. */
import fs from "node:fs";
import path from "node:path";
import { readEnvironment } from "../components/environment/files";
import { substitute } from "../components/functions/substitute";

/** What substitute() says of one; anything else that is wrong is the program's to report. */
const MISSING = /^\$\{(.+)\}: has no value and no default/;

/** Their names, on either side. */
export function missingVariables(name: string, trees: string[], variables: NodeJS.ProcessEnv): string[] {
  const texts = trees.flatMap((tree) => stackTexts(name, tree));
  const problems = texts.flatMap((text) => substitute(text, variables).problems);
  const names = problems.flatMap(({ text }) => MISSING.exec(text)?.[1] ?? []);
  return [...new Set(names)].sort();
}

function stackTexts(name: string, tree: string): string[] {
  try {
    const { environment } = readEnvironment(name, tree);
    return (environment?.functions ?? []).map(({ stack }) => fs.readFileSync(path.join(tree, stack), "utf8"));
  } catch {
    return []; // Not there, on this side.
  }
}

/** The same on both sides, so that none is ever a change. Not all of them are secrets, and none is one here. */
export const dummyFor = (name: string): string => `dummy-for-the-preview-of-${name}`;
