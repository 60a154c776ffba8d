/** How much memory the engine is given: it starts nothing with less than its least amount, and OpenFaaS's clients ask for less. */
import { LEAST_MEMORY_LIMIT, LEAST_MEMORY_REQUEST, parseMemory } from "../../../shared/size";

const LEAST = { limits: LEAST_MEMORY_LIMIT, requests: LEAST_MEMORY_REQUEST };

/** Bytes; undefined when the text is no size. */
export function memoryGiven(kind: "limits" | "requests", text: string): number | undefined {
  const bytes = parseMemory(text);
  return bytes === undefined ? undefined : Math.max(bytes, LEAST[kind]);
}

/** Whether the engine is given more than was asked for. */
export function isRaised(kind: "limits" | "requests", text: string): boolean {
  return (parseMemory(text) ?? Infinity) < LEAST[kind];
}
