/** How help looks, and how a wrong command line is answered. */
import { Command } from "commander";
import { colors as pc } from "./colors";

/** A command group that is called without a verb is asked what it can do, which is no mistake. */
class Verb extends Command {
  override createCommand(name?: string): Command {
    return new Verb(name).helpCommand(false);
  }

  override help(): never {
    return super.help({ error: false }) as never;
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

/** "oslo-faas env show", as somebody calls the command. */
export const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();

export const whereHelpIs = (command: Command): string => `→ ${pathOf(command)} --help`;

/** Says after an error in a command line where the help of that very command is. */
export function pointToHelp(command: Command): void {
  command.showHelpAfterError(whereHelpIs(command));
  command.commands.forEach(pointToHelp);
}

/** Below a command's help: what an exit code means there, where it means something special. */
export const note = (command: Command, text: string): Command => command.addHelpText("after", `\n${text}`);

/** Below a command's help, each behind the command's own path. */
export function examples(command: Command, ...lines: string[]): Command {
  return command.addHelpText("after", () => {
    const shown = lines.map((line) => `  ${pathOf(command)} ${line}`.trimEnd());
    return `\n${pc.bold(lines.length === 1 ? "Example:" : "Examples:")}\n${shown.join("\n")}`;
  });
}
