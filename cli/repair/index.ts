/** `oslo-faas repair`: after an `up` that was killed. */
import { act, type Register, say } from "../context";
import { configFileOption, stackOption, theEnvironment } from "../environment";
import { examples, note } from "../help";

export const register: Register = (parent, context) => {
  const command = parent
    .command("repair")
    .argument("[environment]", "its name")
    .addOption(stackOption())
    .addOption(configFileOption())
    .description("after an `up` that was killed: release its lock, and bring state and host together again")
    .action(
      act(context, async (word: string | undefined, flags: { stack?: string; configFile?: string }) => {
        const { root } = context;
        const { configFile } = flags;
        const stack = theEnvironment(root, word, flags.stack);
        const { readSubject, sessionFor } = await import("../status/target");
        const session = sessionFor(readSubject(stack, root, configFile), root);
        try {
          const { repair } = await import("./repair");
          const engine = await context.engine(["refresh", "--stack", stack]);
          const count = await repair({ engine, stack, configFile, root, session, say });
          say(
            count === 0
              ? `Nothing of ${stack} was interrupted.`
              : `Repaired. \`pulumi up -s ${stack}\` goes on where the one that was killed was.`,
          );
        } finally {
          await session.close();
        }
      }),
    );
  note(
    command,
    `It releases the lock, removes from the host what was half made and the state does not know, and reads the host into the state.
What holds data is left alone. Then \`pulumi up\` goes on where it was.

Exit code: 0 repaired, or nothing was interrupted; 1 it cannot be repaired, and why; 2 the command line or the stack file cannot be used.`,
  );
  examples(command, "oslo-prod");
};
