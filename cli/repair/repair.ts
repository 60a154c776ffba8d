/** Makes state and host agree after an `up` that was killed. */
import type { HostSession } from "../../providers/host/src/hostSession";
import { type Engine, EngineError, pulumi, stackOf } from "../../programs/pulumi";
import { type Ended, lastLines } from "../../programs/run";
import removeScript from "./scripts/remove.sh";
import { type Deployment, type HalfMade, halfMade, type Holder, isOver, lockHolders } from "./pending";

export interface Repair {
  engine: Engine;
  stack: string;
  /** Where the stack's file is elsewhere. */
  configFile?: string;
  root: string;
  session: HostSession;
  say: (line: string) => void;
}

/** @returns the number of interrupted operations @throws an Error that says what to do first */
export async function repair(task: Repair): Promise<number> {
  const deployment = await exported(task);
  const pending = deployment.pending_operations ?? [];
  for (const { type, resource } of pending)
    task.say(`interrupted while ${type} ${resource.urn.split("::").at(-1)}`);
  if (pending.length === 0) return 0;
  // First the engine alone: it takes the stack's lock, so that nothing is removed under a run that is not over.
  task.say("reading the host");
  await refresh(task);
  await removeHalfMade(task, halfMade(deployment));
  await refresh(task, true);
  return pending.length;
}

/** By the command: the API asks for the secrets in the clear. */
async function exported({ engine, stack, root }: Repair): Promise<Deployment> {
  const answer = await pulumi(engine, ["stack", "export", "--stack", stack], { cwd: root });
  if (answer.problem) throw failed("The stack's state cannot be read", answer);
  return (JSON.parse(answer.stdout) as { deployment?: Deployment }).deployment ?? {};
}

async function refresh(task: Repair, clearPendingCreates = false): Promise<void> {
  const { engine, stack, root: cwd, configFile } = task;
  const driven = await stackOf(engine, stack, { cwd });
  const read = () => driven.refresh({ configFile, clearPendingCreates });
  try {
    await read().catch(async (error: unknown) => {
      const holders = error instanceof EngineError ? lockHolders(error.ended.output) : [];
      if (holders.length === 0) throw error;
      await release(task, holders);
      await read();
    });
  } catch (error) {
    throw error instanceof EngineError ? failed("The host cannot be read", error.ended) : error;
  }
}

/** Takes away the lock of a run that is over, and of no other. */
async function release(task: Repair, holders: Holder[]): Promise<void> {
  for (const holder of holders.filter((one) => !isOver(one)))
    throw new Error(
      `${task.stack} is locked by ${holder.user}@${holder.machine} (process ${holder.pid}) since ${holder.since}.\n` +
        `  → If that run has ended, run \`pulumi cancel -s ${task.stack}\` and repeat this.`,
    );
  const driven = await stackOf(task.engine, task.stack, { cwd: task.root });
  await driven.cancel().catch((error: Error) => {
    if (!(error instanceof EngineError)) throw error;
    throw failed("The lock of the run that was killed cannot be released", error.ended);
  });
  task.say("released the lock of the run that was killed");
}

async function removeHalfMade(task: Repair, objects: HalfMade[]): Promise<void> {
  if (objects.length === 0) return;
  const { stdout } = await task.session.run(removeScript, {
    step: "remove what the interrupted up made and the state does not know",
    stdin: objects.map(({ kind, name }) => `${kind} ${name}\n`).join(""),
  });
  for (const line of stdout.split("\n").filter(Boolean)) {
    const [what, kind, name] = line.split(" ");
    if (what === "removed") task.say(`removed the half-made ${kind} ${name}; the next up creates it`);
    else throw new Error(REFUSED[what as keyof typeof REFUSED](`${kind} ${name}`));
  }
}

const REFUSED = {
  foreign: (what: string) =>
    `The ${what} on the host does not belong to this project.\n  → Remove or rename it, then repeat this.`,
  used: (what: string) =>
    `The half-made ${what} is in use on the host.\n  → Find its user with docker inspect, then repeat this.`,
};

function failed(what: string, { stdout, stderr, output }: Ended): Error {
  const lines = output.split("\n").filter((line) => /^\s*error: /.test(line));
  return new Error(`${what}.\n${lines.join("\n") || lastLines(stderr || stdout)}`);
}
