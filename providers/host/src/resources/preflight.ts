/**
 * host:index:Preflight: refuses a host on which the rest cannot work, with every reason at once, before anything is changed.
 */
import * as z from "zod";
import type { ResourceHandler } from "../resource";
import { HostError } from "../session";
import { factsSchema, gatherFacts, keepFluctuating } from "./facts";
import { judge } from "./preflightChecks";
import type { Finding } from "./preflightFinding";
import { preflightInputs, type PreflightInputs } from "./preflightInputs";

/** "1. port 80: taken by apache2 on 0.0.0.0; wanted: free. Remedy: ...", one line each. */
export function describeRefusals(refusals: Finding[]): string {
  return refusals
    .map(
      ({ what, found, wanted, remedy }, index) =>
        `  ${index + 1}. ${what}: ${found}; wanted: ${wanted}\n     ${remedy}`,
    )
    .join("\n");
}

const outputs = z.object({
  facts: factsSchema.describe("What is known of the host."),
  warnings: z.array(z.string()).describe("What was found and did not stop the run."),
});
type Outputs = z.infer<typeof outputs>;

async function check(
  ctx: Parameters<ResourceHandler["create"]>[0],
  wanted: PreflightInputs,
): Promise<Outputs> {
  const session = await ctx.session();
  // 200 writes tell a slow disk from a fast one, and take 0.1 s on NVMe and 2 s on a rotating disk.
  const gathered = await gatherFacts(session, wanted.minFsyncPerSecond > 0 ? 200 : 0);
  const { refusals, warnings } = judge(gathered, wanted);
  for (const warning of warnings) ctx.log(warning, "warning");
  if (refusals.length > 0) {
    const count = refusals.length === 1 ? "1 reason" : `${refusals.length} reasons`;
    throw new HostError(`${session.name} cannot be used, for ${count}:\n${describeRefusals(refusals)}`, {
      host: session.name,
      step: "preflight",
      remedy: "nothing was changed on the host; put right what is listed and run again",
    });
  }
  return { facts: gathered.facts, warnings };
}

/**
 * Runs when it is created and when its inputs change; a refresh returns what is stored, because a check that passed has nothing to
 * drift. Delete: nothing to do.
 */
export const preflight: ResourceHandler<PreflightInputs, Outputs> = {
  type: "host:index:Preflight",
  description:
    "Refuses a host on which the rest cannot work, with every reason at once (what was found, what is wanted, what to do), before anything is changed on it. Runs when it is created and when its arguments change. Delete: nothing to do.",
  schema: preflightInputs,
  outputs,
  replaceOn: [],
  // A check that runs again finds the same host; what depends on its release stays known in a preview.
  stables: ["facts"],
  async create(ctx, wanted) {
    return { id: "preflight", outputs: await check(ctx, wanted) };
  },
  async read(_ctx, _id, wanted, outputs) {
    return { inputs: wanted, outputs };
  },
  async update(ctx, _id, _olds, news, outputs) {
    const { facts, warnings } = await check(ctx, news);
    return { facts: keepFluctuating(outputs.facts, facts), warnings };
  },
  async delete() {
    // A check leaves nothing on a host.
  },
};
