/** Writes what a team's repository needs beside its package.json. A file that exists stays as it is. */
import fs from "node:fs";
import path from "node:path";
import { inPackage } from "../../shared/packageFolder";
import { UsageError } from "../errors";
import { create } from "../functions/new";
import { FILES, workflow, WORKFLOWS } from "./files";

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** @param folder where `npm init -y && npm i oslo-faas` ran @throws UsageError; nothing is written then */
export function init(folder: string, environment: string, say: (line: string) => void): void {
  if (!NAME.test(environment))
    throw new UsageError(
      `"${environment}" cannot name an environment: use lower-case letters, digits, dashes.`,
    );
  if (!fs.existsSync(path.join(folder, "package.json")))
    throw new UsageError("There is no package.json here. First: npm init -y && npm i oslo-faas");
  const names = { project: projectName(folder), environment };
  for (const [file, content] of Object.entries(FILES))
    write(folder, file.replace("ENVIRONMENT", environment), content(names), say);
  for (const name of WORKFLOWS) {
    const text = fs.readFileSync(inPackage(".github", "workflows", name), "utf8");
    write(folder, `.github/workflows/${name}`, workflow(text, environment), say);
  }
  if (fs.existsSync(path.join(folder, "functions", "stack.yml"))) say("functions/stack.yml: kept");
  else {
    fs.mkdirSync(path.join(folder, "functions"), { recursive: true });
    create("hello", "node", { root: folder, access: "public", say: () => undefined });
    say("functions/: the function hello");
  }
  for (const line of nextSteps(environment)) say(line);
}

/** What Pulumi accepts: letters, digits, dashes, dots, underscores. */
function projectName(folder: string): string {
  return path.basename(folder).replace(/[^\w.-]+/g, "-") || "functions";
}

function write(folder: string, file: string, text: string, say: (line: string) => void): void {
  fs.mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
  try {
    fs.writeFileSync(path.join(folder, file), text, { flag: "wx" });
    say(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    say(`${file}: kept`);
  }
}

const nextSteps = (environment: string): string[] => [
  "",
  "Next:",
  `  pulumi stack init ${environment}     # asks for a passphrase for its secrets`,
  `  pulumi preview -s ${environment}     # needs no host`,
  `  edit stacks/Pulumi.${environment}.yaml: your host's address, user and host key`,
  `  pulumi up -s ${environment}`,
];
