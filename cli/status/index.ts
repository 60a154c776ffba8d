/** `oslo-faas status`: the health of an environment, on one screen. */
import { act, type Register } from "../context";
import { configFileOption, stackOption, theEnvironment } from "../environment";
import { EXIT } from "../errors";
import { examples, note } from "../help";

interface Flags {
  stack?: string;
  drift?: boolean;
  json?: boolean;
  configFile?: string;
}

export const register: Register = (parent, context) => {
  const command = parent
    .command("status")
    .argument("[environment]", "its name")
    .addOption(stackOption())
    .option(
      "--drift",
      "also show what `pulumi up --refresh` would change; takes as long as a preview and needs the stack's passphrase",
    )
    .option("--json", "print JSON")
    .addOption(configFileOption())
    .description(
      "show the health of an environment: host, services, functions with their rates, queue, disk, certificate, alerts",
    )
    .action(
      act(context, async (word: string | undefined, { stack, drift, json, configFile }: Flags) => {
        const { root } = context;
        const name = theEnvironment(root, word, stack);
        const { readSubject, sessionFor } = await import("./target");
        const subject = readSubject(name, root, configFile);
        const session = sessionFor(subject, root);
        try {
          const { reportOf } = await import("./collect");
          const look = async () =>
            (await import("./drift")).drift(name, { root, configFile, engine: context.engine });
          const report = await reportOf(subject, session, drift ? look : undefined);
          const { render } = await import("./render");
          process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : render(report));
          return report.problems.length === 0 ? EXIT.fine : EXIT.wrong;
        } finally {
          await session.close();
        }
      }),
    );
  note(
    command,
    `Exit code: 0 healthy; 1 something is unhealthy or cannot be asked; 2 the command line or the stack file cannot be used.`,
  );
  examples(command, "oslo-prod", "oslo-prod --drift", "-s oslo-prod --json");
};
