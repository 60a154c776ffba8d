/** `oslo-faas env generate [--check]`: writes or compares the files that are made from the schema. */
import fs from "node:fs";
import path from "node:path";
import { SCHEMA_LINE } from "./editor";
import { reference } from "./reference";
import { stackFileJsonSchema } from "./jsonSchema";
import { settings } from "./settings";

export const SCHEMA_FILE = "stacks/environment.schema.json";
export const REFERENCE_FILE = "docs/configuration.md";
export const SETTINGS_FILE = "components/settings.generated.ts";

/** File → its content. */
export async function generated(): Promise<Map<string, string>> {
  // A tool for those who change this project, and so loaded only here.
  const [{ format: pretty }, ...plugins] = await Promise.all([
    import("prettier/standalone"),
    import("prettier/plugins/babel"),
    import("prettier/plugins/estree"),
    import("prettier/plugins/markdown"),
    import("prettier/plugins/typescript"),
  ]);
  const options = JSON.parse(
    fs.readFileSync(path.join(__dirname, "../../.prettierrc.json"), "utf8"),
  ) as object;
  const format = (file: string, text: string) => pretty(text, { ...options, plugins, filepath: file });
  return new Map([
    [SCHEMA_FILE, await format(SCHEMA_FILE, JSON.stringify(stackFileJsonSchema(), null, 2))],
    [REFERENCE_FILE, await format(REFERENCE_FILE, reference())],
    [SETTINGS_FILE, await format(SETTINGS_FILE, settings())],
  ]);
}

/** Every stale file, with the remedy. */
export async function stale(root: string): Promise<string[]> {
  const problems: string[] = [];
  for (const [file, content] of await generated()) {
    const there = fs.existsSync(path.join(root, file))
      ? fs.readFileSync(path.join(root, file), "utf8")
      : undefined;
    if (there === undefined) problems.push(`${file} is missing: npm run env -- generate`);
    else if (there !== content)
      problems.push(
        `${file} is stale, from line ${firstDifference(there, content)}: npm run env -- generate`,
      );
  }
  for (const file of yamlFiles(root)) {
    const [first] = fs.readFileSync(path.join(root, file), "utf8").split("\n");
    if (first !== SCHEMA_LINE)
      problems.push(`${file}: its first line has to be "${SCHEMA_LINE}", for editors`);
  }
  return problems;
}

/** Writes what is stale. Returns the names of the files written. */
export async function write(root: string): Promise<string[]> {
  const written: string[] = [];
  for (const [file, content] of await generated()) {
    const full = path.join(root, file);
    if (fs.existsSync(full) && fs.readFileSync(full, "utf8") === content) continue;
    fs.writeFileSync(full, content);
    written.push(file);
  }
  return written;
}

function yamlFiles(root: string): string[] {
  return fs
    .readdirSync(path.join(root, "stacks"))
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .map((file) => `stacks/${file}`);
}

function firstDifference(a: string, b: string): number {
  const [left, right] = [a.split("\n"), b.split("\n")];
  const index = left.findIndex((line, i) => line !== right[i]);
  return (index < 0 ? left.length : index) + 1;
}
