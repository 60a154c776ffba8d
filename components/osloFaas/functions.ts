import * as pulumi from "@pulumi/pulumi";
import type { LoadedEnvironment } from "../../environment";
import { readFunctions } from "../functions/files";
import type { FunctionOfFile } from "../functions/functionOfFile";
import { buildsFunctions } from "../functions/build";
import { notLoaded } from "../images/loaded";
import { loginProblems } from "../images/registries";

/** Every function of the environment. @throws pulumi.RunError with every mistake in its files, and for a login that no image needs. */
export function environmentFunctions(env: LoadedEnvironment): FunctionOfFile[] {
  const { functions, problems } = readFunctions(env.functions, {
    secrets: Object.keys(env.functionSecrets),
    builds: buildsFunctions(env.images),
    timeouts: env.openfaas,
  });
  const logins = loginProblems(Object.keys(env.registryAuth), env, functions).map(({ text }) => text);
  // What a broken stack.yml would have named is not known.
  if (problems.length === 0 && logins.length > 0)
    throw new pulumi.RunError(
      `stacks/Pulumi.${env.name}.yaml:\n${logins.map((line) => `  ${line}`).join("\n")}`,
    );
  if (problems.length === 0 && env.images.functions === "loaded")
    problems.push(...notLoaded(functions, env.images, env.name));
  if (problems.length > 0)
    throw new pulumi.RunError(
      `functions: ${problems.length === 1 ? "one error" : `${problems.length} errors`}\n${problems.map((line) => `  ${line}`).join("\n")}`,
    );
  return functions;
}
