/** Which environments are production. */

/** Names of production, where an environment does not say itself. */
export const PRODUCTION_NAME = "(^|-)prod(uction)?$";

/**
 * @param said the environment's key `production`
 * @param pattern a regular expression for names. Default: PRODUCTION_NAME
 */
export const isProduction = (name: string, said: unknown, pattern = PRODUCTION_NAME): boolean =>
  typeof said === "boolean" ? said : new RegExp(pattern).test(name);
