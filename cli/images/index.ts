/** `oslo-faas images`: pins images by digest. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { act, type Context, type Register, say } from "../context";
import { stacksOption } from "../environment";
import { UsageError } from "../errors";
import { examples } from "../help";

export const register: Register = (parent, context) => {
  const images = parent.command("images").description("pin images by digest");
  registerLock(images, context);
};

interface LockFlags {
  stack?: string[];
  file?: string;
  insecure?: boolean;
}

function registerLock(images: Command, context: Context): void {
  const command = images
    .command("lock")
    .argument("[image...]", "images to pin; - reads them from stdin, one per line")
    .addOption(stacksOption())
    .option(
      "--file <file>",
      "the lock file (default: the environment's own; for images, stacks/images.lock.json)",
    )
    .option("--insecure", "use plain HTTP with every registry")
    .description("resolve each tag to its digest, and write it to the lock file")
    .action(
      act(context, async (words: string[], { stack: stacks = [], file, insecure = false }: LockFlags) => {
        const images = words.flatMap((word) => (word === "-" ? fromStdin() : [word]));
        if (stacks.length === 0 && images.length === 0)
          throw new UsageError("Name images, or an environment with -s NAME.");
        const { lock } = await import("./lock");
        await lock({ root: context.root, images, stacks, file, insecure, print: say });
      }),
    );
  examples(command, "-s oslo-staging -s oslo-prod", "ghcr.io/openfaas/gateway:0.25.4");
}

const fromStdin = (): string[] => readFileSync(0, "utf8").split(/\s+/).filter(Boolean);
