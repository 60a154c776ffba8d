/** The report, as Markdown: what is lost first, then what is wrong, then what changes, line by line. */
import type { Change, Kind } from "./changes";
import type { Violation } from "./engine";
import type { EnvironmentPreview } from "./environment";
import { cell, code, fenced, inert, visible } from "./markdown";
import { noticed, productionFirst, type Shared, sharedChanges } from "./together";
import { fit, type Piece } from "./shorten";
import { beginning } from "./textDiff";

/** What a comment may hold on the forges that we know, with room to spare. */
export const LIMIT = 64_000;

export interface ReportInput {
  /** Short name of the base's commit, and what the person called it. */
  base: { commit: string; ref: string };
  /** What the work tree is called, and whether it has what that has not. */
  head: { name: string; edited: boolean };
  environments: EnvironmentPreview[];
  /** Environments that the change does not touch. */
  untouched: string[];
  /** Environments that it touches, and that nobody asked about. */
  skipped: string[];
}

export interface Shape {
  /** Most characters that it may have. Default: what a comment may. Infinity: everything. */
  limit?: number;
  /** Takes out of a line what nobody may see, before anything is measured. Default: nothing. */
  hide?: (line: string) => string;
}

/** More new resources than this are named without their values: that would be the whole platform. */
const DETAILED_CREATIONS = 10;

const HEADINGS: Record<Kind, string> = {
  deleted: "Deleted",
  replaced: "Replaced",
  changed: "Changed",
  created: "Created",
  again: "Run again",
};

export function report(input: ReportInput, { limit = LIMIT, hide = (line) => line }: Shape = {}): string {
  const { base, head } = input;
  const environments = input.environments.map((one) => tidied(one, hide)).sort(productionFirst);
  const shared = sharedChanges(environments);
  const [only] = environments;
  const where = only && environments.length === 1 ? ` in ${cell(only.name)}` : "";
  const pieces: Piece[] = [
    text(
      `# What this change does${where}`,
      "",
      `${code(head.name)}${head.edited ? " and what is not committed" : ""}, compared with ${code(base.commit)}, where it left ${code(base.ref)}.`,
      "",
    ),
    table(environments),
    ...others(input),
    ...atStake(environments),
    ...problems(environments),
    ...gone(environments),
    ...policies(environments),
    ...shared.flatMap(({ names, changes }) => [
      text("", `## The same in ${names.map(inert).join(", ")}`),
      ...told(changes),
    ]),
    ...environments.flatMap((one) => details(one, shared)),
    ...unchanged(environments),
  ];
  const clean = ({ lines, fence }: Piece) => ({ lines: lines.map((line) => visible(hide(line))), fence });
  return fit(pieces.map(clean), small(environments).map(clean), limit);
}

const text = (...lines: string[]): Piece => ({ lines });

/** What programs said, in lines that a person reads. A secret goes before a line is cut: half of it would not be known as one. */
function tidied(one: EnvironmentPreview, hide: (line: string) => string): EnvironmentPreview {
  const tidy = (said: string) =>
    said
      .split("\n")
      .map((line) => beginning(hide(line)))
      .join("\n");
  return {
    ...one,
    errors: one.errors.map(tidy),
    notes: one.notes.map(tidy),
    warnings: one.warnings.map(tidy),
    violations: one.violations.map((found) => ({ ...found, message: tidy(found.message) })),
  };
}

function table(environments: EnvironmentPreview[]): Piece {
  if (environments.length === 0) return text("No environment is touched.");
  const count = (one: EnvironmentPreview, kind: Kind) =>
    String(one.changes.filter((change) => change.kind === kind).length);
  const rows = environments.map((one) => {
    const kinds = (["created", "changed", "replaced", "deleted"] as const).map((kind) => count(one, kind));
    return `| ${[cell(one.name), ...kinds, verdict(one), one.comparedWith || "—"].join(" | ")} |`;
  });
  return text(
    "| environment | created | changed | replaced | deleted | | compared with |",
    "| --- | ---: | ---: | ---: | ---: | --- | --- |",
    ...rows,
  );
}

