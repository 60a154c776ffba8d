/** Reads the commands out of the documentation: those of fenced `sh` blocks, and those in backticks that begin with a known program. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

export const ROOT = path.resolve(__dirname, "../../..");

export interface Found {
  /** The page, relative to the project. */
  page: string;
  words: string[];
}

const FENCED = /^( *)```(?:sh|bash|console)\n([\s\S]*?)^\1```/gm;
const INLINE = /`((?:npx )?oslo-faas [^`]+|npm (?:run|test|ci|pack|update|i) ?[^`]*|pulumi [a-z][^`]*)`/g;

/** The README and every page under docs/, as git has them. */
export function pages(): string[] {
  const list = execFileSync("git", ["ls-files", "README.md", "docs/*.md"], { cwd: ROOT, encoding: "utf8" });
  return list.split("\n").filter(Boolean);
}

export const commandsOf = (page: string): Found[] =>
  commandsIn(fs.readFileSync(path.join(ROOT, page), "utf8")).map((words) => ({ page, words }));

/** @param text Markdown */
export function commandsIn(text: string): string[][] {
  const fenced = [...text.matchAll(FENCED)].flatMap(([, , script]) => parse(script!));
  // An ellipsis or VERB stands for the reader's own words.
  const inline = [...text.replace(FENCED, "").matchAll(INLINE)]
    .map(([, code]) => code!)
    .filter((code) => !/…|\bVERB\b|\bARGS\b/.test(code))
    .flatMap(parse);
  return [...fenced, ...inline];
}

/** The simple commands of a script, without assignments, comments and redirections. Those in `$(…)` are commands too. */
export function parse(script: string): string[][] {
  const text = script.replaceAll("\\\n", " ");
  const commands: string[][] = [];
  let words: string[] = [];
  let word: string | undefined;
  let quote = "";
  const endWord = () => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  const endCommand = () => {
    endWord();
    const command = words.slice(words.findIndex((one) => !/^\w+=/.test(one)));
    if (words.some((one) => !/^\w+=/.test(one))) commands.push(command);
    words = [];
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (quote !== "'" && text.startsWith("$(", at)) {
      const end = closing(text, at + 1);
      commands.push(...parse(text.slice(at + 2, end)));
      word = `${word ?? ""}$()`;
      at = end;
    } else if (quote) {
      if (char === quote) quote = "";
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (char === "#" && word === undefined) {
      at = text.indexOf("\n", at) < 0 ? text.length : text.indexOf("\n", at) - 1;
    } else if (/[\n;|&]/.test(char)) endCommand();
    else if (/\s/.test(char)) endWord();
    else word = `${word ?? ""}${char}`;
  }
  endCommand();
  return commands.map(withoutRedirections);
}

/** The parenthesis that closes the one at `at`. */
function closing(text: string, at: number): number {
  let depth = 0;
  let quote = "";
  for (let i = at; i < text.length; i++) {
    const char = text[i]!;
    if (quote) quote = char === quote ? "" : quote;
    else if (char === "'" || char === '"') quote = char;
    else if (char === "(") depth++;
    else if (char === ")" && --depth === 0) return i;
  }
  return text.length;
}

function withoutRedirections(words: string[]): string[] {
  const at = words.findIndex((word) => /^\d?>>?$/.test(word));
  return at < 0 ? words : [...words.slice(0, at), ...words.slice(at + 2)];
}
