/** `oslo-faas init`: a team's own repository. */
import { act, type Register, say } from "../context";
import { examples } from "../help";

export const register: Register = (parent, context) => {
  const command = parent
    .command("init")
    .argument("[environment]", "the first environment", "dev")
    .description("write your own repository into this folder: program, environment, function, workflows")
    .action(
      act(context, async (environment: string) => {
        const { init } = await import("./init");
        init(process.cwd(), environment, say);
      }),
    );
  examples(command, "init oslo-dev");
};
