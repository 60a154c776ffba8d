/** `oslo-faas functions logs`: what a function's replicas print, asked over SSH, so that no password is needed. */
import { command } from "../../shared/quote";
import { Unusable } from "../errors";
import { onHost, readOne } from "./one";
import type { Where } from "../environment";

export interface LogOptions extends Where {
  follow: boolean;
  /** Lines of each replica, at the most. */
  tail: number;
  say: (line: string) => void;
}

/** A day; then somebody has forgotten it. */
const FOLLOW_SECONDS = 86_400;

/** @throws an Error with one clear message */
export async function showLogs(name: string, { follow, tail, say, ...where }: LogOptions): Promise<void> {
  const { environment } = readOne(name, where);
  const lines: string[] = [];
  await onHost(environment, where.root, async (session) => {
    const asked = ["--raw", "--timestamps", "--tail", String(tail), ...(follow ? ["--follow"] : []), name];
    const { code, stderr } = await session.run(`${command("docker", "service", "logs", ...asked)}`, {
      step: `read the log of ${name}`,
      allow: "any",
      timeoutSeconds: follow ? FOLLOW_SECONDS : 60,
      onLine: (line) => (follow ? say(shown(line)) : lines.push(line)),
    });
    if (/no such (task or )?service/i.test(stderr)) throw new Unusable(notDeployed(name, where.stack));
    if (code !== 0) throw new Error(stderr.trim() || `docker service logs ended with ${code}`);
  });
  // Each replica's lines come together; a person reads them in order of time.
  for (const line of lines.sort()) say(shown(line));
}

export const notDeployed = (name: string, stack: string): string =>
  `The function ${name} is not deployed on ${stack}.\n  → \`npx oslo-faas functions deploy ${name} -s ${stack}\``;

/** "2026-11-27T20:28:37.123456789Z text" → the same with a time that people read. */
const shown = (line: string): string => line.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\.\d+Z /, "$1 $2  ");
