/** The one namespace there is: the functions' network. */
import { ApiError } from "./errors";

/** Whether what `at` says of a namespace, a query or a body, means this provider's: it may leave it out. */
export function isOurs(at: unknown, network: string): boolean {
  const namespace = (at as { namespace?: unknown } | null | undefined)?.namespace;
  return !namespace || namespace === network;
}

/** "hello" of "hello" and of "hello.openfaas-fn". */
export function withoutNamespace(name: string, network: string): string {
  return name.endsWith(`.${network}`) ? name.slice(0, -network.length - 1) : name;
}

export function noSuchFunction(name: string): ApiError {
  return new ApiError(404, `No such function: ${name}`);
}
