/** What may follow on a command line, out of commander's own tree of commands. */
import fs from "node:fs";
import path from "node:path";
import type { Argument, Command, Option } from "commander";
import { parse } from "yaml";
import { environmentNames } from "../../environment/files";

/** @param words after the command's name; the last one is being typed. @returns nothing where the shell offers files */
export function candidates(program: Command, words: string[], root: string): string[] {
  const typed = words.at(-1) ?? "";
  return all(program, words, root).filter((one) => one.startsWith(typed));
}

function all(program: Command, words: string[], root: string): string[] {
  let command = program;
  let given = 0;
  let open: Option | undefined;
  for (const word of words.slice(0, -1)) {
    const inner = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (open) open = undefined;
    else if (word.startsWith("-"))
      open = command.options.find((one) => takesValue(one) && flagsOf(one).includes(word));
    else if (inner) [command, given] = [inner, 0];
    else given += 1;
  }
  if (open) return open.argChoices ?? namesOf(open.flags, root);
  const help = command.createHelp();
  if (words.at(-1)?.startsWith("-")) return help.visibleOptions(command).flatMap(flagsOf);
  const { registeredArguments: list } = command;
  const argument = list[given] ?? (list.at(-1)?.variadic ? list.at(-1) : undefined);
  const verbs = help.visibleCommands(command).map((one) => one.name());
  return [...verbs, ...(argument ? valuesOf(argument, root) : [])];
}

const takesValue = ({ required, optional }: Option): boolean => required || optional;

const flagsOf = ({ long, short }: Option): string[] => [long, short].filter((flag) => flag != null);

const valuesOf = (argument: Argument, root: string): string[] =>
  argument.argChoices ?? namesOf(`<${argument.name()}>`, root);

/** By the name of what is wanted: "-s, --stack <environment>". */
function namesOf(flags: string, root: string): string[] {
  if (flags.includes("<environment")) return quietly(() => environmentNames(root));
  if (flags.includes("<function")) return quietly(() => functionNames(root));
  if (flags.includes("<language")) return quietly(() => folders(path.join(root, "templates")));
  return [];
}

/** Of every environment, by the stack files that lie where functions do. */
function functionNames(root: string): string[] {
  const folder = path.join(root, "functions");
  const files = fs.readdirSync(folder).filter((file) => /\.ya?ml$/.test(file));
  const names = files.flatMap((file) => {
    const stack = parse(fs.readFileSync(path.join(folder, file), "utf8")) as { functions?: object } | null;
    return Object.keys(stack?.functions ?? {});
  });
  return [...new Set(names)].sort();
}

const folders = (folder: string): string[] =>
  fs
    .readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

/** Errors would end up on the command line that is being completed. */
function quietly(names: () => string[]): string[] {
  try {
    return names();
  } catch {
    return [];
  }
}
