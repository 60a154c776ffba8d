/** The scripts of this provider, with the shared functions of the provider `host` in front. */
import { renderScript } from "../../host/src/scripts";
import type { RunOptions, RunResult, Session } from "../../host/src/session";
import functionFailure from "./scripts/function-failure.sh";
import functionUpdate from "./scripts/function-update.sh";

const SCRIPTS = { "function-failure": functionFailure, "function-update": functionUpdate };

/** Runs scripts/NAME.sh for a service. Any exit code is an answer. */
export function runForService(
  session: Session,
  name: keyof typeof SCRIPTS,
  service: string,
  options: Pick<RunOptions, "step" | "timeoutSeconds">,
): Promise<RunResult> {
  const script = `${renderScript([], { SERVICE: service })}\n${SCRIPTS[name]}`;
  return session.run(script, { ...options, allow: "any" });
}
