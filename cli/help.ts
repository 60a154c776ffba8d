/** The look of help, and the answer to a wrong command line. */
import { Command } from "commander";
import { colors as pc } from "./colors";

/** A command group without a verb shows its help, with exit code 0. */
class Verb extends Command {
  override createCommand(name?: string): Command {
    return new Verb(name).helpCommand(false);
  }

  override help(): never {
    return super.help({ error: false });
  }
}

export function newProgram(name: string): Command {
  return new Verb(name)
    .exitOverride()
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .configureHelp({
      sortOptions: false,
      styleTitle: (text) => pc.bold(text),
      styleCommandText: (text) => pc.cyan(text),
      styleSubcommandText: (text) => pc.cyan(text),
      styleOptionText: (text) => pc.yellow(text),
    })
    .configureOutput({ outputError: (text, write) => write(inOneLine(text)) });
}

/** "error: unknown option '--bse'\n(Did you mean --base?)\n" → the same in one line. */
export const inOneLine = (text: string): string => `${text.trim().replace(/\s*\n\s*(?=\()/g, " ")}\n`;

/** The whole command, such as "oslo-faas env show". */
export const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();

export const whereHelpIs = (command: Command): string => `→ ${pathOf(command)} --help`;

/** Points to the help of the command after an error in its command line. */
export function pointToHelp(command: Command): void {
  command.showHelpAfterError(whereHelpIs(command));
  command.commands.forEach(pointToHelp);
}

/** Adds a text below a command's help. */
export const note = (command: Command, text: string): Command => command.addHelpText("after", `\n${text}`);

/** Adds examples below a command's help, each after the command itself. */
export function examples(command: Command, ...lines: string[]): Command {
  return command.addHelpText("after", () => {
    const shown = lines.map((line) => `  ${pathOf(command)} ${line}`.trimEnd());
    return `\n${pc.bold(lines.length === 1 ? "Example:" : "Examples:")}\n${shown.join("\n")}`;
  });
}
