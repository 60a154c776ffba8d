/** The provider's published schema (Pulumi's package schema), made of the zod schemas that validate. Pure. */
import * as z from "zod";
import type { Definition, FunctionHandler, ResourceHandler } from "./resource";
import { VERSION } from "./version";

export interface TypeSpec {
  type?: string;
  $ref?: string;
  items?: TypeSpec;
  additionalProperties?: TypeSpec;
  oneOf?: TypeSpec[];
}

export interface PropertySpec extends TypeSpec {
  description?: string;
  default?: string | number | boolean;
  secret?: boolean;
  replaceOnChanges?: boolean;
}

export interface ObjectSpec {
  description?: string;
  type?: string;
  properties?: Record<string, PropertySpec>;
  required?: string[];
  enum?: { value: string }[];
}

export interface ResourceSpec extends ObjectSpec {
  inputProperties: Record<string, PropertySpec>;
  requiredInputs: string[];
  aliases?: { type: string }[];
}

export interface FunctionSpec {
  description: string;
  inputs: ObjectSpec;
  outputs: ObjectSpec;
}

export interface PackageSpec {
  name: string;
  displayName: string;
  version: string;
  description: string;
  license: string;
  keywords: string[];
  publisher: string;
  config: { variables: Record<string, PropertySpec>; defaults: string[] };
  provider: ResourceSpec;
  types: Record<string, ObjectSpec>;
  resources: Record<string, ResourceSpec>;
  functions: Record<string, FunctionSpec>;
}

type Json = z.core.JSONSchema.BaseSchema;

export function schemaOf(definition: Definition): PackageSpec {
  const convert = new Converter(definition.name);
  const { properties, required } = convert.object(definition.config, definition.configSecrets);
  return {
    name: definition.name,
    displayName: definition.displayName,
    version: VERSION,
    description: definition.description,
    license: "Apache-2.0",
    keywords: ["pulumi", "category/infrastructure"],
    publisher: "oslo-faas",
    config: { variables: properties, defaults: required },
    provider: {
      description: definition.providerDescription,
      inputProperties: properties,
      requiredInputs: required,
    },
    resources: byType(definition.resources, (handler) => resourceSpec(handler, convert)),
    functions: byType(definition.functions, (handler) => functionSpec(handler, convert)),
    types: convert.types,
  };
}

function byType<H extends { type: string }, S>(
  handlers: readonly H[],
  spec: (handler: H) => S,
): Record<string, S> {
  const sorted = [...handlers].sort((a, b) => (a.type < b.type ? -1 : 1));
  return Object.fromEntries(sorted.map((handler) => [handler.type, spec(handler)]));
}

function resourceSpec(handler: ResourceHandler, convert: Converter): ResourceSpec {
  const inputs = convert.object(handler.schema, handler.secrets, handler.replaceOn);
  const outputs = convert.object(handler.outputs, [
    ...(handler.secrets ?? []),
    ...Object.keys(handler.derived ?? {}).filter((output) =>
      handler.secrets?.includes(handler.derived?.[output] ?? ""),
    ),
  ]);
  // What has a default is in the state of every resource.
  const present = Object.keys(inputs.properties).filter(
    (key) => inputs.required.includes(key) || inputs.defaulted.includes(key),
  );
  return {
    description: handler.description,
    properties: { ...inputs.properties, ...outputs.properties },
    required: [...present, ...outputs.required],
    inputProperties: inputs.properties,
    requiredInputs: inputs.required,
    ...(handler.aliases ? { aliases: handler.aliases.map((type) => ({ type })) } : {}),
  };
}

function functionSpec(handler: FunctionHandler, convert: Converter): FunctionSpec {
  const [inputs, outputs] = [convert.object(handler.schema), convert.object(handler.outputs)];
  return {
    description: handler.description,
    inputs: { type: "object", properties: inputs.properties, required: inputs.required },
    outputs: { type: "object", properties: outputs.properties, required: outputs.required },
  };
}

interface Properties {
  properties: Record<string, PropertySpec>;
  required: string[];
  defaulted: string[];
}

