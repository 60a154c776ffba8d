/** What a deployment that says who may call it means for the edge. */
import { ACCESS, readAccess } from "../../../../shared/access";
import type { Deployment } from "../deployment";
import { invalid } from "../errors";
import type { Edge } from ".";

const isOpen = ({ annotations }: Deployment): boolean =>
  ["public", undefined].includes(readAccess(annotations)?.level);

/** @throws ApiError 400: without an edge nothing keeps callers out */
export function refuseAccess(deployment: Deployment): void {
  if (!isOpen(deployment))
    throw invalid([`annotations.${ACCESS}: only the edge keeps callers out; set openfaas.edge: true`]);
}

/**
 * Closes a new function to the outside until it is known who may call it.
 * @returns to be called when it is made, or when it is not
 */
export async function closedWhileMade(
  edge: Edge | undefined,
  deployment: Deployment,
): Promise<(() => Promise<void>) | undefined> {
  if (!edge) refuseAccess(deployment);
  return isOpen(deployment) ? undefined : edge?.begin(deployment.service);
}
