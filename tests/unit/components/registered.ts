/** What a program registers, under strict mocks: a call of a function of a provider is refused. */
import * as pulumi from "@pulumi/pulumi";
import type { MockResourceArgs } from "@pulumi/pulumi/runtime";

export interface Registered extends MockResourceArgs {
  provider?: string;
}

/** What a provider alone can know, by the type of the resource. */
const MADE: Record<string, object> = {
  "host:index:Preflight": { facts: { osId: "ubuntu", osVersion: "18.04" } },
  "host:index:Facts": { facts: { osId: "debian", osVersion: "12" } },
  "host:index:Password": { value: "made" },
  "host:index:SwarmMember": { clusterId: "cluster" },
  "openfaas:index:FunctionSecret": { revision: 4 },
};

/**
 * Runs `make` with a configuration of its own.
 *
 * @param make returns outputs
 * @throws what the program throws, an error in an output included
 */
export async function registered(
  make: () => object | Promise<object>,
  config: { all?: Record<string, string>; secret?: string[] } = {},
): Promise<{ resources: Registered[]; outputs: Record<string, unknown> }> {
  const resources: Registered[] = [];
  const outputs: Record<string, unknown> = {};
  pulumi.runtime.setAllConfig(config.all ?? {}, config.secret);
  await pulumi.runtime.setMocks(
    {
      newResource: (args) => {
        resources.push(args);
        return { id: `${args.name}-id`, state: { ...args.inputs, ...MADE[args.type] } };
      },
      call: (args) => {
        throw new Error(`unexpected call of ${args.token}`);
      },
    },
    "oslo-faas",
    "test",
    false,
  );
  try {
    for (const [name, value] of Object.entries(await make()))
      outputs[name] = await new Promise((resolve) => pulumi.output(value).apply(resolve));
  } finally {
    // Waits until nothing is left to be registered.
    await pulumi.runtime.disconnect();
  }
  return { resources, outputs };
}
