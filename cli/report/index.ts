/** `oslo-faas report`: documents about an environment, for people outside of the team. */
import { type Command, Option } from "commander";
import { act, type Context, type Register } from "../context";
import { configFileOption, type StackFlags, stackOption, type Where, whereOf } from "../environment";
import { EXIT } from "../errors";
import { examples, note } from "../help";
import { type Language, LANGUAGES, sayIn } from "./language";
import type { Given } from "./model";

interface Flags extends StackFlags {
  lang: Language;
  offline?: boolean;
  drift?: boolean;
  json?: boolean;
}

export const register: Register = (parent, context) => {
  const report = parent.command("report").description("documents about an environment: compliance");
  registerCompliance(report, context);
};

function registerCompliance(report: Command, context: Context): void {
  const command = report
    .command("compliance")
    .addOption(stackOption())
    .addOption(
      new Option("--lang <language>", "its language: English or bokmål").choices(LANGUAGES).default("en"),
    )
    .option("--offline", "from the configuration alone, without asking the host")
    .option("--drift", "also compare the host with the configuration; needs the stack's passphrase")
    .option("--json", "print JSON")
    .addOption(configFileOption())
    .description(
      "write the record of processing (GDPR, Article 30), what leaves the host, and security measures by NSM's numbers",
    )
    .action(
      act(context, async (flags: Flags) => {
        const where = whereOf(context.root, flags);
        const { complianceOf, fromFiles } = await import("./gather");
        const given = await asked(fromFiles(where), where, flags, context);
        const made = complianceOf(given, sayIn(flags.lang));
        const { render } = await import("./render");
        process.stdout.write(flags.json ? `${JSON.stringify(made, null, 2)}\n` : render(made, flags.lang));
        return made.missing.length === 0 ? EXIT.fine : EXIT.wrong;
      }),
    );
  note(
    command,
    "Where the host cannot be reached, the report says so, and is from the configuration alone.\n" +
      "Exit code: 0 complete; 1 something is missing that only a person can say, and the report lists it.",
  );
  examples(
    command,
    "-s oslo-prod > record.md",
    "-s oslo-prod --lang nb --drift",
    "-s oslo-prod --offline --json",
  );
}

/** What the host says is added, unless it is not to be asked. */
async function asked(given: Given, where: Where, flags: Flags, { engine }: Context): Promise<Given> {
  const { root, stack, configFile } = where;
  if (flags.offline) return { ...given, unmeasured: "--offline" };
  const { sessionOf } = await import("../status/target");
  const look = async () => (await import("../status/drift")).drift(stack, { root, configFile, engine });
  try {
    const session = sessionOf(given.environment, root);
    try {
      const { withHost } = await import("./gather");
      return await withHost(given, session, flags.drift ? look : undefined);
    } finally {
      await session.close();
    }
  } catch (error) {
    return { ...given, unmeasured: (error as Error).message };
  }
}
