/** The command in this clone: with the engine that the clone finds, downloads or builds. */
import { main } from "../cli/main";
import { loadLab } from "../lab/config";
import { resolveToolchain } from "../lab/toolchain/resolve";

void main(process.argv.slice(2), {
  name: "npx oslo-faas",
  engine: async (args) => {
    const { pulumi, env, kind, version } = await resolveToolchain({ args, quiet: true });
    return { program: pulumi, env, kind, version };
  },
  prepareImages: async (stack) => {
    const lab = loadLab();
    if (stack !== lab.stack) return;
    // Loaded here: most commands need no engine.
    const [{ ensureImages }, { Reporter }] = await Promise.all([
      import("../lab/images/index"),
      import("../lab/progress"),
    ]);
    await ensureImages(lab, new Reporter());
  },
}).then((code) => {
  process.exitCode = code;
});
