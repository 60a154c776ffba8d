/** host:index:Function: an OpenFaaS function, deployed through the gateway. */
import { command } from "../quote";
import { Gateway, sleep } from "../gateway";
import type { Context, ResourceHandler } from "../resource";
import { changedKeys } from "./compare";
import {
  type Extras,
  type FunctionInputs,
  type FunctionStatus,
  MANAGED_LABEL,
  bounds,
  extrasOf,
  inputs,
  inputsFound,
  renderDeployment,
  sameImage,
  strayReplicas,
} from "./functionSpec";

export interface FunctionOutputs {
  /** Path under the front door: "/function/NAME". */
  path: string;
  /** Names that the provider adds by itself. */
  extras: Extras;
}

async function open(ctx: Context, wanted: FunctionInputs): Promise<Gateway> {
  const { gateway, username, password } = wanted;
  return new Gateway(await ctx.session(), { ...gateway, username, password });
}

const query = (wanted: FunctionInputs): string =>
  wanted.namespace ? `?namespace=${encodeURIComponent(wanted.namespace)}` : "";

/** undefined: there is no such function. */
async function status(
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

async function send(gateway: Gateway, method: "POST" | "PUT", wanted: FunctionInputs): Promise<void> {
  const answer = await gateway.steadily(method, "/system/functions", renderDeployment(wanted), 60);
  if (answer.status < 200 || answer.status > 299)
    gateway.fail(
      `deploy the function ${wanted.name}`,
      `the gateway refused the function ${wanted.name} (${answer.status}): ${answer.body.trim().slice(0, 1000) || "without a reason"}`,
      "correct what it names; secrets have to exist before a function can use them",
    );
}

/** A rolled function is up when its new image is reported and enough replicas answer, twice: the first time may count old ones. */
async function waitUp(ctx: Context, gateway: Gateway, wanted: FunctionInputs): Promise<FunctionStatus> {
  const enough = Math.max(1, bounds(wanted.labels).min);
  const deadline = Date.now() + wanted.waitSeconds * 1000;
  let seen = 0;
  let last: FunctionStatus | undefined;
  while (Date.now() < deadline) {
    last = await status(gateway, wanted);
    const up =
      last !== undefined &&
      sameImage(wanted.image, last.image ?? wanted.image) &&
      (last.availableReplicas ?? 0) >= enough;
    seen = up ? seen + 1 : 0;
    if (seen === 2) return last as FunctionStatus;
    await sleep(seen > 0 ? 500 : 1000);
  }
  const found = last
    ? `${last.availableReplicas ?? 0} of ${enough} replicas answer, image ${last.image}`
    : "it is not there";
  gateway.fail(
    `wait for the function ${wanted.name}`,
    `the function ${wanted.name} was not up within ${wanted.waitSeconds} s: ${found}`,
    "see the tasks and the log above; raise waitSeconds where the image is large or the start is slow",
    await whatIsKnown(ctx, gateway, wanted),
  );
}

/** The last lines of its log from the provider, or else the tasks and log of the service: for an error's text only. */
async function whatIsKnown(ctx: Context, gateway: Gateway, wanted: FunctionInputs): Promise<string> {
  const parts: string[] = [];
  const service = wanted.name;
  try {
    const session = await ctx.session();
    const tasks = command(
      "timeout",
      15,
      "docker",
      "service",
      "ps",
      "--no-trunc",
      "--format",
      "{{.CurrentState}}  {{.Error}}",
      service,
    );
    const logs = command("timeout", 15, "docker", "service", "logs", "--raw", "--tail", "20", service);
    const { stdout } = await session.run(
      `echo '--- its tasks, newest first'; ${tasks} 2>&1 | head -n 5; echo '--- its log'; ${logs} 2>&1 | tail -n 20`,
      { step: "read the function's tasks", allow: "any", timeoutSeconds: 40 },
    );
    parts.push(stdout.trim());
  } catch {
    // What is missing here is missing in an error's text, no more.
  }
  if (parts.join("").includes("no such service") || parts.length === 0) {
    const path = `/system/logs?name=${encodeURIComponent(service)}&tail=20&follow=false`;
    const answer = await gateway.request("GET", path, undefined, 10).catch(() => undefined);
    if (answer?.status === 200) parts.push(answer.body.trim().slice(-2000));
  }
  return parts.join("\n");
}

/** Outside of what an autoscaler may choose, nobody would ever bring it back. */
async function scaleBack(gateway: Gateway, wanted: FunctionInputs): Promise<void> {
  const current = await status(gateway, wanted);
  if (!current || strayReplicas(wanted, current) === undefined) return;
  const { min, max } = bounds(wanted.labels);
  const replicas = Math.min(Math.max(wanted.replicas ?? min, min), max);
  const answer = await gateway.steadily("POST", `/system/scale-function/${wanted.name}${query(wanted)}`, {
    serviceName: wanted.name,
    ...(wanted.namespace ? { namespace: wanted.namespace } : {}),
    replicas,
  });
  if (answer.status < 200 || answer.status > 299)
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
  await send(gateway, method, wanted);
  await scaleBack(gateway, wanted);
  const found = await waitUp(ctx, gateway, wanted);
  return { path: `/function/${wanted.name}`, extras: extrasOf(wanted, found) };
}

/** A function of ours that an interrupted run left is taken over; one that someone else deployed is not overwritten. */
async function create(
  ctx: Context,
  wanted: FunctionInputs,
): Promise<{ id: string; outputs: FunctionOutputs }> {
  const gateway = await open(ctx, wanted);
  await gateway.waitReady();
  const existing = await status(gateway, wanted);
  if (existing && existing.labels?.[MANAGED_LABEL] !== "true")
    gateway.fail(
      `deploy the function ${wanted.name}`,
      `there is a function ${wanted.name} already, and it was deployed by someone else`,
      `remove it (faas-cli remove ${wanted.name}), or give it the label ${MANAGED_LABEL}=true so that it is taken over`,
    );
  const outputs = await roll(ctx, gateway, wanted, existing ? "PUT" : "POST");
  return { id: wanted.namespace ? `${wanted.namespace}/${wanted.name}` : wanted.name, outputs };
}

async function remove(ctx: Context, wanted: FunctionInputs): Promise<void> {
  const gateway = await open(ctx, wanted);
  await gateway.waitReady();
  const body = { functionName: wanted.name, ...(wanted.namespace ? { namespace: wanted.namespace } : {}) };
  const answer = await gateway.steadily("DELETE", `/system/functions${query(wanted)}`, body);
  if (answer.status !== 404 && (answer.status < 200 || answer.status > 299))
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

const IGNORED = ["gateway", "username", "password", "waitSeconds"];

/**
 * Deploys and waits until enough replicas of the new image answer; where they do not, the error shows the tasks and the log. A count
 * of replicas that an autoscaler may have chosen is no drift. Delete: removes the function and waits until it is gone.
 */
export const faasFunction: ResourceHandler<FunctionInputs, FunctionOutputs> = {
  type: "host:index:Function",
  schema: inputs,
  replaceOn: ["name", "namespace"],
  stables: ["path"],
  secrets: ["password"],
  changed(olds, news) {
    // How the gateway is reached says nothing about what runs: a new password rolls no function.
    return changedKeys(olds, news, IGNORED);
  },
  create,
  async read(ctx, _id, wanted, outputs) {
    const gateway = await open(ctx, wanted);
    try {
      const found = await status(gateway, wanted, 10);
      return found && { inputs: inputsFound(wanted, found, outputs.extras), outputs };
    } catch (error) {
      // A refresh that failed here could not go on to repair the gateway.
      const reason = error instanceof Error ? error.message : String(error);
      ctx.log(`${reason}; the function ${wanted.name} is taken to be what it was`, "warning");
      return { inputs: wanted, outputs };
    }
  },
  async update(ctx, _id, _olds, news) {
    const gateway = await open(ctx, news);
    await gateway.waitReady();
    // PUT also where someone removed it since: providers answer 404 then, and a deployment is what is wanted.
    return roll(ctx, gateway, news, (await status(gateway, news)) ? "PUT" : "POST");
  },
  async delete(ctx, _id, wanted) {
    await remove(ctx, wanted);
  },
};
