/** components/settings.generated.ts: the arguments that components share with an environment, out of the schema. */
import { environmentJsonSchema, type JsonSchema } from "./jsonSchema";

/** Sections that no component takes. */
const LEFT_OUT = ["extends", "functions", "latency", "privacy", "production"];

const HEAD = `/**
 * What components take from people, with the descriptions, defaults and examples of an environment's schema.
 * Made by \`npm run env -- generate\` out of environment; edit there.
 */
import type * as pulumi from "@pulumi/pulumi";
`;

export function settings(): string {
  const sections = Object.entries(environmentJsonSchema().properties ?? {});
  const kept = sections.filter(([key]) => !LEFT_OUT.includes(key));
  return [HEAD, ...kept.flatMap(([key, schema]) => interfaces(typeName([key]), schema))].join("\n");
}

/** ["openfaas", "queue"] → "OpenFaaSQueue". */
const typeName = (path: string[]) =>
  path.map((key) => (key === "openfaas" ? "OpenFaaS" : key[0]!.toUpperCase() + key.slice(1))).join("");

/** The name of one element of a list. */
const oneOf = (name: string) => name.replace(/s$/, "");

/** One interface for a mapping, or for the mappings of a list, and one for each mapping inside. */
function interfaces(name: string, schema: JsonSchema): string[] {
  if (schema.type === "array") return interfaces(oneOf(name), { ...schema, ...schema.items });
  const { properties = {}, required = [] } = schema;
  const lines = Object.entries(properties).map(([key, inner]) => {
    const type = typeOf(name + typeName([key]), inner);
    const optional = required.includes(key) ? "" : "?";
    return `${comment(inner)}\n${key}${optional}: ${isPlain(inner) ? type : `pulumi.Input<${type}>`};`;
  });
  const nested = Object.entries(properties).filter(([, inner]) => (inner.items ?? inner).properties);
  return [
    `/** ${schema.description ?? ""} */\nexport interface ${name}Settings {\n${lines.join("\n")}\n}\n`,
    ...nested.flatMap(([key, inner]) => interfaces(name + typeName([key]), inner)),
  ];
}

/** Whether the value, or one inside of it, decides which resources there are. */
const isPlain = (schema: JsonSchema): boolean =>
  schema.plain === true || Object.values(schema.properties ?? {}).some(isPlain);

function typeOf(name: string, schema: JsonSchema): string {
  if (schema.properties) return `${name}Settings`;
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.anyOf) return schema.anyOf.map((one) => typeOf(name, one)).join(" | ");
  if (schema.type === "array") return `pulumi.Input<${typeOf(oneOf(name), schema.items ?? {})}>[]`;
  if (typeof schema.additionalProperties === "object")
    return `{ [name: string]: pulumi.Input<${typeOf(name, schema.additionalProperties)}> }`;
  return schema.type === "integer" ? "number" : (schema.type ?? "unknown");
}

function comment(schema: JsonSchema): string {
  const example = schema.examples?.[0];
  const facts = [
    schema.unit ? `Unit: ${schema.unit}.` : "",
    schema.allowed ? `Allowed: ${schema.allowed}.` : "",
    schema.default === undefined || schema.properties ? "" : `Default: ${JSON.stringify(schema.default)}.`,
    example === undefined || schema.properties ? "" : `Example: ${JSON.stringify(example)}.`,
    schema.plain ? "Known when the program runs, not an Output: it decides which resources there are." : "",
  ];
  const lines = [schema.description ?? "", facts.filter(Boolean).join(" ")].filter(Boolean);
  return `/**\n${lines.map((line) => ` * ${line.replaceAll("*/", "*\\/")}`).join("\n")}\n */`;
}
