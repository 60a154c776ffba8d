/** `oslo-faas completion SHELL`, and what the shells ask at each Tab. */
import { Argument, type Command } from "commander";
import { act, type Register } from "../context";
import { examples, note } from "../help";
import { candidates } from "./candidates";
import { SCRIPTS, type Shell } from "./scripts";

const INSTALL = `bash:  eval "$(oslo-faas completion bash)"      in ~/.bashrc
zsh:   eval "$(oslo-faas completion zsh)"       in ~/.zshrc, after compinit
fish:  oslo-faas completion fish | source       in ~/.config/fish/config.fish`;

export const register: Register = (parent, context) => {
  const command = parent
    .command("completion")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(SCRIPTS)))
    .description("completion of verbs, options, environments and functions, for a shell to read")
    .action(act(context, async (shell: Shell) => void process.stdout.write(SCRIPTS[shell])));
  note(
    command,
    `Where the command is on PATH (npm install --global oslo-faas, or ./node_modules/.bin):\n\n${INSTALL}`,
  );
  examples(command, "bash");
  parent
    .command("complete", { hidden: true })
    .argument("[words...]")
    .description("what may stand in place of the last of these words")
    .action(
      act(context, async (words: string[]) => {
        process.stdout.write(
          candidates(root(command), words, context.root)
            .map((one) => `${one}\n`)
            .join(""),
        );
      }),
    );
};

const root = (command: Command): Command => (command.parent ? root(command.parent) : command);
