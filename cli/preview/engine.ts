/** Asks the engine what would change, and reads its events. */
import { type Engine, EngineError, stackOf } from "../../programs/pulumi";
import { lastLines } from "../../programs/run";

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
  /** "mandatory" fails the preview; "advisory" is only reported. */
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

export interface PreviewOptions {
  stack: string;
  /** Default: the stack's own. */
  configFile?: string;
  /** Reads the host as well. Default: false. */
  refresh?: boolean;
  /** File for the plan. Default: none is saved. */
  plan?: string;
  policyPacks?: string[];
  policyPackConfigs?: string[];
}

export const preview = (engine: Engine, { stack, ...options }: PreviewOptions, cwd: string) =>
  watched(async (onEvent) => (await stackOf(engine, stack, { cwd })).preview({ ...options, onEvent }), false);

/** A refresh that only looks. */
export const findDrift = (engine: Engine, { stack, configFile }: PreviewOptions, cwd: string) =>
  watched(
    async (onEvent) => (await stackOf(engine, stack, { cwd })).previewRefresh({ configFile, onEvent }),
    true,
  );

async function watched(
  work: (onEvent: (event: object) => void) => Promise<unknown>,
  refresh: boolean,
): Promise<EngineResult> {
  const events: Event[] = [];
  let failure: EngineError | undefined;
  await work((event) => events.push(event)).catch((error: unknown) => {
    if (!(error instanceof EngineError)) throw error;
    failure = error;
  });
  const result = readEvents(events, { refresh });
  result.ok = failure === undefined;
  // Errors before there is a plan are only on stderr.
  if (failure && result.errors.length === 0 && !result.violations.some(({ level }) => level === "mandatory"))
    result.errors.push(lastLines(failure.ended.stderr) || `pulumi ${failure.ended.problem}`);
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

export interface Event {
  resourcePreEvent?: { metadata: Step };
  resOutputsEvent?: { metadata: Step };
  diagnosticEvent?: Diagnostic;
  policyEvent?: PolicyEvent;
}

/** @param refresh whether what a refresh finds is what was asked for. Otherwise it only comes before the plan. Default: true */
export function readEvents(events: Event[], { refresh = true } = {}): EngineResult {
  const result: EngineResult = { steps: [], violations: [], errors: [], warnings: [], ok: true };
  for (const event of events) {
    const step = event.resourcePreEvent?.metadata;
    if (step && (refresh || step.op !== "refresh")) result.steps.push(step);
    // Of a refresh, what was found is known only afterwards; then the step says what it was: same, update, delete.
    const after = event.resOutputsEvent?.metadata;
    if (after && result.steps.some(({ urn, op }) => urn === after.urn && op === "refresh"))
      result.steps.push(after);
    if (event.diagnosticEvent) diagnose(result, event.diagnosticEvent);
    if (event.policyEvent) result.violations.push(violation(event.policyEvent));
  }
  return result;
}

/** The engine warns about what cli/preview/policy.ts does on purpose. */
const OWN_ANALYZER = /^using pulumi-analyzer-policy-\S+ from \$PATH/;

function diagnose(result: EngineResult, { message, severity, urn }: Diagnostic): void {
  const text = message.trim();
  const where = urn && !isStack(urn) ? `${nameOf(urn)}: ` : "";
  // The engine's last line adds nothing.
  if (severity === "error" && text && !/^(update|preview) failed$/.test(text))
    result.errors.push(where + text);
  if (severity === "warning" && text && !OWN_ANALYZER.test(text)) result.warnings.push(where + text);
}

function violation(event: PolicyEvent): Violation {
  return {
    policy: event.policyName,
    level: event.enforcementLevel,
    resource: event.resourceUrn && !isStack(event.resourceUrn) ? nameOf(event.resourceUrn) : "",
    // The engine puts the rule's description before the finding; its name is enough.
    message: event.message
      .trim()
      .replace(/^[^\n]*\n(?=\S)/, "")
      .trim(),
  };
}

const isStack = (urn: string): boolean => urn.split("::")[2] === "pulumi:pulumi:Stack";

/** "urn:pulumi:STACK::PROJECT::TYPES::NAME" → NAME. */
export const nameOf = (urn: string): string => urn.split("::").slice(3).join("::");
