/** What the comments of a stack file lead an editor and a person to. */
import fs from "node:fs";
import path from "node:path";

const SCHEMA = "stacks/environment.schema.json";
const REFERENCE = "docs/configuration.md";
const PACKAGE = "node_modules/oslo-faas";

const schemaLine = (file: string) => `# yaml-language-server: $schema=${file}`;

/** The first line of a stack file in this project's own repository. */
export const SCHEMA_LINE = schemaLine(path.basename(SCHEMA));
export const SCHEMA_LINE_OF_PACKAGE = schemaLine(`../${PACKAGE}/${SCHEMA}`);
export const REFERENCE_OF_PACKAGE = `${PACKAGE}/${REFERENCE}`;

/** This project's own repository has the source of the schema. */
export const isOwnRepository = (root: string): boolean =>
  fs.existsSync(path.join(root, "environment", "schema.ts"));

/** @param root the project that the stack file is in */
export const commentsFor = (root: string): { schemaLine: string; reference: string } =>
  isOwnRepository(root)
    ? { schemaLine: SCHEMA_LINE, reference: REFERENCE }
    : { schemaLine: SCHEMA_LINE_OF_PACKAGE, reference: REFERENCE_OF_PACKAGE };
