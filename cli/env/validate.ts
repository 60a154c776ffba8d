/** `oslo-faas env validate [NAME …]`: every mistake of every file, without an engine, a passphrase or a host. */
import { environmentNames, fileOf, readEnvironment, strayFiles } from "../../environment/files";
import { located } from "../../environment/sources";
import { readFunctions } from "../../components/functions/files";
import { buildsFunctions, leftOutFolders } from "../../components/functions/build";
import { loginProblems } from "../../components/images/registries";
import { syntaxProblems } from "./syntax";

export interface Verdict {
  file: string;
  /** One line for each mistake; none where the environment is as it should be. */
  problems: string[];
  /** What is right and may surprise. */
  notes?: string[];
}

type Variables = Record<string, string | undefined>;

/**
 * @param variables what `${NAME}` in a stack.yml stands for. Default: the environment variables
 * @throws an Error if an environment does not exist
 */
export async function validate(
  names: string[],
  root: string,
  variables: Variables = process.env,
): Promise<Verdict[]> {
  const strays = [...(names.length > 0 ? [] : strayFiles(root))];
  const verdicts: Verdict[] = [];
  for (const name of names.length > 0 ? names : environmentNames(root))
    verdicts.push(await judge(name, root, variables));
  return [...verdicts, ...strays.map(([file, remedy]) => ({ file, problems: [remedy] }))];
}

async function judge(name: string, root: string, variables: Variables): Promise<Verdict> {
  const file = fileOf(name);
  const { environment, problems, layers } = readEnvironment(name, root);
  if (!environment) return { file, problems, notes: [] };
  const secrets = layers[0]?.secretNames.functionSecrets ?? [];
  const builds = buildsFunctions(environment.images);
  const timeouts = environment.openfaas;
  const read = readFunctions(environment.functions, { root, secrets, variables, builds, timeouts });
  const built = builds ? read.functions : [];
  // What a broken stack.yml would have named is not known.
  const logins = read.problems.length > 0 ? [] : (layers[0]?.secretNames.registryAuth ?? []);
  const unused = located(loginProblems(logins, environment, read.functions, root), layers);
  return {
    file,
    problems: [...problems, ...read.problems, ...(await syntaxProblems(built, root)), ...unused],
    notes: built.flatMap(({ build, file: stack }) =>
      build ? leftOutFolders(build, stack, root).map((folder) => `${folder}/ goes into no image`) : [],
    ),
  };
}

export function report(verdicts: Verdict[]): string {
  const count = verdicts.reduce((sum, { problems }) => sum + problems.length, 0);
  const lines = verdicts.flatMap(({ file, problems, notes = [] }) =>
    problems.length === 0
      ? [`ok    ${file}`, ...notes.map((line) => `        note: ${line}`)]
      : [`FAIL  ${file}`, ...problems.map((line) => `        ${line}`)],
  );
  return [...lines, ...(count > 0 ? [`${count} ${count === 1 ? "error" : "errors"}`] : []), ""].join("\n");
}
