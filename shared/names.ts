/** Names of what a function is and has. Each is what the engine takes, so that no name fails late. */

/** Where functions live: the one namespace, and the network that is named like it. */
export const NAMESPACE = "openfaas-fn";

/** Swarm services of the stack: no function can have such a name, since services of a swarm share their names. */
export const STACK_SERVICES = [
  "alertmanager",
  "basic-auth-plugin",
  "edge",
  "exporter",
  "gateway",
  "intake",
  "nats",
  "nats-streaming",
  "prometheus",
  "queue-worker",
  "swarm-provider",
] as const;
export type StackService = (typeof STACK_SERVICES)[number];

/** A kind of name: its form, and the message for other texts. */
interface Name {
  form: RegExp;
  phrase: string;
}

export const FUNCTION_NAME: Name = {
  form: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  phrase: "must be lower-case letters, digits and dashes, at most 63, with a letter or digit at both ends",
};

export const SECRET_NAME: Name = {
  form: /^[a-zA-Z0-9]([\w.-]{0,62}[a-zA-Z0-9])?$/,
  phrase:
    "must be letters, digits, dashes, dots and underscores, at most 64, with a letter or digit at both ends",
};

export const VARIABLE_NAME: Name = {
  form: /^[^=\0\s]+$/,
  phrase: "cannot name a variable: blanks and = are not allowed",
};

/** @returns why no function can be called so */
export function functionNameProblem(name: string): string | undefined {
  if (!FUNCTION_NAME.form.test(name)) return FUNCTION_NAME.phrase;
  if ((STACK_SERVICES as readonly string[]).includes(name))
    return `is the name of a service of the stack; those are ${STACK_SERVICES.join(", ")}`;
  return undefined;
}
