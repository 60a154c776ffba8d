import type { Sides } from "./environment";
export function policyOptions(
  _kind: string,
  _sides: Sides,
): { args: string[]; env(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv } {
  return { args: [], env: () => ({}) };
}
