/** Turns the engine's steps into a description of each resource's change. */
import { compareValues, type Found, partsOf, type Touched } from "./compare";
import { nameOf, type ResourceState, type Step } from "./engine";
import { stakesOf } from "./stakes";
import { isSecret, isUnknown } from "../../shared/propertyValues";

export type Kind = "created" | "changed" | "replaced" | "deleted" | "again";

export interface Change {
  urn: string;
  name: string;
  type: string;
  kind: Kind;
  /** Lines of a diff. A part with a path is a text; a part without has one line per value. */
  parts: { path: string; lines: string[] }[];
  /** Data that is lost, hidden or no longer kept; one sentence each. */
  stakes: string[];
  /** Paths of values that are known only after the host answered. */
  unknown: string[];
  /** All inputs afterwards, without secrets. */
  outcome?: string;
  /** A secret is among what changes. */
  secret?: boolean;
  /** A service whose new task starts before the old one stops. */
  seamless?: boolean;
}

const KINDS: Record<string, Kind> = {
  create: "created",
  import: "created",
  update: "changed",
  replace: "replaced",
  delete: "deleted",
};

/** Losses come first. */
const ORDER: Kind[] = ["deleted", "replaced", "changed", "created", "again"];

export function changesOf(steps: Step[]): Change[] {
  const changes = new Map<string, Change>();
  for (const step of steps) {
    const change = changeOf(step);
    if (change) changes.set(step.urn, change);
  }
  return [...changes.values()].sort(
    (a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || (a.name < b.name ? -1 : 1),
  );
}

/** Default providers belong to the engine. */
const isDefaultProvider = ({ type, urn }: Step): boolean =>
  type.startsWith("pulumi:providers:") && /^default(_|$)/.test(nameOf(urn));

function changeOf(step: Step): Change | undefined {
  const state = step.new ?? step.old;
  // Components are folders of resources.
  if (!state?.custom || isDefaultProvider(step)) return undefined;
  const stakes = stakesOf(step);
  const kind = isAction(step) ? "again" : isMadeAnew(step) ? "changed" : KINDS[step.op];
  if (!kind && !(step.op === "same" && stakes.length > 0)) return undefined;
  const found = differences(step);
  return {
    urn: step.urn,
    name: nameOf(step.urn),
    type: step.type,
    kind: kind ?? "changed",
    parts: kind === "again" ? [] : partsOf(found),
    stakes,
    unknown: found.unknown,
    outcome: JSON.stringify(step.new?.inputs ?? null),
    secret: found.secret,
    seamless: isSeamless(step),
  };
}

function differences(step: Step): Found {
  const inputs = compareValues(shown(step.old), shown(step.new), touched(step));
  if (inputs.values.length + inputs.texts.length > 0) return inputs;
  const outputs = compareOutputs(step);
  if (outputs.values.length + outputs.texts.length > 0) return { ...outputs, unknown: inputs.unknown };
  // The plugin reports a difference that neither side shows.
  const paths = step.old && step.new ? Object.keys(step.detailedDiff ?? {}) : [];
  return { ...inputs, values: paths.map((path) => `! ${path}: a difference that only the plugin sees`) };
}

/** Differences that the plugin sees outside of the inputs, such as changes by hand. */
function compareOutputs(step: Step): Found {
  const names = new Set(Object.keys(step.detailedDiff ?? {}).map((path) => path.split(/[.[]/)[0]!));
  const some = (state: ResourceState | null | undefined) =>
    Object.fromEntries(Object.entries(state?.outputs ?? {}).filter(([key]) => names.has(key)));
  const [before, after] = [some(step.old), some(step.new)];
  // The outputs of a planned update are empty.
  if (Object.keys(before).length === 0 || Object.keys(after).length === 0) return compareValues({}, {});
  return compareValues(before, after, touched(step));
}

const isSeamless = ({ op, new: after }: Step): boolean =>
  op === "update" &&
  (after?.inputs?.updateConfig as { order?: unknown } | undefined)?.order === "start-first";

/** A command that runs again because something else changed replaces nothing. */
function isAction({ op, type, detailedDiff }: Step): boolean {
  const paths = Object.keys(detailedDiff ?? {});
  return (
    op === "replace" &&
    /^command:/.test(type) &&
    paths.length > 0 &&
    paths.every((path) => /^triggers\b/.test(path))
  );
}

/** A replacement that loses nothing, of what is replaced only because its content is its name: an image, a config, a check. */
function isMadeAnew({ op, type, old }: Step): boolean {
  if (op !== "replace") return false;
  if (type === "docker:index/remoteImage:RemoteImage") return old?.inputs?.keepLocally === true;
  if (type === "docker:index/serviceConfig:ServiceConfig") return true;
  return /^command:/.test(type) && old?.inputs?.delete === undefined;
}

/** Inputs as a person wrote them. */
function shown(state: ResourceState | null | undefined): unknown {
  const inputs = state?.inputs ?? {};
  const data = inputs.data;
  // The Docker API takes the text of a config as base64.
  if (
    state?.type !== "docker:index/serviceConfig:ServiceConfig" ||
    typeof data !== "string" ||
    isUnknown(data) ||
    isSecret(data)
  )
    return inputs;
  return { ...inputs, data: Buffer.from(data, "base64").toString("utf8") };
}

/** Paths with a difference, and their parents. */
function touched(step: Step): Touched {
  const paths = Object.keys(step.detailedDiff ?? {});
  return (path) =>
    paths.some((one) => one === path || one.startsWith(`${path}.`) || one.startsWith(`${path}[`)) ||
    (path === "" && paths.length > 0);
}

export interface Apart {
  changes: Change[];
  pending: Change[];
  /** Changes that may be pending, depending on a secret. */
  unsure: Change[];
}

/**
 * A change is pending if an `up` of the base would make exactly the same change.
 * @param sameSecrets whether both sides have the same secrets, which a preview cannot tell
 */
export function apart(changes: Change[], before: Change[], sameSecrets: boolean): Apart {
  const key = ({ urn, kind, parts, outcome }: Change) => JSON.stringify([urn, kind, parts, outcome]);
  const known = new Set(before.map(key));
  const looksPending = changes.filter((change) => known.has(key(change)));
  const pending = looksPending.filter(({ secret }) => sameSecrets || !secret);
  return {
    changes: changes.filter((change) => !pending.includes(change)),
    pending,
    unsure: looksPending.filter((change) => !pending.includes(change)),
  };
}
