/** The command in this clone: with the engine that the clone finds, downloads or builds. */
import { main } from "../cli/main";
import { resolveToolchain } from "../lab/toolchain/resolve";

void main(process.argv.slice(2), {
  name: "npx oslo-faas",
  engine: async (args) => {
    const { pulumi, env, kind } = await resolveToolchain({ args, quiet: true });
    return { program: pulumi, env, kind };
  },
}).then((code) => {
  process.exitCode = code;
});
