/** The functions of an environment, out of its files. */
import { buildsFunctions } from "../../components/functions/build";
import { readFunctions } from "../../components/functions/files";
import { readComplete, type Where } from "../environment";
import { Unusable } from "../errors";

/**
 * @param builds whether a function may name a handler in place of an image. Default: as the environment has it
 * @throws Unusable if the environment has errors; those of functions are in `problems`
 */
export function readAll({ root, stack, configFile }: Where, builds?: boolean) {
  const { environment, layers } = readComplete(stack, root, configFile);
  const read = readFunctions(environment.functions, {
    root,
    secrets: layers[0]?.secretNames.functionSecrets ?? [],
    builds: builds ?? buildsFunctions(environment.images),
  });
  return { environment, layers, ...read };
}

/** @throws Unusable if the environment or its functions have errors, with all of them */
export function readSound(where: Where) {
  const { problems, ...read } = readAll(where);
  if (problems.length > 0) throw new Unusable(problems.join("\n"));
  return read;
}