function verdict(one: EnvironmentPreview): string {
  const words = [
    one.removed ? "**not managed any more**" : "",
    one.errors.length > 0 ? `**${counted(one.errors.length, "error")}**` : "",
    [...one.changes, ...one.pending].some(({ stakes }) => stakes.length > 0) ? "**data at stake**" : "",
    violated(one, "mandatory") > 0 ? `**${counted(violated(one, "mandatory"), "policy violation")}**` : "",
    violated(one, "advisory") > 0 ? counted(violated(one, "advisory"), "advisory violation") : "",
    one.drift && one.drift.length > 0 ? "drift" : "",
    one.pending.length > 0 ? `${one.pending.length} pending before` : "",
  ];
  return words.filter(Boolean).join(", ");
}

const violated = ({ violations }: EnvironmentPreview, wanted: string) =>
  violations.filter(({ level }) => level === wanted).length;

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function others({ environments, untouched, skipped }: ReportInput): Piece[] {
  return [
    ...(untouched.length > 0 && environments.length > 0
      ? [text("", `Untouched: ${untouched.map(inert).join(", ")}.`)]
      : []),
    ...(skipped.length > 0
      ? [text("", `Touched, but not looked at: ${skipped.map(inert).join(", ")}.`)]
      : []),
  ];
}

function atStake(environments: EnvironmentPreview[]): Piece[] {
  const lines = environments.flatMap((one) =>
    [...one.changes, ...one.pending].flatMap(({ stakes }) =>
      stakes.map((stake) => `- ${inert(one.name)}: ${stake}`),
    ),
  );
  return lines.length > 0 ? [text("", "## Data at stake", "", ...lines)] : [];
}

function problems(environments: EnvironmentPreview[]): Piece[] {
  return environments
    .filter(({ errors }) => errors.length > 0)
    .flatMap(({ name, errors }) => [
      text("", `## ${inert(name)}: ${counted(errors.length, "error")}`, ""),
      { fence: "text", lines: errors.flatMap((error) => error.split("\n")) },
    ]);
}

function gone(environments: EnvironmentPreview[]): Piece[] {
  return environments
    .filter(({ removed }) => removed)
    .map(({ name }) =>
      text(
        "",
        `${cell(name)}: its file is gone. That takes nothing off its host: ${code(`pulumi destroy -s ${name}`)} does, from a commit that still has it.`,
      ),
    );
}

function policies(environments: EnvironmentPreview[]): Piece[] {
  // The engine tells them as resources come, which differs from run to run.
  const order = ({ level, policy, resource }: Violation) =>
    `${level === "mandatory" ? 0 : 1} ${policy} ${resource}`;
  const lines = together(environments, ({ violations }) =>
    [...violations]
      .sort((a, b) => (order(a) < order(b) ? -1 : 1))
      .map(({ policy, level, resource, message }) => {
        const where = resource ? ` at ${code(resource)}` : "";
        return `**${inert(policy)}** (${inert(level)})${where}: ${inert(message.split("\n").join(" "))}`;
      }),
  );
  return lines.length > 0 ? [text("", "## Policy violations", "", ...lines)] : [];
}

/** What several environments have in common is said once. */
function together(
  environments: EnvironmentPreview[],
  tell: (environment: EnvironmentPreview) => string[],
): string[] {
  const names = new Map<string, string[]>();
  for (const one of environments)
    for (const line of tell(one)) names.set(line, [...(names.get(line) ?? []), inert(one.name)]);
  return [...names].map(([line, where]) => `- ${[...new Set(where)].join(", ")}: ${line}`);
}

function details(one: EnvironmentPreview, shared: Shared[]): Piece[] {
  if (isUnchanged(one) || (one.errors.length > 0 && one.changes.length === 0)) return [];
  const own = one.changes.filter((change) => !shared.some(({ all }) => all.has(change)));
  const [lead, before, found] = [noticed(one.changes), pending(one), drift(one)];
  return [
    text("", `## ${inert(one.name)}`),
    ...(lead ? [text("", lead)] : []),
    ...(one.changes.length === 0 ? [text("", "Nothing changes.")] : []),
    ...(own.length < one.changes.length
      ? [text("", own.length === 0 ? "What changes is above." : "Beside what is above:")]
      : []),
    ...(one.errors.length > 0 ? [text("", "**Not all of it: the preview ended with an error.**")] : []),
    ...told(own),
    ...before,
    ...found,
  ];
}

/** Changes by their kinds, what is lost first. */
function told(changes: Change[]): Piece[] {
  const again = changes.filter(({ kind }) => kind === "again").map(({ name }) => code(name));
  return [
    ...(["deleted", "replaced", "changed", "created"] as const).flatMap((kind) => ofKind(changes, kind)),
    ...(again.length > 0 ? [text("", `Run again, because of the above: ${again.join(", ")}.`)] : []),
    ...unknown(changes),
  ];
}

