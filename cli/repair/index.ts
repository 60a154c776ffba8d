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
    .description("after an `up` that was killed: release its lock, and make state and host agree")
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
              ? `Nothing to repair: no operation of ${stack} was interrupted.`
              : `Repaired. \`pulumi up -s ${stack}\` continues.`,
          );
        } finally {
          await session.close();
        }
      }),
    );
  note(
    command,
    `It releases the lock, removes half-made objects that the state does not know, and reads the host into the state.
Data is not touched. \`pulumi up\` then continues.

Exit code: 0 repaired, or nothing was interrupted; 1 it cannot be repaired, with the reason; 2 the command line or the stack file cannot be used.`,
  );
  examples(command, "oslo-prod");
};
