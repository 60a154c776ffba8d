/** How long a function may take, as its variables and the environment say it. */
import type { Environment } from "../../environment/schema";
import { seconds } from "../../environment/units";
import { parseDuration } from "../../shared/duration";

/** The environment's own, of the section openfaas. */
export type Timeouts = Pick<Environment["openfaas"], "upstreamTimeout" | "queue">;

/** Like the templates and watchdogs: 0 means no limit. */
function limit(text: string): number | undefined {
  const ms = parseDuration(text);
  return ms === 0 ? Infinity : ms && ms / 1000;
}

/** The problem of one variable of a function. */
export interface TimeoutProblem {
  name: string;
  text: string;
}

/** For the documentation. */
export const TIMEOUTS_OF_FUNCTIONS =
  "A function's own exec_timeout is not above openfaas.upstreamTimeout, and its exec_timeout, write_timeout and read_timeout are below openfaas.queue.ackWait.";

/** Of the templates, as docs/functions.md names them. */
const STANDARD: Readonly<Record<string, string>> = {
  exec_timeout: "60s",
  write_timeout: "65s",
  read_timeout: "60s",
};

/**
 * @param env the function's variables, those of its environment files among them
 * @param ours whether it is built from a template of this project: elsewhere defaults are others, and a variable of such a name may
 * mean another thing
 */
export function timeoutProblems(
  env: Readonly<Record<string, string>>,
  { upstreamTimeout, queue }: Timeouts,
  ours: boolean,
): TimeoutProblem[] {
  const found: TimeoutProblem[] = [];
  const say = (name: string, text: string) =>
    void found.push({ name, text: `${JSON.stringify(env[name])}: ${text}` });
  for (const name of Object.keys(STANDARD).filter((key) => env[key])) {
    const value = limit(env[name]!);
    if (value === undefined) {
      if (ours) say(name, 'must be a duration such as "90s" or "1m30s"');
    } else if (name === "exec_timeout" && value > seconds(upstreamTimeout))
      say(name, `is above openfaas.upstreamTimeout ${upstreamTimeout}: the gateway would give up on it`);
    else if (value >= seconds(queue.ackWait))
      say(
        name,
        `is not below openfaas.queue.ackWait ${queue.ackWait}: an asynchronous call would be delivered twice`,
      );
  }
  if (found.length > 0) return found;
  const [exec, write] = ["exec_timeout", "write_timeout"].map(
    (name) => env[name] || (ours ? STANDARD[name]! : ""),
  ) as [string, string];
  const [longest, whole] = [limit(exec), limit(write)];
  if (longest !== undefined && whole !== undefined && longest > whole) {
    const name = env.exec_timeout ? "exec_timeout" : "write_timeout";
    const other = name === "exec_timeout" ? `write_timeout ${write}` : `exec_timeout ${exec}`;
    say(name, `${name === "exec_timeout" ? "is above" : "is below"} ${other}: an answer would be cut`);
  }
  return found;
}
