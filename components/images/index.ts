/** The images of an environment, by digest. */
import * as pulumi from "@pulumi/pulumi";
import type { LoadedEnvironment } from "../../environment";
import { withRegistry } from "../../shared/image";
import { readLock, resolve } from "./lock";

type StackImage = Exclude<keyof LoadedEnvironment["images"], "registry" | "lock" | "own" | "functions">;

/** From the name of a part of the stack ("gateway") to its image by digest. */
export type ImageResolver = (part: StackImage) => string;

export interface EnvironmentImages {
  /** Image of a part of the stack. */
  stack: ImageResolver;
  /** Any other image, such as a function's. */
  any(reference: string): string;
  /** Says once what has no digest yet; call it after the last image was asked for. */
  report(): void;
}

/**
 * Swarm runs services by digest: a tag would be resolved at creation and read back as a change at the next run. What the
 * lock file does not have yet stays a tag, and the preview reports it.
 */
export function environmentImages(env: LoadedEnvironment): EnvironmentImages {
  const lock = readLock(env.images.lock);
  const open = new Set<string>();
  const any = (reference: string): string => {
    const { reference: pinned, resolved } = resolve(withRegistry(reference, env.images.registry), lock);
    if (!resolved) open.add(pinned);
    return pinned;
  };
  return {
    any,
    stack: (part) => any(env.images[part]),
    report: () => {
      if (open.size === 0) return;
      void pulumi.log.warn(
        `not resolved to a digest yet: ${[...open].sort().join(", ")}. ` +
          `Run \`npx oslo-faas images lock -s ${env.name}\` and commit ${env.images.lock}; until then each of them runs by its tag.`,
      );
    },
  };
}
