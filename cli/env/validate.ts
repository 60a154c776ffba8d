/** `oslo-faas env validate [NAME …]`: every mistake of every file, without an engine, a passphrase or a host. */
import { environmentNames, fileOf, readEnvironment, strayFiles } from "../../environment/files";
import { located } from "../../environment/sources";
import { readFunctions } from "../../components/functions/files";
import { buildsFunctions } from "../../components/images/context";
import { loginProblems } from "../../components/images/registries";

export interface Verdict {
  file: string;
  /** One line for each mistake; none where the environment is as it should be. */
  problems: string[];
}

/**
 * @param variables what `${NAME}` in a stack.yml stands for. Default: the environment variables
 * @throws an Error when a name is no environment's
 */
export function validate(
  names: string[],
  root: string,
  variables: Record<string, string | undefined> = process.env,
): Verdict[] {
  const strays = [...(names.length > 0 ? [] : strayFiles(root))];
  const verdicts = (names.length > 0 ? names : environmentNames(root)).map((name): Verdict => {
    const { environment, problems, layers } = readEnvironment(name, root);
    const secrets = layers[0]?.secretNames.functionSecrets ?? [];
    if (!environment) return { file: fileOf(name), problems };
    const builds = buildsFunctions(environment.images);
    const timeouts = environment.openfaas;
    const read = readFunctions(environment.functions, { root, secrets, variables, builds, timeouts });
    // What a broken stack.yml would have named is not known.
    const logins = read.problems.length > 0 ? [] : (layers[0]?.secretNames.registryAuth ?? []);
    const unused = located(loginProblems(logins, environment, read.functions, root), layers);
    return { file: fileOf(name), problems: [...problems, ...read.problems, ...unused] };
  });
  return [...verdicts, ...strays.map(([file, remedy]) => ({ file, problems: [remedy] }))];
}

export function report(verdicts: Verdict[]): string {
  const count = verdicts.reduce((sum, { problems }) => sum + problems.length, 0);
  const lines = verdicts.flatMap(({ file, problems }) =>
    problems.length === 0
      ? [`ok    ${file}`]
      : [`FAIL  ${file}`, ...problems.map((line) => `        ${line}`)],
  );
  return [...lines, ...(count > 0 ? [`${count} ${count === 1 ? "error" : "errors"}`] : []), ""].join("\n");
}
