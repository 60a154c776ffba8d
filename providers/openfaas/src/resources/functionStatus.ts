/** What the gateway says of a function. */
import { type Gateway, query } from "../gateway";
import type { FunctionInputs, FunctionStatus } from "./functionSpec";

/** @returns undefined if the function does not exist */
export async function status(
  gateway: Gateway,
  wanted: FunctionInputs,
  seconds = 30,
): Promise<FunctionStatus | undefined> {
  const path = `/system/function/${wanted.name}${query(wanted)}`;
  const answer = await gateway.steadily("GET", path, undefined, seconds);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200)
    gateway.fail(
      `read the function ${wanted.name}`,
      `the gateway answered ${answer.status} to GET ${path}: ${answer.body.trim().slice(0, 500)}`,
    );
  return JSON.parse(answer.body) as FunctionStatus;
}
