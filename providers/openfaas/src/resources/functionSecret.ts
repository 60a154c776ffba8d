/** openfaas:index:FunctionSecret: a secret that functions may use, through the gateway. Its value goes in and never comes out. */
import * as z from "zod";
import { type Gateway, isDone, sleep, unlessBusy } from "../gateway";
import { SECRET_NAME } from "../../../../shared/names";
import type { ResourceHandler } from "../resource";
import { FORMER_ACCESS } from "./functionSpec";

const inputs = z.strictObject({
  name: z
    .string()
    .regex(SECRET_NAME.form, SECRET_NAME.phrase)
    .describe('Name of the secret. Example: "api-key".'),
  value: z
    .string()
    .min(1, "is empty; the engine takes no empty secret")
    .describe("The secret itself, at most 500 KiB. A new value rolls the functions that use it."),
});
type Inputs = z.infer<typeof inputs>;

const outputs = z.object({
  revision: z
    .number()
    .describe("Counts up with each new value: what uses the secret sees that it changed, and not to what."),
});
type Outputs = z.infer<typeof outputs>;

const PATH = "/system/secrets";

async function names(gateway: Gateway, seconds?: number): Promise<string[]> {
  const answer = await gateway.steadily("GET", PATH, undefined, seconds);
  if (answer.status !== 200)
    gateway.fail("list the secrets of functions", `the gateway answered ${answer.status} to GET ${PATH}`);
  return (JSON.parse(answer.body) as { name: string }[]).map(({ name }) => name);
}

/** The provider refuses a new value while a function that uses the secret is being updated; that has an end within this. */
const BUSY_SECONDS = 120;

/** Takes over an existing secret, from an interrupted run or made by hand, and gives it the environment's value. */
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

export const functionSecret: ResourceHandler<Inputs, Outputs> = {
  type: "openfaas:index:FunctionSecret",
  aliases: ["host:index:FunctionSecret"],
  retired: [...FORMER_ACCESS],
  description:
    "A secret that functions name under `secrets` and read as a file in /var/openfaas/secrets. An existing secret of that name is taken over, with a warning: nobody can tell who made it. Drift: whether it exists; its value cannot be read back. Delete: removes it, which is refused while a function uses it.",
  schema: inputs,
  outputs,
  replaceOn: ["name"],
  secrets: ["value"],
  async create(ctx, wanted) {
    const gateway = ctx.gateway();
    await gateway.waitReady();
    const exists = (await names(gateway)).includes(wanted.name);
    // The provider keeps no note of who made a secret: that of an interrupted run looks like one made by hand.
    if (exists)
      ctx.log(
        `the secret ${wanted.name} already existed: it gets this environment's value, and is deleted with the environment`,
        "warning",
      );
    await set(gateway, wanted, exists);
    return { id: wanted.name, outputs: { revision: 1 } };
  },
  async read(ctx, _id, wanted, state) {
    const gateway = ctx.gateway();
    try {
      return (await names(gateway, 10)).includes(wanted.name)
        ? { inputs: wanted, outputs: state }
        : undefined;
    } catch (error) {
      // As with functions: a refresh that failed here could not go on to repair the gateway.
      const reason = error instanceof Error ? error.message : String(error);
      ctx.log(`${reason}; the secret ${wanted.name} is taken to be there`, "warning");
      return { inputs: wanted, outputs: state };
    }
  },
  async update(ctx, _id, _olds, news, state) {
    const gateway = ctx.gateway();
    await gateway.waitReady();
    await set(gateway, news, (await names(gateway)).includes(news.name));
    return { revision: (state.revision ?? 0) + 1 };
  },
  async delete(ctx, _id, { name }) {
    const gateway = ctx.gateway();
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
