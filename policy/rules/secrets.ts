import { type ResourceValidationPolicy, Secret } from "@pulumi/policy";
import { isUnknown, looksSecret } from "../../shared/propertyValues";

/** Inputs that are secret whatever they are called, by type of resource. */
const SECRET_INPUTS: Record<string, string[]> = {
  "docker:index/secret:Secret": ["data"],
  "openfaas:index:FunctionSecret": ["value"],
  "openfaas:index:Function": ["registryAuth"],
  "pulumi:providers:docker": ["registryAuth"],
};

/** Paths of plain secrets, by resource: found when the engine offers inputs with their marks, and reported when it asks for a verdict. */
const found = new Map<string, string[]>();

/**
 * A secret that is not marked as one stands in the state, in diffs and in logs for all to read.
 *
 * A rule that only validates gets its inputs without the marks. One that may remediate gets them with, and this one remediates nothing: it
 * reads. A level of "remediate" is reported as mandatory where the violation is still there.
 */
export const noPlainSecret: ResourceValidationPolicy = {
  name: "no-plain-secret",
  description: "No secret is in the inputs of a resource as plain text.",
  enforcementLevel: "remediate",
  remediateResource: ({ urn, type, props }) => {
    found.set(urn, plainSecretsOf(type, marked(props)));
  },
  validateResource: ({ urn, name }, reportViolation) => {
    for (const path of found.get(urn) ?? [])
      reportViolation(
        `${name}: ${path} is a secret in plain text (pulumi.secret(), or a secret of the environment)`,
        urn,
      );
  },
};

/** The inputs with their marks, from under the two wrappers that @pulumi/policy puts around them. */
function marked(props: Record<string, unknown>): unknown {
  let inner: unknown = props;
  for (let depth = 0; depth < 2 && isWrapped(inner); depth++)
    inner = (inner as Record<string, unknown>).__getSpecialProxyTarget;
  return inner;
}

const isWrapped = (value: unknown): boolean =>
  typeof value === "object" && value !== null && (value as Record<string, unknown>).__isSpecialProxy === true;

/** As `plainSecrets`, and what is one by its place. */
export function plainSecretsOf(type: string, inputs: unknown): string[] {
  const values = (inputs ?? {}) as Record<string, unknown>;
  const always = (SECRET_INPUTS[type] ?? []).filter((name) => typeof values[name] === "string");
  return [...new Set([...always.filter((name) => !isUnknown(values[name])), ...plainSecrets(inputs)])];
}

/** Paths at which something secret stands unmarked. */
function plainSecrets(value: unknown, path = "", name = ""): string[] {
  if (value instanceof Secret || value === null || value === undefined) return [];
  if (typeof value === "string") return looksSecret(name, value) ? [path] : [];
  if (Array.isArray(value)) return value.flatMap((item, i) => plainSecrets(item, `${path}[${i}]`, name));
  if (typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    plainSecrets(inner, path ? `${path}.${key}` : key, key),
  );
}
