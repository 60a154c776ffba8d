/**
 * The programs that a preview starts. Each is the head of a process group of its own: so Ctrl-C reaches an engine once, through us (the
 * second one would leave the state locked), and nothing that an engine or a plugin has started stays behind when we are ended.
 */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";

const running = new Set<ChildProcess>();
let ending = false;

/** As `spawn`. @throws an Error when everything is about to end */
export function start(program: string, args: string[], options: SpawnOptions): ChildProcess {
  if (ending) throw new Error("ended by a signal");
  const child = spawn(program, args, { ...options, detached: true });
  running.add(child);
  child.on("error", () => running.delete(child));
  child.on("exit", () => running.delete(child));
  return child;
}

/** The child and all that it has started. */
export function kill(child: ChildProcess): void {
  running.delete(child);
  signal(child, "SIGKILL");
}

/** An engine that is asked to end gives its lock on the state back; whatever is left after the grace is killed. */
export async function endAll(graceMs = 10_000): Promise<void> {
  ending = true;
  const children = [...running];
  const ended = children.map((child) => new Promise((resolve) => child.once("exit", resolve)));
  for (const child of children) child.kill("SIGINT");
  const timer = new AbortController();
  const late = new Promise((resolve) => {
    const timeout = setTimeout(resolve, graceMs);
    timer.signal.addEventListener("abort", () => clearTimeout(timeout));
  });
  await Promise.race([Promise.all(ended), late]);
  timer.abort();
  for (const child of children) signal(child, "SIGKILL");
}

/** To the whole group, also where its head has ended already. */
function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // Nothing of it is left.
  }
}
