/**
 * `oslo-faas functions deploy`: one function of an environment by itself, through the same program, resource and state as an `up` of all of
 * it, so that the next `up` finds nothing to do.
 */
import { run } from "../../programs/run";
import type { Context } from "../context";
import { readKnown } from "./one";
import type { Where } from "../environment";

export interface DeployOptions extends Where {
  context: Pick<Context, "engine" | "prepareImages">;
  say: (line: string) => void;
}

const LIMIT_MS = 45 * 60_000;

/** @throws an Error with one clear message */
export async function deploy(name: string, { context, say, ...where }: DeployOptions): Promise<void> {
  const { root, stack, configFile } = where;
  const { url, found } = readKnown(name, where);
  const started = Date.now();
  if (found.build) await context.prepareImages?.(stack);
  const engine = await context.engine(["up", "--stack", stack]);
  const targets = targetsOf(name).flatMap((target) => ["--target", target]);
  const file = configFile ? ["--config-file", configFile] : [];
  const args = ["up", "--yes", "--skip-preview", "--stack", stack, ...file, ...targets];
  const ended = await run(engine.program, args, {
    cwd: root,
    env: engine.env,
    limitMs: LIMIT_MS,
    shown: true,
  });
  if (ended.problem) throw new Error(`pulumi up ${ended.problem}.`);
  say(`${name} is deployed, in ${((Date.now() - started) / 1000).toFixed(1)} s: ${url}`);
}

/**
 * The function, and the image where the host's engine builds it; then what they are parts of, whose record in the state names the image as
 * well. Patterns of Pulumi's for the ends of URNs: a target brings none of its children along.
 */
const targetsOf = (name: string): string[] => [
  `**::functions-${name}`,
  `**::images-fn-${name}`,
  "**index:Functions::functions",
  "**index:OwnImages::images",
];
