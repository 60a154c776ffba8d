import { type ResourceValidationPolicy, Secret } from "@pulumi/policy";

/** A property that is named like a secret, and not like a place where one is. */
const NAME =
  /(^|[_.-]|[a-z](?=[A-Z]))(password|passwd|passphrase|secret|token|api[_-]?key|private[_-]?key|credentials?)$/i;
/** Whatever its name, a key is one. */
const KEY = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/;
/** What only an up will know, as the engine sends it: nothing to judge yet. */
const UNKNOWN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

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
  remediateResource: ({ urn, props }) => {
    found.set(urn, plainSecrets(marked(props)));
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

/** Paths at which something secret stands unmarked. */
export function plainSecrets(value: unknown, path = "", name = ""): string[] {
  if (value instanceof Secret || value === null || value === undefined) return [];
  if (typeof value === "string") return isPlainSecret(name, value) ? [path] : [];
  if (Array.isArray(value)) return value.flatMap((item, i) => plainSecrets(item, `${path}[${i}]`, name));
  if (typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    plainSecrets(inner, path ? `${path}.${key}` : key, key),
  );
}

function isPlainSecret(name: string, value: string): boolean {
  if (KEY.test(value)) return true;
  // A path names the file a secret is in.
  return NAME.test(name) && value !== "" && !value.startsWith("/") && !UNKNOWN.test(value);
}
