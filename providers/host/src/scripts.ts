/**
 * Long fixed scripts are real files under scripts/, so that shellcheck and editors see them. This is how a resource runs one: its
 * parameters arrive as quoted shell variables, what it needs in secret arrives on stdin, and a refusal it makes on purpose
 * (`refuse MESSAGE REMEDY`) becomes one clear error without the noise around it.
 */
import { quote } from "../../../shared/quote";
import { type ScriptName, SCRIPTS } from "./scripts/index";
import { HostError, type RunOptions, type RunResult, type Session } from "./session";

/** What `refuse` in lib.sh exits with. */
const REFUSED = 90;

/** The complete script: parameters, the shared functions, the scripts themselves in their order. Pure. */
export function renderScript(
  name: ScriptName | ScriptName[],
  variables: Record<string, string | number | boolean>,
): string {
  const head = Object.entries(variables).map(([key, value]) => {
    if (!/^[A-Z][A-Z0-9_]*$/.test(key)) throw new Error(`${key} cannot name a script's parameter`);
    return `${key}=${quote(typeof value === "boolean" ? (value ? "1" : "") : String(value))}`;
  });
  return [...head, SCRIPTS.lib, ...[name].flat().map((one) => SCRIPTS[one])].join("\n");
}

/**
 * Runs scripts/NAME.sh on the host. Throws HostError: with the script's own message and remedy where it refused, else with the
 * last lines it printed. Example: `await runScript(session, "sysctl-read", { KEYS: "vm.swappiness" }, { step: "read sysctl" })`.
 */
export async function runScript(
  session: Session,
  name: ScriptName | ScriptName[],
  variables: Record<string, string | number | boolean>,
  options: RunOptions,
): Promise<RunResult> {
  const allow = options.allow === "any" ? "any" : [...(options.allow ?? [0]), REFUSED];
  const result = await session.run(renderScript(name, variables), { ...options, allow });
  const refusal = refusalOf(session, options.step, result);
  if (refusal) throw refusal;
  return result;
}

/** The error of a script that refused; undefined where it did not. For callers that want its stdout as well. */
export function refusalOf(session: Session, step: string, result: RunResult): HostError | undefined {
  if (result.code !== REFUSED) return undefined;
  const { message, remedy, rest } = parseRefusal(result.stderr);
  return new HostError(message, { host: session.name, step, remedy, output: rest || undefined });
}

/** `refuse` prints one line, "REFUSED<tab>message<tab>remedy"; what stands before it is what the failed step printed. */
export function parseRefusal(stderr: string): { message: string; remedy?: string; rest: string } {
  const lines = stderr.split("\n");
  const index = lines.findIndex((line) => line.startsWith("REFUSED\t"));
  if (index < 0) return { message: stderr.trim() || "refused without a reason", rest: "" };
  const [, message = "", remedy] = (lines[index] ?? "").split("\t");
  const rest = [...lines.slice(0, index), ...lines.slice(index + 1)].join("\n").trim();
  return { message, remedy: remedy || undefined, rest };
}

/** Lines "key=value" as a map; a value may hold "=". Lines without "=" are ignored. Later lines win. */
export function parseKeyValues(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    if (at > 0) values[line.slice(0, at)] = line.slice(at + 1);
  }
  return values;
}

export const fromBase64 = (text: string): string => Buffer.from(text, "base64").toString("utf8");
