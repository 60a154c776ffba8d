/** The schema of an environment as JSON Schema: of the environment for the documentation, and of a whole stack file for editors. */
import * as z from "zod";
import { SHORTHANDS } from "../../environment/layers";
import { environmentSchema, SECRET_KEYS, SECRET_MAPPINGS } from "../../environment/schema";
import { CIPHERTEXT } from "../../environment/secrets";
import { NAMESPACE, OTHER_KEY } from "../../environment/stackfile";

/** The part of JSON Schema that is made here, with what our documentation adds to it (environment/fields.ts). */
export interface JsonSchema {
  $schema?: string;
  title?: string;
  description?: string;
  type?: string;
  default?: unknown;
  examples?: unknown[];
  enum?: unknown[];
  const?: unknown;
  pattern?: string;
  minLength?: number;
  minimum?: number;
  maximum?: number;
  required?: string[];
  properties?: Record<string, JsonSchema>;
  patternProperties?: Record<string, JsonSchema>;
  propertyNames?: JsonSchema;
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  if?: JsonSchema;
  then?: JsonSchema;
  not?: JsonSchema;
  /** What editors say in place of "does not match the pattern". */
  errorMessage?: string;
  unit?: string;
  kind?: string;
  allowed?: string;
  /** Resources depend on the value, so components take it as it is. */
  plain?: boolean;
}

/** The environment's own keys, with units and kinds. */
export function environmentJsonSchema(): JsonSchema {
  return z.toJSONSchema(environmentSchema, {
    target: "draft-7",
    io: "input",
    unrepresentable: "any",
  }) as JsonSchema;
}

/**
 * A whole stack file or base. What an environment requires may come from its base, so that only the entries of lists, which are never
 * merged, have required keys here, and a file that is surely an environment's and has no base: address and key of its host.
 */
export function stackFileJsonSchema(): JsonSchema {
  const own = withShortTls(environmentJsonSchema().properties ?? {});
  const keys = Object.entries(own).map(([key, schema]) => [
    `${NAMESPACE}:${key}`,
    Object.hasOwn(SHORTHANDS, key) ? orShort(forEditors(schema, false)) : forEditors(schema, false),
  ]);
  const secrets = Object.entries(SECRET_KEYS).map(([key, description]) => [
    `${NAMESPACE}:${key}`,
    Object.hasOwn(SECRET_MAPPINGS, key)
      ? {
          description,
          type: "object",
          propertyNames: { pattern: SECRET_MAPPINGS[key]!.name.source },
          additionalProperties: encrypted("A secret."),
        }
      : encrypted(`${description}\n\nSet it with: pulumi config set --secret ${key}`),
  ]);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A stack file of oslo-faas, or the base of several",
    type: "object",
    properties: {
      config: {
        description: "The environment. Each key is documented in docs/configuration.md.",
        type: "object",
        properties: {
          "pulumi:disable-default-providers": {
            description:
              "Providers that no resource gets unless it is told which one: a resource that forgot would reach the engine of the machine that runs Pulumi.",
            anyOf: [
              { type: "array", items: { type: "string" } },
              { type: "string", pattern: "^\\[" },
            ],
            examples: [["docker", "host"]],
          },
          ...(Object.fromEntries([...keys, ...secrets]) as Record<string, JsonSchema>),
        },
        ...REQUIRED,
        patternProperties: { [`^(?!${NAMESPACE}:)${OTHER_KEY.source.slice(1)}`]: {} },
        additionalProperties: false,
      },
      encryptionsalt: {
        description: "Salt of the passphrase that encrypts this environment's secrets.",
        type: "string",
      },
      encryptedkey: { description: "Key of this environment's secrets, encrypted.", type: "string" },
      secretsprovider: { description: "Who encrypts this environment's secrets.", type: "string" },
      environment: { description: "Pulumi ESC environments to import. Not used by this project." },
    },
    additionalProperties: false,
  };
}

const has = (key: string, inner: JsonSchema = {}): JsonSchema => ({
  required: [key],
  properties: { [key]: inner },
});

/** Keys of the engine are in no base. */
const REQUIRED: JsonSchema = {
  if: { ...has("pulumi:disable-default-providers"), not: has(`${NAMESPACE}:extends`) },
  then: has(`${NAMESPACE}:host`, { ...has("address"), anyOf: [has("hostKey"), has("hostKeyFile")] }),
};

const encrypted = (description: string): JsonSchema => ({
  description,
  type: "object",
  properties: { secure: { description: "The encrypted value.", type: "string", pattern: CIPHERTEXT } },
  required: ["secure"],
  additionalProperties: false,
});

/** `nginx: { tls: auto }` beside the mapping. */
function withShortTls(own: Record<string, JsonSchema>): Record<string, JsonSchema> {
  const { description, ...mapping } = own.nginx!.properties!.tls!;
  const tls: JsonSchema = { description, anyOf: [{ const: "auto" }, mapping] };
  return { ...own, nginx: { ...own.nginx, properties: { ...own.nginx!.properties, tls } } };
}

/** A list of mappings, of texts that stand for one, or one such text. */
function orShort({ description, examples, default: standard, ...schema }: JsonSchema): JsonSchema {
  const text: JsonSchema = { type: "string", minLength: 1 };
  const list = { ...schema, items: { anyOf: [text, schema.items ?? {}] } };
  return { description, examples, default: standard, anyOf: [text, list] };
}

/** Without what only our documentation reads. `complete`: all of it is in one place, so that required keys are required. */
function forEditors(schema: JsonSchema, complete: boolean): JsonSchema {
  const { unit: _unit, kind: _kind, plain: _plain, allowed, required, ...rest } = schema;
  const result: JsonSchema = { ...rest };
  if (rest.description) result.description = [rest.description, told(schema)].filter(Boolean).join("\n\n");
  if (allowed && rest.pattern) result.errorMessage = `must be ${allowed}`;
  // A section that has defaults of its own is not an empty one by default.
  if (rest.properties) delete result.default;
  if (complete && required && required.length > 0) result.required = required;
  if (rest.properties) result.properties = mapValues(rest.properties, (inner) => forEditors(inner, complete));
  if (rest.items) result.items = forEditors(rest.items, true);
  if (rest.anyOf) result.anyOf = rest.anyOf.map((inner) => forEditors(inner, complete));
  if (rest.propertyNames) result.propertyNames = forEditors(rest.propertyNames, complete);
  if (typeof rest.additionalProperties === "object")
    result.additionalProperties = forEditors(rest.additionalProperties, complete);
  return result;
}

/** Hovers show descriptions alone, without defaults. */
function told({ unit, allowed, default: standard, properties }: JsonSchema): string {
  return [
    ...(unit ? [`Unit: ${unit}.`] : []),
    ...(allowed ? [`Allowed: ${allowed}.`] : []),
    ...(standard === undefined || properties ? [] : [`Default: ${JSON.stringify(standard)}.`]),
  ].join(" ");
}

const mapValues = <T, U>(object: Record<string, T>, change: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
