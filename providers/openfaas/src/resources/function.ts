/** openfaas:index:Function: an OpenFaaS function, deployed through the gateway. */
import { changedKeys } from "../../../core/compare";
import { type Gateway, isDone, query, sleep, unlessBusy } from "../gateway";
import type { Context, ResourceHandler } from "../resource";
import { status } from "./functionStatus";
import { waitUp } from "./rollout";
import {
  type FunctionInputs,
  type FunctionOutputs,
  type FunctionStatus,
  MANAGED_LABEL,
  FORMER_ACCESS,
  bounds,
  extrasOf,
  inputs,
  inputsFound,
  outputs,
  renderDeployment,
  strayReplicas,
} from "./functionSpec";

const isOurs = (found: FunctionStatus | undefined): boolean => found?.labels?.[MANAGED_LABEL] === "true";

async function send(gateway: Gateway, method: "POST" | "PUT", wanted: FunctionInputs): Promise<void> {
  const deploy = () => gateway.steadily(method, "/system/functions", renderDeployment(wanted), 120);
  const answer = method === "PUT" ? await unlessBusy(wanted.waitSeconds, deploy) : await deploy();
  if (isDone(answer)) return;
  // It was not there before: what is there now is what an attempt without an answer deployed.
  const exists = answer.repeated && (answer.status === 400 || answer.status === 409);
  if (!exists || !isOurs(await status(gateway, wanted)))
    gateway.fail(
      `deploy the function ${wanted.name}`,
      `the gateway refused the function ${wanted.name} (${answer.status}): ${answer.body.trim().slice(0, 1000) || "without a reason"}`,
      "correct what it names; secrets have to exist before a function can use them",
    );
}

/** Outside of what an autoscaler may choose, nobody would ever bring it back. Before the update, in which nothing is scaled. */
async function scaleBack(gateway: Gateway, wanted: FunctionInputs): Promise<void> {
  const current = await status(gateway, wanted);
  if (!current || strayReplicas(wanted, current) === undefined) return;
  const { min, max } = bounds(wanted.labels);
  const replicas = Math.min(Math.max(wanted.replicas ?? min, min), max);
  const scale = () =>
    gateway.steadily("POST", `/system/scale-function/${wanted.name}${query(wanted)}`, {
      serviceName: wanted.name,
      ...(wanted.namespace ? { namespace: wanted.namespace } : {}),
      replicas,
    });
  const answer = await unlessBusy(wanted.waitSeconds, scale);
  if (!isDone(answer))
    gateway.fail(
      `scale the function ${wanted.name}`,
      `the gateway refused to scale ${wanted.name} to ${replicas} (${answer.status}): ${answer.body.trim()}`,
    );
}

async function roll(
  ctx: Context,
  gateway: Gateway,
  wanted: FunctionInputs,
  method: "POST" | "PUT",
): Promise<FunctionOutputs> {
  if (method === "PUT") await scaleBack(gateway, wanted);
  await send(gateway, method, wanted);
  return settled(ctx, gateway, wanted);
}

async function settled(ctx: Context, gateway: Gateway, wanted: FunctionInputs): Promise<FunctionOutputs> {
  const found = await waitUp(ctx, gateway, wanted);
  return { path: `/function/${wanted.name}`, extras: extrasOf(wanted, found) };
}

/** Takes over a managed function that an interrupted run left. A function that someone else deployed is not overwritten. */
async function create(
  ctx: Context,
  wanted: FunctionInputs,
): Promise<{ id: string; outputs: FunctionOutputs }> {
  const gateway = ctx.gateway();
  await gateway.waitReady();
  const existing = await status(gateway, wanted);
  if (existing && !isOurs(existing))
    gateway.fail(
      `deploy the function ${wanted.name}`,
      `there is a function ${wanted.name} already, and it was deployed by someone else`,
      `remove it (faas-cli remove ${wanted.name}), or give it the label ${MANAGED_LABEL}=true so that it is taken over`,
    );
  const made = await roll(ctx, gateway, wanted, existing ? "PUT" : "POST");
  return { id: wanted.namespace ? `${wanted.namespace}/${wanted.name}` : wanted.name, outputs: made };
}

async function remove(ctx: Context, wanted: FunctionInputs): Promise<void> {
  const gateway = ctx.gateway();
  await gateway.waitReady();
  const body = { functionName: wanted.name, ...(wanted.namespace ? { namespace: wanted.namespace } : {}) };
  // This project's provider then waits for the last replica, which holds the network that may be removed next.
  const answer = await gateway.steadily(
    "DELETE",
    `/system/functions?wait=true${query(wanted).replace("?", "&")}`,
    body,
  );
  if (answer.status !== 404 && !isDone(answer))
    gateway.fail(
      `remove the function ${wanted.name}`,
      `the gateway refused to remove ${wanted.name} (${answer.status}): ${answer.body.trim()}`,
    );
  const deadline = Date.now() + 60_000;
  while ((await status(gateway, wanted)) !== undefined) {
    if (Date.now() > deadline)
      gateway.fail(
        `remove the function ${wanted.name}`,
        `the function ${wanted.name} was still there 60 s after its removal`,
      );
    await sleep(500);
  }
}

/** How long a deployment is waited for says nothing about what runs. */
const IGNORED = ["waitSeconds"];

export const faasFunction: ResourceHandler<FunctionInputs, FunctionOutputs> = {
  type: "openfaas:index:Function",
  aliases: ["host:index:Function"],
  retired: [...FORMER_ACCESS],
  description: `An OpenFaaS function, deployed through the gateway. Waits until enough replicas answer and the engine has finished the update; if the new version does not stay up, the error shows its log, and the version before it goes on serving. Functions made here carry the label ${MANAGED_LABEL}; a function without it was deployed by someone else, and is refused and not overwritten. Drift: image, environment, labels, annotations, secrets, constraints, limits, and \`replicas\` if their count is outside the bounds of the autoscaler. Delete: removes the function and waits until it is gone.`,
  schema: inputs,
  outputs,
  replaceOn: ["name", "namespace"],
  stables: ["path"],
  secrets: ["registryAuth"],
  changed(olds, news) {
    return changedKeys(olds, news, IGNORED);
  },
  create,
  async read(ctx, _id, wanted, state) {
    const gateway = ctx.gateway();
    try {
      const found = await status(gateway, wanted, 10);
      return found && { inputs: inputsFound(wanted, found, state.extras), outputs: state };
    } catch (error) {
      // A refresh that failed here could not go on to repair the gateway.
      const reason = error instanceof Error ? error.message : String(error);
      ctx.log(`${reason}; the function ${wanted.name} is taken to be what it was`, "warning");
      return { inputs: wanted, outputs: state };
    }
  },
  async update(ctx, _id, olds, news) {
    const gateway = ctx.gateway();
    await gateway.waitReady();
    // The provider rolls what uses a secret by itself when its value changes; what is left is to see it come up.
    const changed = changedKeys(olds, news, IGNORED);
    if (changed.every((key) => key === "secretRevisions")) return settled(ctx, gateway, news);
    // PUT also where someone removed it since: providers answer 404 then, and a deployment is what is wanted.
    return roll(ctx, gateway, news, (await status(gateway, news)) ? "PUT" : "POST");
  },
  async delete(ctx, _id, wanted) {
    await remove(ctx, wanted);
  },
};
