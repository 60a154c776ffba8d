/** A function's rollout: until the new version is up, or until it is known why it is not. */
import { type Gateway, sleep } from "../gateway";
import type { Context } from "../resource";
import { runForService } from "../scripts";
import { status } from "./functionStatus";
import { bounds, type FunctionInputs, type FunctionStatus, sameImage, WAIT_ANNOTATION } from "./functionSpec";

/** The engine's words: "updating", "completed", "rollback_started"…; "" for none, undefined where it cannot be asked. */
type Update = string | undefined;

/** Seconds. No rollout is waited for any longer, whatever it says of its progress. */
const LONGEST = 1800;

/** How long a rollout is waited for: so many seconds since it was last seen to make progress. */
export class RolloutTimeout {
  private until: number;
  private readonly end: number;
  private most = 0;
  /** Whether it made any. */
  progressed = false;

  constructor(
    private readonly seconds: number,
    private readonly now: () => number = Date.now,
  ) {
    this.until = now() + seconds * 1000;
    this.end = now() + LONGEST * 1000;
  }

  isOver(): boolean {
    return this.now() >= Math.min(this.until, this.end);
  }

  /** One more replica of the new version than ever before, or an image that is being fetched. Replicas that start and end are no progress. */
  note(found: FunctionStatus | undefined): void {
    const { running = 0, preparing = 0 } = found?.rollout ?? {};
    // An image that cannot be had is fetched again and again as well.
    if (running <= this.most && (preparing === 0 || found?.problem)) return;
    this.most = Math.max(this.most, running);
    this.until = this.now() + this.seconds * 1000;
    this.progressed = true;
  }
}

/** Looks at a state that means "up" so many times in a row: an update that was only just asked for may not have begun. */
const LOOKS = 3;

/**
 * Waits for the end of the update, which comes some seconds after the last new replica: until then the engine watches it, and goes
 * back to the version before it when one fails. Where there is no engine to ask, enough replicas of the new image have to do.
 */
export async function waitUp(
  ctx: Context,
  gateway: Gateway,
  wanted: FunctionInputs,
): Promise<FunctionStatus> {
  const { min } = bounds(wanted.labels);
  let enough = Math.max(1, min);
  const timeout = new RolloutTimeout(wanted.waitSeconds);
  let seen = 0;
  let last: FunctionStatus | undefined;
  while (!timeout.isOver()) {
    last = await status(gateway, wanted);
    timeout.note(last);
    const update = await updateOf(ctx, wanted.name);
    if (hasFailed(update, last)) await refuse(ctx, gateway, wanted, last);
    // One that idles without a replica comes up with its next call.
    enough = min === 0 && last?.replicas === 0 ? 0 : Math.max(1, min);
    if (isUp(wanted, last, enough)) {
      if (update === "completed") return last;
      seen = isUnderWay(update) ? 0 : seen + 1;
      if (seen === LOOKS) return last;
    } else seen = 0;
    await sleep(seen > 0 ? 500 : 1000);
  }
  return giveUp(ctx, gateway, wanted, { last, enough, progressed: timeout.progressed });
}

const isUp = (
  wanted: FunctionInputs,
  found: FunctionStatus | undefined,
  enough: number,
): found is FunctionStatus =>
  found !== undefined &&
  sameImage(wanted.image, found.image ?? wanted.image) &&
  (found.availableReplicas ?? 0) >= enough;

interface Waited {
  last: FunctionStatus | undefined;
  enough: number;
  progressed: boolean;
}

async function giveUp(
  ctx: Context,
  gateway: Gateway,
  wanted: FunctionInputs,
  { last, enough, progressed }: Waited,
): Promise<never> {
  const found = last
    ? `${last.availableReplicas ?? 0} of ${enough} replicas answer, image ${last.image}${said(last)}`
    : "it is not there";
  return gateway.fail(
    `wait for the function ${wanted.name}`,
    `the function ${wanted.name} was not up within ${wanted.waitSeconds} s${progressed ? " of its last progress" : ""}: ${found}`,
    pullRemedy(wanted, last) ??
      `see the tasks and the log above; where its start is slow, give it more with the annotation ${WAIT_ANNOTATION}`,
    await whatIsKnown(ctx, gateway, wanted, last),
  );
}

const isUnderWay = (update: Update): boolean => update === "updating" || update === "rollback_started";

/** A rollback is waited for: then it is known whether the version before it serves. */
function hasFailed(update: Update, found: FunctionStatus | undefined): boolean {
  if (update === undefined) return found?.problem?.kind === "rolled back";
  return ["paused", "rollback_paused", "rollback_completed"].includes(update);
}

async function refuse(
  ctx: Context,
  gateway: Gateway,
  wanted: FunctionInputs,
  found: FunctionStatus | undefined,
): Promise<never> {
  const serving = found?.availableReplicas ?? 0;
  const before =
    serving > 0
      ? `the version before it serves, with ${serving} ${serving === 1 ? "replica" : "replicas"}`
      : "the version before it does not answer either";
  return gateway.fail(
    `roll the function ${wanted.name}`,
    `the new version of the function ${wanted.name} did not stay up, and ${before}${said(found)}`,
    pullRemedy(wanted, found) ??
      "see the log above; correct the function, or go back to what was deployed before",
    await whatIsKnown(ctx, gateway, wanted, found),
  );
}

/** What the engine says of an image that it cannot get: all that is left of a registry's refusal. */
const NOT_PULLED =
  /no such image|pull access denied|unauthorized|no basic auth credentials|authentication required/i;

function pullRemedy(wanted: FunctionInputs, found: FunctionStatus | undefined): string | undefined {
  if (!NOT_PULLED.test(found?.problem?.message ?? "")) return undefined;
  return wanted.registryAuth
    ? `see whether the registry of ${wanted.image} has the image and still takes the login of registryAuth`
    : `see whether the registry of ${wanted.image} has the image; where it asks for a login, set registryAuth for it`;
}

const said = (found: FunctionStatus | undefined): string =>
  found?.problem ? ` (${found.problem.message})` : "";

async function updateOf(ctx: Context, service: string): Promise<Update> {
  try {
    const { code, stdout } = await runForService(await ctx.session(), "function-update", service, {
      step: "read the function's update",
      timeoutSeconds: 20,
    });
    return code === 0 ? stdout.trim() : undefined;
  } catch {
    return undefined;
  }
}

/** The last lines of its log from the provider, or else the tasks and log of the service: for an error's text only. */
async function whatIsKnown(
  ctx: Context,
  gateway: Gateway,
  wanted: FunctionInputs,
  found: FunctionStatus | undefined,
): Promise<string> {
  const log = found?.problem?.log ?? [];
  if (log.length > 0) return ["--- its log", ...log].join("\n");
  try {
    const { code, stdout } = await runForService(await ctx.session(), "function-failure", wanted.name, {
      step: "read the function's log",
      timeoutSeconds: 60,
    });
    if (code === 0 && !stdout.includes("no such service")) return stdout.trim();
  } catch {
    // What is missing here is missing in an error's text, no more.
  }
  const path = `/system/logs?name=${encodeURIComponent(wanted.name)}&tail=20&follow=false`;
  const answer = await gateway.request("GET", path, undefined, 10).catch(() => undefined);
  return answer?.status === 200 ? answer.body.trim().slice(-2000) : "";
}
