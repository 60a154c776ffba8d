/** Arguments of components, completed with the defaults that an environment has. */
import * as pulumi from "@pulumi/pulumi";
import { describe } from "../environment/describe";
import { type Environment, environmentSchema } from "../environment/schema";
import { keysAt } from "../environment/shape";

/** A section of an environment as a component takes it: any value may be an Output. */
export function complete<K extends keyof Environment>(
  section: K,
  args: pulumi.Input<object | undefined>,
): pulumi.Output<Environment[K]> {
  return pulumi.output(args).apply((values: unknown) => completeNow(section, values));
}

/**
 * The same for values that are known.
 * @throws pulumi.RunError with every mistake
 */
export function completeNow<K extends keyof Environment>(section: K, values: unknown): Environment[K] {
  const result = environmentSchema.shape[section].safeParse(values);
  if (result.success) return result.data as Environment[K];
  const raw = { [section]: values };
  const problems = result.error.issues.flatMap((issue) =>
    describe({ ...issue, path: [section, ...issue.path] }, raw, { secret: new Set() }),
  );
  throw new pulumi.RunError(problems.map(({ text }) => text).join("\n"));
}

/** Those of a component's arguments that a section of an environment has too. */
export function onlyOf(section: keyof Environment, args: object): object {
  const keys = keysAt([section]);
  return Object.fromEntries(Object.entries(args).filter(([key]) => keys.includes(key)));
}