/** zod leaves a default out where the value is transformed on its way. */
function keepDefault({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: Json }): void {
  if (zodSchema._zod.def.type === "default") jsonSchema.default = zodSchema._zod.def.defaultValue;
}

/** zod's JSON schema as Pulumi's. Objects and enums with an `id` in their metadata become named types, which Pulumi needs. */
class Converter {
  readonly types: Record<string, ObjectSpec> = {};

  constructor(private readonly name: string) {}

  object(schema: z.ZodType, secrets: string[] = [], replaceOn: string[] = []): Properties {
    const json = z.toJSONSchema(schema, {
      io: "input",
      unrepresentable: "any",
      override: keepDefault,
    }) as Json;
    for (const [id, definition] of Object.entries(json.$defs ?? {}))
      this.types[this.token(id)] = this.named(definition, id, secrets);
    const properties = Object.entries(json.properties ?? {}).map(([key, value]) => [
      key,
      this.property(value as Json, key, {
        ...(secrets.includes(key) ? { secret: true } : {}),
        ...(replaceOn.includes(key) ? { replaceOnChanges: true } : {}),
      }),
    ]);
    const defaulted = Object.entries(json.properties ?? {}).filter(
      ([, value]) => "default" in (value as Json),
    );
    return {
      properties: Object.fromEntries(properties) as Record<string, PropertySpec>,
      required: json.required ?? [],
      defaulted: defaulted.map(([key]) => key),
    };
  }

  private token(id: string): string {
    return `${this.name}:index:${id}`;
  }

  private named(json: Json, id: string, secrets: string[]): ObjectSpec {
    const description = json.description ? { description: json.description } : {};
    if (json.enum)
      return { ...description, type: "string", enum: json.enum.map((value) => ({ value: String(value) })) };
    const inner = secrets.filter((path) => path.includes(".")).map((path) => path.split(".")[1]);
    const properties = Object.entries(json.properties ?? {}).map(([key, value]) => [
      key,
      this.property(value as Json, `${id}.${key}`, inner.includes(key) ? { secret: true } : {}),
    ]);
    return {
      ...description,
      type: "object",
      properties: Object.fromEntries(properties) as Record<string, PropertySpec>,
      required: json.required ?? [],
    };
  }

  private property(json: Json, where: string, more: PropertySpec): PropertySpec {
    if (!json.description) throw new Error(`${this.name}: ${where} has no description`);
    const value = json.default;
    // Pulumi's schema knows defaults of scalars only; the description has the others.
    const scalar = ["string", "number", "boolean"].includes(typeof value);
    const other = value !== undefined && !scalar ? ` Default: ${JSON.stringify(value)}.` : "";
    return {
      ...this.typeOf(json, where),
      description: `${json.description}${other}`,
      ...(scalar ? { default: value as string | number | boolean } : {}),
      ...more,
    };
  }

  private typeOf(json: Json, where: string): TypeSpec {
    if (json.$ref) return { $ref: `#/types/${this.token(json.$ref.replace("#/$defs/", ""))}` };
    const union = json.anyOf ?? json.oneOf ?? (json.allOf?.length === 1 ? json.allOf : undefined);
    if (union) {
      const kinds = new Map(
        union.map((one) => this.typeOf(one, where)).map((one) => [JSON.stringify(one), one]),
      );
      const [first, ...others] = kinds.values();
      return others.length === 0 ? (first as TypeSpec) : { oneOf: [...kinds.values()] };
    }
    if (json.type === "array") return { type: "array", items: this.typeOf(json.items as Json, where) };
    if (json.type === "object" && json.properties)
      throw new Error(`${this.name}: ${where} is an object without a name; give its schema an id in .meta()`);
    if (json.type === "object")
      return { type: "object", additionalProperties: this.typeOf(json.additionalProperties as Json, where) };
    const { type } = json;
    if (typeof type !== "string" || type === "null")
      throw new Error(`${this.name}: ${where} has no single type`);
    return { type };
  }
}
