/** host:index:FunctionSecret: a secret that functions may use, through the gateway. Its value goes in and never comes out. */
import * as z from "zod";
import { type Gateway, sleep } from "../gateway";
import type { ResourceHandler } from "../resource";
import { changedKeys } from "./compare";
import { isDone, open, unlessBusy } from "./functionRollout";

const inputs = z.strictObject({
  gateway: z
    .strictObject({
      host: z.string().min(1).default("127.0.0.1"),
      port: z.number().int().min(1).max(65535).default(8080),
    })
    .default({ host: "127.0.0.1", port: 8080 }),
  username: z.string().min(1),
  password: z.string().min(1),
  name: z
    .string()
    .regex(
      /^[a-zA-Z0-9]([\w.-]{0,62}[a-zA-Z0-9])?$/,
      "is letters, digits, dashes, dots and underscores, at most 64",
    ),
  value: z.string().min(1, "is empty; the engine takes no empty secret"),
});
type Inputs = z.infer<typeof inputs>;

interface Outputs {
  /** Counts up with each new value: what uses the secret sees that it changed, and not to what. */
  revision: number;
}

const PATH = "/system/secrets";

async function names(gateway: Gateway, seconds?: number): Promise<string[]> {
  const answer = await gateway.steadily("GET", PATH, undefined, seconds);
  if (answer.status !== 200)
    gateway.fail("list the secrets of functions", `the gateway answered ${answer.status} to GET ${PATH}`);
  return (JSON.parse(answer.body) as { name: string }[]).map(({ name }) => name);
}

/** The provider refuses a new value while a function that uses the secret is being updated; that has an end within this. */
const BUSY_SECONDS = 120;

/** Also where it is there already: by an interrupted run, or made by hand; from now on it has the environment's value. */
async function set(gateway: Gateway, { name, value }: Inputs, exists: boolean): Promise<void> {
  const method = exists ? "PUT" : "POST";
  const send = () => gateway.steadily(method, PATH, { name, value }, 120);
  const answer = exists ? await unlessBusy(BUSY_SECONDS, send) : await send();
  // It was not there before: an attempt without an answer made it.
  if (isDone(answer) || (!exists && answer.repeated && answer.status === 409)) return;
  gateway.fail(
    `set the secret ${name}`,
    // What the provider answers has the name in it and never the value; better safe than sorry.
    `the gateway refused the secret ${name} (${answer.status}): ${answer.body.replaceAll(value, "[secret]").trim().slice(0, 500)}`,
  );
}

/**
 * A secret in the swarm with OpenFaaS's label. A new value makes the provider roll the functions that use it. Drift: whether it is
 * there; a value that somebody else gave it cannot be seen. Delete: it is removed, which is refused while a function uses it.
 */
export const functionSecret: ResourceHandler<Inputs, Outputs> = {
  type: "host:index:FunctionSecret",
  schema: inputs,
  replaceOn: ["name"],
  secrets: ["password", "value"],
  changed(olds, news) {
    return changedKeys(olds, news, ["gateway", "username", "password"]);
  },
  async create(ctx, wanted) {
    const gateway = await open(ctx, wanted);
    await gateway.waitReady();
    const exists = (await names(gateway)).includes(wanted.name);
    // The provider keeps no note of who made a secret: that of an interrupted run looks like one made by hand.
    if (exists)
      ctx.log(
        `the secret ${wanted.name} was there already: it gets this environment's value, and goes when the environment drops it`,
        "warning",
      );
    await set(gateway, wanted, exists);
    return { id: wanted.name, outputs: { revision: 1 } };
  },
  async read(ctx, _id, wanted, outputs) {
    const gateway = await open(ctx, wanted);
    try {
      return (await names(gateway, 10)).includes(wanted.name) ? { inputs: wanted, outputs } : undefined;
    } catch (error) {
      // As with functions: a refresh that failed here could not go on to repair the gateway.
      const reason = error instanceof Error ? error.message : String(error);
      ctx.log(`${reason}; the secret ${wanted.name} is taken to be there`, "warning");
      return { inputs: wanted, outputs };
    }
  },
  async update(ctx, _id, olds, news, outputs) {
    // A new password of the gateway is no new value.
    if (olds.value === news.value) return outputs;
    const gateway = await open(ctx, news);
    await gateway.waitReady();
    await set(gateway, news, (await names(gateway)).includes(news.name));
    return { revision: (outputs.revision ?? 0) + 1 };
  },
  async delete(ctx, _id, { name, ...access }) {
    const gateway = await open(ctx, access);
    await gateway.waitReady();
    // The last update of a function that used it may not be over: until then the engine may go back to it.
    const deadline = Date.now() + 30_000;
    for (;;) {
      const answer = await gateway.steadily("DELETE", PATH, { name });
      if (answer.status === 404 || isDone(answer)) return;
      if (answer.status !== 409 || Date.now() > deadline)
        gateway.fail(
          `remove the secret ${name}`,
          `the gateway refused to remove the secret ${name} (${answer.status}): ${answer.body.trim().slice(0, 500)}`,
          "a function that was deployed by someone else may use it",
        );
      await sleep(2000);
    }
  },
};
