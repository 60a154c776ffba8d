/** Errors as a person reads them. */
import { mask } from "./values";

export interface HostErrorDetails {
  host: string;
  step: string;
  command?: string;
  code?: number;
  output?: string;
  remedy?: string;
}

/** An error a person can act on: host, step, command without secrets, exit code, last lines, remedy. Printed without a stack. */
export class HostError extends Error {
  constructor(
    message: string,
    readonly details: HostErrorDetails,
  ) {
    super(message);
    this.name = "HostError";
  }
}

/** What a program printed at its end says why it failed; more than this nobody reads in a terminal. */
const SHOWN_LINES = 25;

/** The thing was made, but a later step failed: the state keeps it, and the next `up` repairs it by an update. */
export class PartialFailure extends Error {
  constructor(
    readonly reason: unknown,
    readonly id: string,
    readonly outputs: object,
  ) {
    super(reason instanceof Error ? reason.message : String(reason));
    this.name = "PartialFailure";
  }
}

/** One message: what, where, at which step, what was printed, what to do. Only defects of this program show a stack. */
export function describe(error: unknown, secrets: string[] = []): string {
  if (error instanceof PartialFailure) return describe(error.reason, secrets);
  if (error instanceof HostError) return mask(describeHostError(error), secrets);
  if (error instanceof Error) {
    const own = error.name === "Error" || error.name === "SchemaError";
    return mask(own ? error.message : `a defect in the provider: ${error.stack ?? error.message}`, secrets);
  }
  return mask(String(error), secrets);
}

function describeHostError({ message, details }: HostError): string {
  const { host, step, command, code, output, remedy } = details;
  const lines = [message, `  where: ${host}, to ${step}${code === undefined ? "" : ` (exit code ${code})`}`];
  if (command) lines.push(...indent(`  command: `, command));
  const shown = (output ?? "").trim();
  if (shown !== "" && !message.includes(shown))
    lines.push("  it printed:", ...lastLines(shown).map((line) => `    ${line}`));
  if (remedy) lines.push(`  what to do: ${remedy}`);
  return lines.join("\n");
}

function indent(head: string, text: string): string[] {
  const lines = text.split("\n");
  return lines.length === 1 ? [`${head}${text}`] : [head.trimEnd(), ...lines.map((line) => `    ${line}`)];
}

/** All that a command printed, messages last. */
export const printed = ({ stdout, stderr }: { stdout: string; stderr: string }): string =>
  [stdout.trim(), stderr.trim()].filter((text) => text !== "").join("\n");

export function lastLines(text: string, count = SHOWN_LINES): string[] {
  const lines = text.split("\n").map((line) => line.trimEnd());
  return lines.length > count
    ? [`(${lines.length - count} lines before these)`, ...lines.slice(-count)]
    : lines;
}
