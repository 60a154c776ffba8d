/** docs/configuration.md: every key of an environment, made from the schema. */
import { TIMEOUTS_OF_FUNCTIONS } from "../../components/functions/timeouts";
import { RULES } from "../../environment/rules";
import { SECRET_KEYS } from "../../environment/schema";
import { NAMESPACE } from "../../environment/stackfile";
import { environmentJsonSchema, type JsonSchema } from "./jsonSchema";

const INTRODUCTION = `<!-- Made by \`npm run env -- generate\` out of environment; edit there. -->

# Configuration

The file \`stacks/Pulumi.NAME.yaml\` describes the environment NAME (the engine reads no other extension). Each key below is written under
\`config:\` as \`${NAMESPACE}:KEY\`. For example, \`nginx.keepalive\` is

\`\`\`yaml
config:
  ${NAMESPACE}:nginx:
    keepalive: 128
\`\`\`

Keys that are not written have their defaults. Only \`host.address\` and the host's key are required.

| command | what it does |
| --- | --- |
| \`npx oslo-faas env new NAME\` | creates the file of a new environment, and records its host's key after showing the fingerprint |
| \`npx oslo-faas env show NAME\` | prints every value of an environment, and where it comes from: a line of a file, or the default |
| \`npx oslo-faas env validate\` | reports every mistake in the files, with its line; exit code 1 if there is one |

\`show\` and \`validate\` need no engine, no passphrase and no host. \`pulumi preview\` and \`pulumi up\` run the same checks first.

## What environments share

With \`${NAMESPACE}:extends: stacks/base.yaml\` an environment inherits the values of another file of the same form, its base. The environment's
values override the base's: mappings are merged key by key at every depth, while **a list is replaced as a whole**, like any other value.
To drop a list of the base, write \`[]\`. A base has no base of its own and no secrets. The engine reads keys of other namespaces
(\`pulumi:…\`) only in the environment's own file.

Paths are relative to the project, in both files.

## Editors

The first line of each file, \`# yaml-language-server: $schema=environment.schema.json\`, lets editors with a YAML language server complete
keys and mark mistakes. Only \`validate\` checks the rules across several values, listed at the end.

## YAML

Write \`true\` and \`false\`; \`yes\`, \`no\`, \`on\` and \`off\` are text. \`country: NO\` means Norway, with or without quotes. Write numbers
without quotes, and text that looks like a number or a date (\`"2026-11-23"\`) in quotes. A whole number that starts with 0 is octal:
\`010\` is eight.`;

export function reference(): string {
  const { properties = {} } = environmentJsonSchema();
  const entries = Object.entries(properties);
  const alone = entries.filter(([, schema]) => rowsOf("", schema).length === 0);
  const sections = entries.filter(([, schema]) => rowsOf("", schema).length > 0);
  return [
    INTRODUCTION,
    ...alone.map(([key, schema]) => `## ${key}\n\n${HEAD}\n${row(key, schema, false)}`),
    ...sections.map(([key, schema]) => section(key, schema)),
    secrets(),
    rules(),
    "",
  ].join("\n\n");
}

const HEAD = "| key | default | what it does |\n| --- | --- | --- |";

function section(key: string, schema: JsonSchema): string {
  const required = schema.required?.length ? " Required." : "";
  const list = schema.type === "array" ? ` A list; default: ${code(schema.default)}.` : "";
  const rows = rowsOf(schema.type === "array" ? `${key}[]` : key, schema);
  return `## ${key}\n\n${schema.description}${list}${required}\n\n${HEAD}\n${rows.join("\n")}`;
}

/** Rows for the keys of a mapping, or of the mappings in a list. */
function rowsOf(path: string, schema: JsonSchema): string[] {
  const { properties = {}, required = [] } = schema.type === "array" ? (schema.items ?? {}) : schema;
  return Object.entries(properties).flatMap(([key, inner]) => {
    const name = `${path}.${key}`;
    const isList = inner.type === "array";
    const nested = rowsOf(isList ? `${name}[]` : name, inner);
    if (nested.length === 0) return [row(name, inner, required.includes(key))];
    const whole = isList ? { kind: "list" } : { default: undefined, kind: "mapping" };
    return [row(name, { ...inner, ...whole }, required.includes(key)), ...nested];
  });
}

/** Three columns, which fit the width of a page on GitHub. */
function row(name: string, schema: JsonSchema, required: boolean): string {
  const standard = required ? "required" : schema.default === undefined ? "–" : code(schema.default);
  const cells = [
    `\`${name}\``,
    standard,
    `${schema.description ?? ""} ${form(schema)} ${example(name, schema)}`,
  ];
  return `| ${cells.map((cell) => cell.trim().replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}

/** "Whole number, 1 to 65535." or "Allowed: a host name or an IP address." */
function form(schema: JsonSchema): string {
  const values = allowed(schema);
  if (/^(an?|one) /.test(values)) return `Allowed: ${values}.`;
  const phrase = [kind(schema), schema.unit, values].filter(Boolean).join(", ");
  return `${phrase[0]!.toUpperCase()}${phrase.slice(1)}.`;
}

function kind(schema: JsonSchema): string {
  if (schema.kind) return schema.kind;
  if (schema.type === "array") return `list of: ${schema.items ? kind(schema.items) : "anything"}`;
  return "mapping";
}

function allowed(schema: JsonSchema): string {
  if (schema.allowed) return schema.allowed;
  if (schema.type === "array" && schema.items) return allowed(schema.items);
  if (schema.propertyNames) return "names of kernel settings; a number or a text each";
  return "";
}

function example(name: string, schema: JsonSchema): string {
  const value = schema.examples?.[0];
  const key = name.split(".").at(-1)!;
  return value === undefined ? "" : `Example: \`${key}: ${flow(value)}\`.`;
}

const code = (value: unknown) => `\`${flow(value)}\``;

/** As YAML on one line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value === "object" && value !== null)
    return `{ ${Object.entries(value)
      .map(([key, inner]) => `${key}: ${flow(inner)}`)
      .join(", ")} }`.replace("{  }", "{}");
  if (typeof value !== "string") return String(value);
  return /^[A-Za-z0-9_./][A-Za-z0-9_./ +-]*(:[A-Za-z0-9/._+~-]+)*$/.test(value) && !/^[\d.]+$/.test(value)
    ? value
    : JSON.stringify(value);
}

function secrets(): string {
  const rows = Object.entries(SECRET_KEYS).map(([key, text]) => `| \`${key}\` | ${text} |`);
  return `## Secrets

A secret is a separate top-level key, and encrypted. Set one with \`pulumi config set --secret KEY -s NAME\`, which asks for the value without
showing it. For one of several under a key, add \`--path functionSecrets.api-key\`. A secret in plain text is an error, and so is a secret
inside of another key. Writing \`secure:\` around a plain text does not encrypt it; only what the engine wrote is accepted.

| key | what it is |
| --- | --- |
${rows.join("\n")}`;
}

function rules(): string {
  const sentences = [...RULES.map(({ sentence }) => sentence), TIMEOUTS_OF_FUNCTIONS];
  return `## Rules across values\n\n${sentences.map((sentence) => `- ${sentence}`).join("\n")}`;
}
