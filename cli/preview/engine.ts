/** Runs the engine, bounded, and reads its events. */
import { type Ended, lastLines, run as runProgram } from "../../programs/run";
import type { Engine } from "../context";

/** A resource as an event carries it. */
export interface ResourceState {
  type: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  custom?: boolean;
  retainOnDelete?: boolean;
  protect?: boolean;
}

/** One step of the plan. */
export interface Step {
  op: string;
  urn: string;
  type: string;
  old?: ResourceState | null;
  new?: ResourceState | null;
  /** Property path → what happens to it. */
  detailedDiff?: Record<string, { diffKind: string; inputDiff: boolean }> | null;
}

export interface Violation {
  policy: string;
  /** "mandatory" fails the preview; "advisory" is said. */
  level: string;
  /** Name of the resource; empty for a rule over the whole stack. */
  resource: string;
  message: string;
}

export interface EngineResult {
  steps: Step[];
  violations: Violation[];
  errors: string[];
  warnings: string[];
  ok: boolean;
}

const LIMIT_MS = 10 * 60_000;

/** Never rejects for an engine that fails: `problem` says so. @throws an Error when it cannot be started or takes longer than `limitMs` */
export async function run(engine: Engine, args: string[], cwd: string, limitMs = LIMIT_MS): Promise<Ended> {
  const all = [...args, "--non-interactive", "--color", "never"];
  const ended = await runProgram(engine.program, all, { cwd, env: engine.env, limitMs, group: true });
  if (ended.code === undefined)
    throw new Error(`pulumi ${args.slice(0, 2).join(" ")} ${ended.problem}, in ${cwd}`);
  return ended;
}

/** A preview (or a refresh that only looks) as events. */
export async function preview(engine: Engine, args: string[], cwd: string): Promise<EngineResult> {
  const env = { ...engine.env, PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true" };
  const { code, stdout, stderr } = await run({ ...engine, env }, [...args, "--json"], cwd);
  const result = readEvents(stdout, { refresh: args[0] === "refresh" });
  result.ok = code === 0;
  // What goes wrong before there is a plan is said on stderr alone.
  if (
    !result.ok &&
    result.errors.length === 0 &&
    !result.violations.some(({ level }) => level === "mandatory")
  )
    result.errors.push(lastLines(stderr) || `pulumi ended with ${code}`);
  return result;
}

interface Diagnostic {
  message: string;
  severity: string;
  urn?: string;
}

interface PolicyEvent {
  resourceUrn?: string;
  message: string;
  policyName: string;
  enforcementLevel: string;
}

interface Event {
  resourcePreEvent?: { metadata: Step };
  resOutputsEvent?: { metadata: Step };
  diagnosticEvent?: Diagnostic;
  policyEvent?: PolicyEvent;
}

/**
 * @param text one event a line
 * @param refresh whether what a refresh finds is what was asked for. Otherwise it only comes before the plan. Default: true
 */
export function readEvents(text: string, { refresh = true } = {}): EngineResult {
  const result: EngineResult = { steps: [], violations: [], errors: [], warnings: [], ok: true };
  for (const line of text.split("\n")) {
    if (!line.startsWith("{")) continue;
    const event = parse(line);
    const step = event?.resourcePreEvent?.metadata;
    if (step && (refresh || step.op !== "refresh")) result.steps.push(step);
    // Of a refresh, what was found is known only afterwards; then the step says what it was: same, update, delete.
    const after = event?.resOutputsEvent?.metadata;
    if (after && result.steps.some(({ urn, op }) => urn === after.urn && op === "refresh"))
      result.steps.push(after);
    if (event?.diagnosticEvent) diagnose(result, event.diagnosticEvent);
    if (event?.policyEvent) result.violations.push(violation(event.policyEvent));
  }
  return result;
}

function parse(line: string): Event | undefined {
  try {
    return JSON.parse(line) as Event;
  } catch {
    return undefined; // A line that was cut off by the engine's end.
  }
}

/** The engine warns of what cli/preview/policy.ts does on purpose. */
const OWN_ANALYZER = /^using pulumi-analyzer-policy-\S+ from \$PATH/;

function diagnose(result: EngineResult, { message, severity, urn }: Diagnostic): void {
  const text = message.trim();
  const where = urn && !isStack(urn) ? `${nameOf(urn)}: ` : "";
  // The engine's own last line, which adds nothing to what failed.
  if (severity === "error" && text && !/^(update|preview) failed$/.test(text))
    result.errors.push(where + text);
  if (severity === "warning" && text && !OWN_ANALYZER.test(text)) result.warnings.push(where + text);
}

function violation(event: PolicyEvent): Violation {
  return {
    policy: event.policyName,
    level: event.enforcementLevel,
    resource: event.resourceUrn && !isStack(event.resourceUrn) ? nameOf(event.resourceUrn) : "",
    // The engine puts the rule's description before what was found; its name says as much.
    message: event.message
      .trim()
      .replace(/^[^\n]*\n(?=\S)/, "")
      .trim(),
  };
}

const isStack = (urn: string): boolean => urn.split("::")[2] === "pulumi:pulumi:Stack";

/** "urn:pulumi:STACK::PROJECT::TYPES::NAME" → NAME. */
export const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");
