/** What `pulumi up --refresh` would do: the host read anew, and compared with the program. It needs the state and its passphrase. */
import type { Context } from "../context";
import { type EngineResult, nameOf, preview } from "../preview/engine";

/** @returns one line per resource that would change @throws an Error with the engine's own first error */
export async function drift(
  stack: string,
  { root, configFile, engine }: Pick<Context, "root" | "engine"> & { configFile?: string },
): Promise<string[]> {
  const found = await engine(["preview", "--stack", stack]);
  return driftOf(await preview(found, { stack, configFile, refresh: true }, root));
}

export function driftOf({ steps, errors, ok }: EngineResult): string[] {
  if (!ok) throw new Error(errors[0]?.split("\n")[0] ?? "pulumi preview failed");
  return steps
    .filter(({ op }) => op !== "same" && op !== "read" && op !== "refresh")
    .map(({ op, urn }) => `${op} ${nameOf(urn)}`);
}
