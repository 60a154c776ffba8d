/** A command line of `oslo-faas preview` as options, without a preview. */
import { registerPreview } from "../../../../cli/preview";
import type { Options } from "../../../../cli/preview/run";
import { newProgram } from "../../../../cli/help";
import { someContext } from "../context";

export async function parseOptions(args: string[]): Promise<Options> {
  let found: Options | undefined;
  const program = newProgram("oslo-faas").configureOutput({ writeErr: () => undefined });
  registerPreview(program, someContext(), async (options) => {
    found = options;
    return 0;
  });
  await program.parseAsync(["preview", ...args], { from: "user" });
  return found!;
}
