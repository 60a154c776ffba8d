/** What `pulumi up --refresh` would do: the host read anew, and compared with the program. It needs the state and its passphrase. */
import type { Context } from "../context";
import { run } from "../preview/engine";

interface PreviewStep {
  op: string;
  urn: string;
}

/** One line for each resource that would change; none where there is no drift. @throws an Error with the engine's own first error */
export async function drift(
  stack: string,
  { root, configFile, engine }: Pick<Context, "root" | "engine"> & { configFile?: string },
): Promise<string[]> {
  const config = configFile ? ["--config-file", configFile] : [];
  const args = ["preview", "--refresh", "--json", "--stack", stack, ...config];
  const { code, stdout, stderr } = await run(await engine(args), args, root);
  return parsePreview(stdout, stderr, code!);
}

export function parsePreview(out: string, err: string, code: number): string[] {
  let answer: { steps?: PreviewStep[]; diagnostics?: { message: string; severity: string }[] };
  try {
    answer = JSON.parse(out.slice(out.indexOf("{"))) as typeof answer;
  } catch {
    throw new Error(firstLine(err) || firstLine(out) || `pulumi preview ended with ${code}`);
  }
  const wrong = (answer.diagnostics ?? []).find(({ severity }) => severity === "error");
  if (code !== 0) throw new Error(firstLine(wrong?.message ?? err) || `pulumi preview ended with ${code}`);
  return (answer.steps ?? [])
    .filter(({ op }) => op !== "same" && op !== "read" && op !== "refresh")
    .map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`);
}

const firstLine = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .find((line) => line !== "") ?? "";
