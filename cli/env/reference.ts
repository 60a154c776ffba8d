/** docs/configuration.md: every key of an environment, out of the schema. */
import { TIMEOUTS_OF_FUNCTIONS } from "../../components/functions/timeouts";
import { RULES } from "../../environment/rules";
import { SECRET_KEYS } from "../../environment/schema";
import { NAMESPACE } from "../../environment/stackfile";
import { environmentJsonSchema, type JsonSchema } from "./jsonSchema";

/** What is the same whatever the schema says. */
const INTRODUCTION = `<!-- Made by \`npm run env -- generate\` out of environment; edit there. -->

# Configuration

One file describes one environment: \`stacks/Pulumi.<environment>.yaml\` (the engine reads no other ending). Each key below stands under \`config:\` as \`${NAMESPACE}:<key>\`;
\`nginx.keepalive\` is

\`\`\`yaml
config:
  ${NAMESPACE}:nginx:
    keepalive: 128
\`\`\`

What is not written has its default. The least that an environment says is \`host.address\` and the host's key.

| command | what it does |
| --- | --- |
| \`npx oslo-faas env new NAME\` | makes the file of a new environment, and records its host's key after showing the fingerprint |
| \`npx oslo-faas env show NAME\` | prints everything that holds for an environment, and for each value whether it is a default or which line says it |
| \`npx oslo-faas env validate [NAME …]\` | names every mistake in the files, with its line; exit code 1 when there is one |

\`show\`, \`validate\` and \`generate\` need no engine, no passphrase and no host. \`pulumi preview\` and \`pulumi up\` check the same before anything else.

## What environments share

A key \`${NAMESPACE}:extends: stacks/base.yaml\` puts the file under the values of another one of the same form. Mappings are merged key by key at every
depth, what is written in the environment going first; **a list is replaced whole**, and so is any other value. To have nothing of a
list in the base, write \`[]\`. A base has neither a base of its own nor secrets. Keys of other namespaces (\`pulumi:…\`) are read by the engine, which knows nothing of bases: they stay in each
environment's file.

Paths in a configuration are relative to the project, wherever they are written.

## Editors

The first line of each file, \`# yaml-language-server: $schema=environment.schema.json\`, has editors with a YAML language server complete keys and
mark mistakes while typing. What two values have to agree on (below) they cannot see; \`validate\` does.

## YAML

Write \`true\` and \`false\`; \`yes\`, \`no\`, \`on\` and \`off\` are texts here. \`country: NO\` is Norway, in quotes or without: the engine does not take it for a "no". Numbers are
written without quotes, and texts that look like a number or a date (\`"2026-11-23"\`) in quotes. A whole number that starts with 0 is octal: \`010\` is eight.`;

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

const HEAD =
  "| key | type | default | allowed | what it does | example |\n| --- | --- | --- | --- | --- | --- |";

function section(key: string, schema: JsonSchema): string {
  const required = schema.required?.length ? " Required." : "";
  const list = schema.type === "array" ? ` A list; default: ${code(schema.default)}.` : "";
  const rows = rowsOf(schema.type === "array" ? `${key}[]` : key, schema);
  return `## ${key}\n\n${schema.description}${list}${required}\n\n${HEAD}\n${rows.join("\n")}`;
}

/** Rows of the keys inside a mapping, or inside the mappings of a list. */
function rowsOf(path: string, schema: JsonSchema): string[] {
  const { properties = {}, required = [] } = schema.type === "array" ? (schema.items ?? {}) : schema;
  return Object.entries(properties).flatMap(([key, inner]) => {
    const name = `${path}.${key}`;
    const nested = rowsOf(name, inner);
    if (nested.length === 0) return [row(name, inner, required.includes(key))];
    return [row(name, { ...inner, default: undefined, kind: "mapping" }, required.includes(key)), ...nested];
  });
}

function row(name: string, schema: JsonSchema, required: boolean): string {
  const standard = required ? "required" : schema.default === undefined ? "–" : code(schema.default);
  const unit = schema.unit ? `, ${schema.unit}` : "";
  const cells = [
    `\`${name}\``,
    `${kind(schema)}${unit}`,
    standard,
    allowed(schema),
    schema.description ?? "",
    example(name, schema),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
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

/** The example given, or else the default: it is always one that may be written. */
function example(name: string, schema: JsonSchema): string {
  const value = schema.examples?.[0] ?? schema.default;
  const key = name.split(".").at(-1)!;
  return value === undefined ? "" : `\`${key}: ${flow(value)}\``;
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

A secret is a top-level key of its own, and encrypted: \`pulumi config set --secret KEY -s NAME\` asks for its value without
showing it, and \`config set --secret --path functionSecrets.api-key\` for one of several under a key. One in plain text is an error, and so
is a secret inside of another key. \`secure:\` around a plain text makes no secret of it: what stands there has to be what the engine writes.

| key | what it is |
| --- | --- |
${rows.join("\n")}`;
}

function rules(): string {
  const sentences = [...RULES.map(({ sentence }) => sentence), TIMEOUTS_OF_FUNCTIONS];
  return `## What values have to agree on\n\n${sentences.map((sentence) => `- ${sentence}`).join("\n")}`;
}