const isUnchanged = ({ changes, pending: before, drift: found, errors }: EnvironmentPreview) =>
  changes.length === 0 && before.length === 0 && found === undefined && errors.length === 0;

function unchanged(environments: EnvironmentPreview[]): Piece[] {
  const names = environments.filter((one) => isUnchanged(one) && !one.removed).map(({ name }) => inert(name));
  return names.length > 0 ? [text("", `Looked at, and nothing changes there: ${names.join(", ")}.`)] : [];
}

function ofKind(all: Change[], kind: Kind): Piece[] {
  const changes = all.filter((change) => change.kind === kind);
  if (changes.length === 0) return [];
  const bare = kind === "deleted" || (kind === "created" && changes.length > DETAILED_CREATIONS);
  if (bare)
    return [
      text(
        "",
        `### ${HEADINGS[kind]}`,
        "",
        ...changes.map(({ name, type }) => `- ${code(name)} (${inert(type)})`),
      ),
    ];
  return changes.flatMap((change) => [
    text("", `### ${HEADINGS[kind]}: ${code(change.name)} (${inert(change.type)})`),
    ...partsOf(change),
  ]);
}

function partsOf({ parts, kind, stakes }: Change): Piece[] {
  const none =
    kind === "replaced" ? "Because what it depends on is replaced." : "Only how it is managed changes.";
  if (parts.length === 0) return stakes.length > 0 ? [] : [text("", none)];
  return parts.flatMap(({ path, lines }) => [
    text("", ...(path ? [`${code(path)}:`, ""] : [])),
    { fence: "diff", lines },
  ]);
}

function pending({ pending: changes }: EnvironmentPreview): Piece[] {
  if (changes.length === 0) return [];
  const words = (kind: Kind) => (kind === "again" ? "run again" : kind);
  return [
    text("", "### Pending before this change: the next `up` does these as well"),
    ...changes.flatMap((change) => [
      text("", `${code(change.name)} (${inert(change.type)}): ${words(change.kind)}`),
      ...(["changed", "replaced"].includes(change.kind) ? partsOf(change) : []),
    ]),
  ];
}

/** A refresh tells it from the host's side: what it calls changed, an `up` puts back. */
function drift({ drift: changes, repairs }: EnvironmentPreview): Piece[] {
  if (!changes) return [];
  const heading = text("", "### Drift: what differs on the host from what was last brought up");
  if (changes.length === 0) return [heading, text("", "None.")];
  const then = repairs
    ? "The plan puts it back: it is among the changes above."
    : "An `up` leaves it as it is, unless it is one with `--refresh`.";
  return [
    heading,
    text("", then),
    ...changes.flatMap((change) => [
      text(
        "",
        `${code(change.name)} (${inert(change.type)}): ${change.kind === "deleted" ? "is gone" : change.kind}`,
      ),
      ...(change.kind === "deleted" ? [] : partsOf(change)),
    ]),
  ];
}

function unknown(changes: Change[]): Piece[] {
  const lines = changes
    .filter((change) => change.unknown.length > 0)
    .map((change) => `- ${code(change.name)}: ${change.unknown.map(code).join(", ")}`);
  return lines.length > 0 ? [text("", "### Known only when the host has answered", "", ...lines)] : [];
}

/** What a reader has to know of how this was made. */
function small(environments: EnvironmentPreview[]): Piece[] {
  const lines = together(environments, (one) => [
    ...(one.dummies.length > 0 ? [`dummies stand in for ${one.dummies.join(", ")}`] : []),
    ...[...one.notes, ...one.warnings].map(withDetails),
    ...(one.because.length > 0 ? [`looked at because of ${some(one.because)}`] : []),
  ]);
  return lines.length > 0
    ? [text("", "## How this was made", "", ...lines.flatMap((line) => line.split("\n")))]
    : [];
}

/** The first line is a sentence; what follows is what some program said. */
function withDetails(note: string): string {
  const [first = "", ...rest] = note.split("\n");
  if (rest.length === 0) return inert(first);
  return [inert(first), "", ...fenced(rest, "text").map((line) => `  ${line}`), ""].join("\n");
}

function some(files: string[]): string {
  const shown = files.slice(0, 3).map(code);
  return (
    shown.join(", ") + (files.length > shown.length ? ` and ${files.length - shown.length} more files` : "")
  );
}
